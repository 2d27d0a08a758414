#pragma once

#include "weights/mappings/convert.h"

namespace vit::tools {

/// Turns the model into a bf16 model. Rounds the weights that such a model stores as bfloat16 to
/// nearest even. Throws Error(model) that names a tensor with a value that bfloat16 cannot hold.
void round_weights(Converted& model);

}  // namespace vit::tools
