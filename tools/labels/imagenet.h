// Names of ImageNet's classes, for checkpoints that bring none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vit::tools {

struct ImageNetLabels {
    std::string_view subset;  ///< as timm calls it: "imagenet-1k", "imagenet-12k", …
    std::vector<std::string> names;
};

/// The subset of ImageNet that timm infers from this number of classes, and its names as timm's
/// ImageNetInfo.index_to_description gives them; nothing for any other number.
std::optional<ImageNetLabels> imagenet_labels(std::int64_t num_classes);

}  // namespace vit::tools
