// The bytes of tools/labels/imagenet.txt.gz and tools/labels/imagenet_synsets.txt.
#pragma once

#include <span>

namespace vit::tools {

extern const std::span<const unsigned char> imagenet_data;
extern const std::span<const unsigned char> imagenet_synsets;

}  // namespace vit::tools
