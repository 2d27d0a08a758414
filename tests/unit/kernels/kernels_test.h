// Code that the kernel tests share: every table that this CPU can run, and memory that detects
// writes outside its range.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "engine/kernels/dispatch.h"
#include "engine/kernels/kernels.h"

namespace vit::kernels {

inline std::vector<const Table*> available_tables() {
    std::vector<const Table*> tables;
    for (const Isa isa : all_isas)
        if (const Table* table = table_for(isa)) tables.push_back(table);
    return tables;
}

/// A test that runs on every table.
class EveryTable : public testing::TestWithParam<const Table*> {};

inline std::string table_name(const testing::TestParamInfo<const Table*>& info) {
    return isa_name(info.param->isa);
}

/// `count` floats that start `misalignment` floats after a 64-byte boundary, with guard values on
/// both sides. The floats themselves also start with a guard value.
class GuardedFloats {
  public:
    explicit GuardedFloats(std::size_t count, std::size_t misalignment = 0)
        : count_(count), memory_(count + 2 * guards + 2 * line, guard()) {
        const auto address = std::bit_cast<std::uintptr_t>(memory_.data());
        start_ = guards + (line - address / sizeof(float) % line) % line + misalignment % line;
    }
    float* data() { return memory_.data() + start_; }
    float& operator[](std::size_t i) { return data()[i]; }
    std::size_t size() const { return count_; }
    std::vector<float> values() { return {data(), data() + count_}; }
    void assign(const std::vector<float>& values) {
        std::memcpy(data(), values.data(), values.size() * sizeof(float));
    }
    /// True if nothing outside the range was written.
    bool intact() {
        for (std::size_t i = 0; i < memory_.size(); ++i)
            if ((i < start_ || i >= start_ + count_) && !is_guard(memory_[i])) return false;
        return true;
    }
    static float guard() { return std::bit_cast<float>(0x4b5eed5eU); }
    static bool is_guard(float x) { return std::bit_cast<std::uint32_t>(x) == 0x4b5eed5eU; }

  private:
    static constexpr std::size_t line = 16;  // floats
    static constexpr std::size_t guards = 32;
    std::size_t count_;
    std::vector<float> memory_;
    std::size_t start_ = 0;
};

/// Rows that a kernel reads.
inline Matrix<const float> rows_of(const float* data, std::size_t rows, std::size_t cols,
                                   std::size_t stride) {
    return row_major(data, rows, cols, stride);
}

inline bool same_bits(float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

inline bool same_bits(const float* a, const float* b, std::size_t count) {
    return std::memcmp(a, b, count * sizeof(float)) == 0;
}

inline std::vector<float> normal_numbers(std::size_t count, float mean = 0.0F,
                                         float deviation = 1.0F, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(mean, deviation);
    std::vector<float> numbers(count);
    for (float& x : numbers) x = normal(random);
    return numbers;
}

/// Lengths around every vector width and unrolling factor, and some lengths from real models.
inline std::vector<std::size_t> lengths() {
    std::vector<std::size_t> all;
    for (std::size_t n = 1; n <= 70; ++n) all.push_back(n);
    for (const std::size_t n : {127, 129, 192, 197, 257, 384, 577, 768, 1000, 1024, 3072})
        all.push_back(n);
    return all;
}

/// Keeps the largest error of those passed to note(), for an assertion and for the test's record.
struct LargestError {
    double error = 0.0;
    double where = 0.0;
    void note(double e, double at) {
        if (!(e <= error)) {
            error = e;
            where = at;
        }
    }
    void expect_at_most(double bound, const char* name) const {
        testing::Test::RecordProperty(
            name, std::to_string(error * 1e9) + "e-9 at " + std::to_string(where));
        EXPECT_LE(error, bound) << name << " at " << where;
    }
};

}  // namespace vit::kernels
