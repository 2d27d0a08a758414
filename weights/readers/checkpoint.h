// A checkpoint in memory, the same for every container: named tensors and the files beside them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/tensor.h"

namespace vit::inline internal {

/// Which of a training checkpoint's two sets of weights to take. `automatic` prefers the EMA
/// weights, as timm's load_checkpoint does.
enum class EmaChoice { automatic, ema, no_ema };

/// Whether the configurations beside the weights belong to them.
enum class Neighbours { read, ignored };

/// An entry of the weights that is not a tensor: a text, a list, ….
struct OtherEntry {
    std::string name;
    std::string_view kind;  ///< "text", "a list", …
};

struct Checkpoint {
    std::filesystem::path path;                ///< the weights file itself, or the index of several
    std::vector<std::filesystem::path> files;  ///< all weights files that were read
    std::string container;  ///< "safetensors", "torch zip", "torch before 1.6", "npz"
    /// Named as in the file, without the parts that wrappers add (without_wrappers).
    std::vector<TensorView> tensors;
    std::vector<OtherEntry> other_entries;  ///< named in the same way
    /// `arch` of a timm training checkpoint, or `model` of its `args` where that is missing.
    std::optional<std::string> arch;
    std::optional<std::string> config_json;  ///< text of config.json beside the weights
    /// Text of preprocessor_config.json beside the weights, or of processor_config.json.
    std::optional<std::string> preprocessor_json;
    /// Text of open_clip_config.json beside the weights.
    std::optional<std::string> open_clip_json;
    std::vector<std::string> notes;       ///< what was unwrapped, stripped or left out, and why
    std::shared_ptr<const void> storage;  ///< keeps the tensors' bytes alive
};

/// Reads a checkpoint file (.safetensors, .pth, .pt, .bin, .pth.tar, .npz), an index of several
/// (.index.json), or a folder as timm and transformers save it. The first bytes
/// decide which container it is, never the name. Tensors are views into the mapped file where its
/// bytes are dense and uncompressed. Nothing in a checkpoint is ever executed. Throws Error(io),
/// Error(format), Error(model), Error(unsupported).
Checkpoint read_checkpoint(const std::filesystem::path& source,
                           EmaChoice ema = EmaChoice::automatic,
                           Neighbours neighbours = Neighbours::read);

/// The same for a file's bytes, which must outlive the result. Does not read the files beside it.
/// `file` names the bytes in messages (this function escapes it).
Checkpoint parse_checkpoint(std::span<const std::byte> bytes, std::string_view file,
                            EmaChoice ema = EmaChoice::automatic);

}  // namespace vit::inline internal
