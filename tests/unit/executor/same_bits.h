// Code that the executor's tests share: all kernels that a model can use here, and the check that
// the bits of results depend only on the kernels.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "engine/executor/executor.h"
#include "engine/kernels/dispatch.h"
#include "tests/support/machine.h"
#include "tests/support/models.h"
#include "tests/support/plain_tiles.h"

namespace vit {

using test::tables;

/// Kernels that a model can use here, and the accuracy of their results against float64.
struct Mode {
    std::string name;
    KernelSet kernels;
    DType precision;
    double tolerance;
};

inline std::vector<Mode> modes() {
    std::vector<Mode> all;
    const std::vector<const kernels::Table*> own = tables();
    for (const kernels::Table* table : tables())
        all.push_back({kernels::isa_name(table->isa), {*table}, DType::f32, 2e-6});
    // The kernels for AVX-512 on CPUs of another maker.
    if (tables().back()->isa >= kernels::Isa::avx512)
        for (const CpuVendor vendor : {CpuVendor::intel, CpuVendor::amd})
            if (const kernels::Table* table = &kernels::avx512_table_of({.vendor = vendor});
                std::ranges::find(own, table) == own.end())
                all.push_back({"avx512_elsewhere", {*table}, DType::f32, 2e-6});
    if (const auto* bf16 = kernels::bf16_table_for(tables().back()->isa))
        all.push_back({"bf16", {*tables().back(), bf16}, DType::bf16, 2e-2});
    // The kernels of the level amx with plain tiles, on any CPU. They are the same at all levels,
    // so they are tested at one level only.
    if (tables().back() == &kernels::choose_table(std::nullopt))
        for (const test::PlainTileKernels& plain : test::plain_tile_kernels())
            all.push_back({plain.name, {plain.f32, &plain.bf16}, DType::bf16, 2e-2});
    return all;
}

/// All results of a batch.
struct Batch {
    std::vector<float> logits, features, tokens;
    bool operator==(const Batch&) const = default;
};

inline Batch run(const Executor& executor, std::span<const float> images, std::int64_t count,
                 bool tokens = true) {
    const Graph& g = executor.built();
    const auto size = [&](ValueId id) {
        return static_cast<std::size_t>(count * g.value(id).rows * g.value(id).cols);
    };
    Batch b{std::vector<float>(size(g.logits)), std::vector<float>(size(g.features)),
            std::vector<float>(size(g.tokens))};
    executor.run({.count = count, .data = images.data()},
                 {b.logits.data(), b.features.data(), tokens ? b.tokens.data() : nullptr});
    return b;
}

/// Runs batches of 1 to `most_images` images on 1 to `most_threads` threads. Each image must give
/// the same result as when it runs alone on one thread.
inline void expect_same_bits(const ModelFile& file, const ModelConfig& config,
                             const std::vector<Mode>& in_modes, int most_threads,
                             std::int64_t most_images = 9) {
    const std::vector<float> images = test::random_images(config, most_images);
    const std::size_t image = images.size() / static_cast<std::size_t>(most_images);
    for (const Mode& s : in_modes) {
        SCOPED_TRACE(s.name);
        const Executor one(file, config.image_size, s.kernels, 1, s.precision);
        std::vector<Batch> expected;
        for (std::int64_t i = 0; i < most_images; ++i)
            expected.push_back(
                run(one, std::span(images).subspan(static_cast<std::size_t>(i) * image, image), 1));
        for (int threads = 1; threads <= most_threads; ++threads) {
            const Executor executor(file, config.image_size, s.kernels, threads, s.precision);
            for (std::int64_t count = 1; count <= most_images; ++count) {
                Batch joined;
                for (std::int64_t i = 0; i < count; ++i) {
                    const Batch& b = expected[static_cast<std::size_t>(i)];
                    joined.logits.insert(joined.logits.end(), b.logits.begin(), b.logits.end());
                    joined.features.insert(joined.features.end(), b.features.begin(),
                                           b.features.end());
                    joined.tokens.insert(joined.tokens.end(), b.tokens.begin(), b.tokens.end());
                }
                ASSERT_EQ(run(executor, images, count), joined)
                    << "threads " << threads << ", batch " << count;
            }
        }
    }
}

/// The logits of one image, computed by threads with these shares.
inline std::vector<float> logits_of(const Graph& graph, PreparedModel& model, const float* image,
                                    std::span<const std::int64_t> parts) {
    Context context(graph, model, Shares(parts));
    context.set_image(image);
    parallel(static_cast<int>(parts.size()), [&](int thread, int) { context.run(thread); });
    context.rethrow_error();
    const Rows rows = context.result(graph.logits);
    return {rows.f32(), rows.f32() + rows.cols};
}

/// With any shares, one image must give the same result as on one thread.
inline void expect_same_bits(const ModelFile& file, const ModelConfig& config,
                             const std::vector<Mode>& in_modes,
                             const std::vector<std::vector<std::int64_t>>& shares) {
    const std::vector<float> image = test::random_images(config, 1);
    for (const Mode& s : in_modes) {
        const Executor executor(file, config.image_size, s.kernels, 1, s.precision);
        const std::vector<float> expected = run(executor, image, 1).logits;
        const Graph graph = executor.optimised({true, true, true});
        PreparedModel model(file, config.image_size, graph, s.kernels, 1);
        for (const std::vector<std::int64_t>& parts : shares)
            EXPECT_EQ(logits_of(graph, model, image.data(), parts), expected)
                << s.name << ' ' << testing::PrintToString(parts);
    }
}

}  // namespace vit
