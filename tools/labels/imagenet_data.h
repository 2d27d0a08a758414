// The bytes of tools/labels/imagenet.txt.gz.
#pragma once

#include <span>

namespace vit::tools {

extern const std::span<const unsigned char> imagenet_data;

}  // namespace vit::tools
