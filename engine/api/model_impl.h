// The implementation of Model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "engine/executor/executor.h"
#include "engine/kernels/dispatch.h"
#include "engine/model/model_file.h"
#include "vit/model.h"

namespace vit {

struct Model::Impl {
    ModelFile file;
    ImageSize size;
    Executor executor;
    ModelInfo info;

    /// Throws what Model::load throws.
    Impl(ModelFile opened, const LoadOptions& options, const kernels::Table& table);

    /// Throws Error(usage) where sizes do not match.
    ResultPointers result_pointers(std::int64_t count, const Outputs& outputs) const;
    /// Throws Error(usage) where `images` does not have the length of `count` images.
    void expect_images(std::span<const float> images, std::int64_t count) const;
    /// The number of floats in one image.
    std::size_t image_floats() const {
        return static_cast<std::size_t>(info.channels * info.height * info.width);
    }

  private:
    void describe(int threads);
};

}  // namespace vit
