// A checkpoint read from disk, of any container: named tensors, other entries, and the
// configuration files beside the weights.
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

/// Which of the two sets of weights in a training checkpoint to use. `automatic` prefers the EMA
/// weights, as timm's load_checkpoint does.
enum class EmaChoice { automatic, ema, no_ema };

/// Whether to read the configuration files beside the weights.
enum class Neighbours { read, ignored };

/// An entry among the weights that is not a tensor.
struct OtherEntry {
    std::string name;
    std::string_view kind;  ///< "text", "a list", …
};

struct Checkpoint {
    std::filesystem::path path;                ///< the weights file, or the index of several
    std::vector<std::filesystem::path> files;  ///< all weights files that were read
    std::string container;  ///< "safetensors", "torch zip", "torch before 1.6", "npz"
    /// Names are those in the file, without the parts that wrappers add (without_wrappers).
    std::vector<TensorView> tensors;
    std::vector<OtherEntry> other_entries;  ///< names are changed in the same way
    /// `arch` of a timm training checkpoint, otherwise `model` of its `args`.
    std::optional<std::string> arch;
    std::optional<std::string> config_json;  ///< the text of config.json beside the weights
    /// The text of preprocessor_config.json beside the weights, otherwise of processor_config.json.
    std::optional<std::string> preprocessor_json;
    /// The text of open_clip_config.json beside the weights.
    std::optional<std::string> open_clip_json;
    std::vector<std::string> notes;       ///< what was unwrapped, stripped or left out, and why
    std::shared_ptr<const void> storage;  ///< keeps the tensors' bytes alive
};

/// Reads a checkpoint file (.safetensors, .pth, .pt, .bin, .pth.tar, .npz), an index of several
/// files (.index.json), or a folder that timm or transformers saved. The first bytes of a weights
/// file decide its container, not its name. Tensors are views into the mapped file where its bytes
/// are dense and uncompressed. Executes nothing in a checkpoint. Throws Error(io), Error(format),
/// Error(model), Error(unsupported), Error(memory). Thread-safe.
Checkpoint read_checkpoint(const std::filesystem::path& source,
                           EmaChoice ema = EmaChoice::automatic,
                           Neighbours neighbours = Neighbours::read);

/// The same for the bytes of a file, which must outlive the result. Reads no configuration files.
/// `file` names the bytes in messages; this function escapes it.
Checkpoint parse_checkpoint(std::span<const std::byte> bytes, std::string_view file,
                            EmaChoice ema = EmaChoice::automatic);

}  // namespace vit::inline internal
