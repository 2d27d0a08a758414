// The page of --report.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tools/page/image_page.h"
#include "tools/vit-infer/options.h"
#include "tools/vit-infer/records.h"
#include "vit/model.h"

namespace vit::infer {

/// What the page shows of an image besides its record.
struct Portrait {
    std::vector<std::byte> thumbnail;     ///< a JPEG file
    std::vector<std::uint8_t> attention;  ///< empty where the model reads no class token
};

/// Of a preprocessed image [channels, height, width]. Thread-safe.
Portrait portrait_of(const Model& model, const Transform& transform, std::span<const float> pixels);

tools::PageFacts page_facts(const Options& options, const Model& model);

/// `truth`: the index of the true class, where it is known.
tools::PageImage page_image(const Record& record, Portrait portrait,
                            std::optional<std::int64_t> truth, const ModelInfo& info);

}  // namespace vit::infer
