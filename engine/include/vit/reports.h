// Profile, self-test and graph of a model, and packing of its weights into the model file.
#pragma once

#include "vit/config.h"
#ifdef VIT_CXX20

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vit/model.h"
#include "vit/quantization_report.h"

namespace vit {

/// One node of the graph in a profiled run.
struct NodeProfile {
    std::string name;
    std::string kind;
    double milliseconds = 0;  ///< thread time: the sum over all threads
    double gflop = 0;         ///< the work that was executed
    double mbytes = 0;        ///< weights and activations that were read and written
};

/// How the threads spent their time in a profiled run. The nodes' times and `waiting_milliseconds`
/// add up to info().threads × `wall_milliseconds`, except for the short time between the nodes.
struct Profile {
    std::vector<NodeProfile> nodes;
    /// Thread time: until the threads start, at barriers, and until the last thread ends.
    double waiting_milliseconds = 0;
    double wall_milliseconds = 0;
};

/// The result of the self-test in a model file.
struct SelfTestResult {
    bool present = false;
    double relative_l2 = 0;
    double tolerance = 0;  ///< f32: the file's tolerance, at most 1e-4; bf16: 3e-2
    bool passed = false;
    /// Whether the file's packed weights, read completely, were packed from its other tensors.
    /// None: the file has no packed weights, or they have no digest and are not used.
    std::optional<bool> packed_fits;
    std::string made_by;
};

/// Runs `count` preprocessed images [count, channels, height, width] for their logits, as
/// Model::run does, and returns how the time was spent. Throws Error(usage) where sizes do not
/// match.
VIT_API Profile profile(const Model& model, std::span<const float> images, std::int64_t count);

/// Runs the self-test that the model file contains, and reads the file again for it. Throws what
/// Model::load throws.
VIT_API SelfTestResult self_test(const Model& model);

/// What int8 costs, as the converter measured it. None: the model file is not of int8, or does not
/// tell.
VIT_API std::optional<QuantizationReport> quantization_report(const Model& model);

/// The images that an int8 model file holds, run again.
struct QuantizationReplay {
    std::vector<double> cosines;   ///< to the results in float that the file holds, by image
    std::vector<double> recorded;  ///< what they were when the file was made
    /// Whether no image is much further from float than it was: 1 − cosine is at most twice as
    /// large as recorded, plus 0.001.
    bool passed = false;
};

/// Runs the images that the model file holds for this purpose, in the model's precision. None: it
/// holds none. Throws what Model::load throws.
VIT_API std::optional<QuantizationReplay> replay_quantization(const Model& model);

/// What a model file tells about itself.
struct FileInfo {
    std::string source;              ///< name of the checkpoint
    std::string sha256;              ///< of the checkpoint; empty where unknown
    std::string converter;           ///< name and version
    std::vector<std::string> notes;  ///< what the converter left out or chose, and why
    std::string stored;              ///< how the weights are stored: "f32", "bf16", "int8"
    std::string self_test;           ///< who computed the self-test; empty: there is none
    std::uint64_t bytes = 0;         ///< of the file
};

VIT_API FileInfo file_info(const Model& model);

/// Returns the graph after all passes as text. `dot`: in the language of Graphviz. `built`: the
/// graph before the first pass.
VIT_API std::string print_graph(const Model& model, bool dot, bool built = false);

/// Writes the model file `from` to `to`, with a copy of its weights packed for this machine, its
/// oneDNN and `options` (precision, image size). `to` may be `from`. Model::load then maps the
/// packed weights and uses them in place. `to` appears whole or not at all. Returns the info of the
/// model that was packed. Throws what Model::load throws, and Error(io).
VIT_API ModelInfo pack_model_file(const std::filesystem::path& from,
                                  const std::filesystem::path& to, const LoadOptions& options = {});

}  // namespace vit

#endif  // VIT_CXX20
