#include "tools/common/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tools/common/peak_loops.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vit::tools {

namespace {

// There are enough independent sums to hide the latency of a multiply-add (4 cycles, 2 a cycle),
// and few enough for 16 registers. Each sum has its own name, because an array would be in memory.
// The empty asm stops the compiler from removing the loop.
constexpr int sums = 12;

#if defined(__x86_64__)

__attribute__((target("avx512f"))) double loop_avx512(long rounds) {
    const __m512 factor = _mm512_set1_ps(0.999f);
    const __m512 term = _mm512_set1_ps(0.001f);
    __m512 s0 = term, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0,
           s9 = s0, s10 = s0, s11 = s0;
    for (long r = 0; r < rounds; ++r) {
        s0 = _mm512_fmadd_ps(s0, factor, term);
        s1 = _mm512_fmadd_ps(s1, factor, term);
        s2 = _mm512_fmadd_ps(s2, factor, term);
        s3 = _mm512_fmadd_ps(s3, factor, term);
        s4 = _mm512_fmadd_ps(s4, factor, term);
        s5 = _mm512_fmadd_ps(s5, factor, term);
        s6 = _mm512_fmadd_ps(s6, factor, term);
        s7 = _mm512_fmadd_ps(s7, factor, term);
        s8 = _mm512_fmadd_ps(s8, factor, term);
        s9 = _mm512_fmadd_ps(s9, factor, term);
        s10 = _mm512_fmadd_ps(s10, factor, term);
        s11 = _mm512_fmadd_ps(s11, factor, term);
        asm volatile(""
                     : "+v"(s0), "+v"(s1), "+v"(s2), "+v"(s3), "+v"(s4), "+v"(s5), "+v"(s6),
                       "+v"(s7), "+v"(s8), "+v"(s9), "+v"(s10), "+v"(s11));
    }
    return static_cast<double>(rounds) * sums * 16 * 2;
}

__attribute__((target("avx2,fma"))) double loop_avx2(long rounds) {
    const __m256 factor = _mm256_set1_ps(0.999f);
    const __m256 term = _mm256_set1_ps(0.001f);
    __m256 s0 = term, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0,
           s9 = s0, s10 = s0, s11 = s0;
    for (long r = 0; r < rounds; ++r) {
        s0 = _mm256_fmadd_ps(s0, factor, term);
        s1 = _mm256_fmadd_ps(s1, factor, term);
        s2 = _mm256_fmadd_ps(s2, factor, term);
        s3 = _mm256_fmadd_ps(s3, factor, term);
        s4 = _mm256_fmadd_ps(s4, factor, term);
        s5 = _mm256_fmadd_ps(s5, factor, term);
        s6 = _mm256_fmadd_ps(s6, factor, term);
        s7 = _mm256_fmadd_ps(s7, factor, term);
        s8 = _mm256_fmadd_ps(s8, factor, term);
        s9 = _mm256_fmadd_ps(s9, factor, term);
        s10 = _mm256_fmadd_ps(s10, factor, term);
        s11 = _mm256_fmadd_ps(s11, factor, term);
        asm volatile(""
                     : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5), "+x"(s6),
                       "+x"(s7), "+x"(s8), "+x"(s9), "+x"(s10), "+x"(s11));
    }
    return static_cast<double>(rounds) * sums * 8 * 2;
}

double loop_baseline(long rounds) {
    const __m128 factor = _mm_set1_ps(0.999f);
    const __m128 term = _mm_set1_ps(0.001f);
    __m128 s0 = term, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0,
           s9 = s0, s10 = s0, s11 = s0;
    for (long r = 0; r < rounds; ++r) {
        s0 = _mm_add_ps(_mm_mul_ps(s0, factor), term);
        s1 = _mm_add_ps(_mm_mul_ps(s1, factor), term);
        s2 = _mm_add_ps(_mm_mul_ps(s2, factor), term);
        s3 = _mm_add_ps(_mm_mul_ps(s3, factor), term);
        s4 = _mm_add_ps(_mm_mul_ps(s4, factor), term);
        s5 = _mm_add_ps(_mm_mul_ps(s5, factor), term);
        s6 = _mm_add_ps(_mm_mul_ps(s6, factor), term);
        s7 = _mm_add_ps(_mm_mul_ps(s7, factor), term);
        s8 = _mm_add_ps(_mm_mul_ps(s8, factor), term);
        s9 = _mm_add_ps(_mm_mul_ps(s9, factor), term);
        s10 = _mm_add_ps(_mm_mul_ps(s10, factor), term);
        s11 = _mm_add_ps(_mm_mul_ps(s11, factor), term);
        asm volatile(""
                     : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5), "+x"(s6),
                       "+x"(s7), "+x"(s8), "+x"(s9), "+x"(s10), "+x"(s11));
    }
    return static_cast<double>(rounds) * sums * 4 * 2;
}

