#pragma once

#include "weights/mappings/convert.h"

namespace vit::tools {

/// Makes it a bf16 model: the weights that such a model stores as bfloat16 are rounded to nearest
/// even. Throws Error(model) naming a tensor with a value that bfloat16 cannot hold.
void round_weights(Converted& model);

}  // namespace vit::tools
