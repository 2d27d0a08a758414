// A checkpoint as read from disk, whatever its container: named tensors and what stood beside them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weights/model_file/tensor.h"

namespace vit {

/// Which of a training checkpoint's two sets of weights to take.
enum class EmaChoice { automatic, ema, no_ema };

struct Checkpoint {
    std::filesystem::path path;      ///< the weights file itself
    std::string container;           ///< "safetensors", "torch zip", "npz"
    std::vector<TensorView> tensors; ///< names as in the file, prefixes `module.`, `_orig_mod.` stripped
    std::optional<std::string> arch; ///< `arch` of a timm training checkpoint
    std::optional<std::string> config_json;  ///< text of config.json beside the weights
    std::vector<std::string> notes;  ///< what was unwrapped, stripped or left out, and why
    std::shared_ptr<const void> storage;  ///< keeps the tensors' bytes alive
};

/// Reads a checkpoint file (.safetensors, .pth, .pt, .bin, .pth.tar, .npz) or a folder in timm's
/// local-dir form. The container is told by the first bytes, never by the name.
/// Throws Error(io), Error(format), Error(model).
Checkpoint read_checkpoint(const std::filesystem::path& source, EmaChoice ema = EmaChoice::automatic);

}  // namespace vit