PeakLoop widest_loop() {
    if (__builtin_cpu_supports("avx512f")) return loop_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return loop_avx2;
    return loop_baseline;
}

bool has_bf16_dot_product() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bf16");
}

#else

double loop_baseline(long rounds) {
    float sum[sums]{};
    for (long r = 0; r < rounds; ++r) {
        for (float& each : sum) each = each * 0.999f + 0.001f;
        asm volatile("" : "+m"(sum));
    }
    return static_cast<double>(rounds) * sums * 2;
}

PeakLoop widest_loop() {
    return loop_baseline;
}

bool has_bf16_dot_product() {
    return false;
}

#endif

LoopOrWhyNot bf16_loop() {
    if (!has_bf16_dot_product()) return {nullptr, "this CPU has no AVX512_BF16"};
    return {bf16_dot_product_loop(), "the compiler of this build knows no AVX512_BF16"};
}

LoopOrWhyNot loop_for(Arithmetic arithmetic) {
    switch (arithmetic) {
        case Arithmetic::f32:
            return {widest_loop(), nullptr};
        case Arithmetic::bf16:
            return bf16_loop();
        case Arithmetic::bf16_tiles:
            return bf16_tile_loop();
        case Arithmetic::int8:
            return int8_loop();
        case Arithmetic::int8_tiles:
            return int8_tile_loop();
    }
    return {nullptr, "unknown arithmetic"};
}

/// Makes one run take about 4 ms: a round of vectors takes 6 cycles, a round of tiles 64.
long rounds_for(Arithmetic arithmetic) {
    const bool tiles = arithmetic == Arithmetic::bf16_tiles || arithmetic == Arithmetic::int8_tiles;
    return tiles ? 200'000 : 2'000'000;
}

double time_loop(PeakLoop loop, long rounds, int threads) {
    using Clock = std::chrono::steady_clock;
    constexpr int repeats = 15;
    double best = 0;
    for (int repeat = 0; repeat < repeats; ++repeat) {
        std::atomic<int> waiting{threads};  // makes all threads start at once
        std::vector<Clock::time_point> starts(static_cast<std::size_t>(threads));
        std::vector<Clock::time_point> ends(starts.size());
        std::vector<double> operations(starts.size());
        const auto work = [&](std::size_t index) {
            --waiting;
            while (waiting.load(std::memory_order_acquire) > 0) std::this_thread::yield();
            starts[index] = Clock::now();
            operations[index] = loop(rounds);
            ends[index] = Clock::now();
        };
        std::vector<std::jthread> others;
        for (std::size_t i = 1; i < starts.size(); ++i) others.emplace_back(work, i);
        work(0);
        others.clear();  // waits for the threads
        double done = 0;
        for (const double each : operations) done += each;
        const std::chrono::duration<double> seconds =
            *std::max_element(ends.begin(), ends.end()) -
            *std::min_element(starts.begin(), starts.end());
        best = std::max(best, done / seconds.count() * 1e-9);
    }
    return best;
}

}  // namespace

std::string_view instruction_name(Arithmetic arithmetic) {
    switch (arithmetic) {
        case Arithmetic::f32:
            return "float32 multiply-add";
        case Arithmetic::bf16:
            return "vdpbf16ps (AVX-512)";
        case Arithmetic::bf16_tiles:
            return "tdpbf16ps (AMX tiles)";
        case Arithmetic::int8:
            return "int8 dot product";
        case Arithmetic::int8_tiles:
            return "tdpbusd (AMX tiles)";
    }
    return "unknown";
}

Arithmetic arithmetic_of(Precision precision, std::string_view isa) {
    const bool tiles = isa == "amx";
    if (precision == Precision::int8) return tiles ? Arithmetic::int8_tiles : Arithmetic::int8;
    if (precision == Precision::f32) return Arithmetic::f32;
    return tiles ? Arithmetic::bf16_tiles : Arithmetic::bf16;
}

std::string_view why_no_peak(Arithmetic arithmetic) {
    const LoopOrWhyNot found = loop_for(arithmetic);
    return found.loop == nullptr ? found.why_not : std::string_view();
}

std::optional<double> measure_peak(Arithmetic arithmetic, int threads) {
    const PeakLoop loop = loop_for(arithmetic).loop;
    if (loop == nullptr) return std::nullopt;
    return time_loop(loop, rounds_for(arithmetic), threads);
}

}  // namespace vit::tools
