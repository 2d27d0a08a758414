// Names of ImageNet's classes, for checkpoints without class names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vit::tools {

struct ImageNetLabels {
    std::string_view subset;  ///< timm's name of the subset: "imagenet-1k", "imagenet-12k", …
    std::vector<std::string> names;
};

/// The subset of ImageNet that timm derives from this number of classes, with the names of timm's
/// ImageNetInfo.index_to_description. Empty for any other number.
std::optional<ImageNetLabels> imagenet_labels(std::int64_t num_classes);

}  // namespace vit::tools
