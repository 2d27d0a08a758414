// tools/labels/imagenet.txt.gz, compiled in.
#pragma once

#include <span>

namespace vit::tools {

extern const std::span<const unsigned char> imagenet_data;

}  // namespace vit::tools
