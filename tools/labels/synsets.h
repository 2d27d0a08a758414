// The WordNet numbers of ImageNet's classes, after which folders of images are named.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vit::tools {

/// The class of ImageNet-1k that a WordNet number such as "n01440764" means. Empty where
/// ImageNet-1k does not have it.
std::optional<std::int64_t> imagenet_synset_class(std::string_view synset);

}  // namespace vit::tools
