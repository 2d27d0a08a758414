// Weights packed for tiles and stored in a model file are used in place, and only for tiles.
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/model/model_writer.h"
#include "engine/model/weights_digest.h"
#include "tests/unit/executor/same_bits.h"

namespace vit {
namespace {

TEST(PackedTiles, AreUsedInPlaceWhereTheyFit) {
    const ModelConfig config = test::small_config();
    const test::TemporaryModel plain(config), packed(config);
    const ModelFile file = ModelFile::open(plain.path());
    const std::vector<float> image = test::random_images(config, 1);
    for (const test::PlainTileKernels& tiles : test::plain_tile_kernels()) {
        SCOPED_TRACE(tiles.name);
        const KernelSet kernels{tiles.f32, &tiles.bf16};
        const Executor executor(file, config.image_size, kernels, 2, DType::bf16);
        EXPECT_FALSE(executor.model().packed_in_file());
        const std::span<const std::byte> bytes = executor.model().packed();

        ModelHeader header = file.header();
        header.packed_key = executor.model().packed_key();
        std::vector<TensorView> tensors{
            {"packed", DType::u8, {static_cast<std::int64_t>(bytes.size())}, bytes}};
        tensors.insert(tensors.end(), file.tensors().begin(), file.tensors().end());
        header.packed_samples = weights_digest(tensors, DigestOf::samples);
        write_model_file(packed.path(), header, tensors);

        const ModelFile stored = ModelFile::open(packed.path());
        const Executor in_place(stored, config.image_size, kernels, 3, DType::bf16);
        EXPECT_TRUE(in_place.model().packed_in_file());
        EXPECT_EQ(run(in_place, image, 1), run(executor, image, 1));

        const Executor in_f32(stored, config.image_size, {*tables().back()}, 1, DType::f32);
        EXPECT_FALSE(in_f32.model().packed_in_file());
    }
}

}  // namespace
}  // namespace vit
