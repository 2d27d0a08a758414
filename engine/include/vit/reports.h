// What a model is and does: profile, self-test, graph; and packing its weights into its file.
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

namespace vit {

/// One node of the executed graph in a profiled run.
struct NodeProfile {
    std::string name;
    std::string kind;
    double milliseconds = 0;  ///< thread time: what all threads spent in it, added up
    double gflop = 0;         ///< work really done
    double mbytes = 0;        ///< weights and activations read and written
};

/// Where the threads' time in a profiled run went: the nodes' times and `waiting` add up to
/// info().threads × `wall`, but for the little that lies between the nodes.
struct Profile {
    std::vector<NodeProfile> nodes;
    double waiting_milliseconds = 0;  ///< thread time: to start, at barriers, for the last to end
    double wall_milliseconds = 0;
};

/// How a model file's self-test went here.
struct SelfTestResult {
    bool present = false;
    double relative_l2 = 0;
    double tolerance = 0;  ///< the file's, at most 1e-4, in f32; 3e-2 in bf16
    bool passed = false;
    /// The file's packed weights, read whole, were made of its other tensors. None: it has none, or
    /// none with a digest, which are not used.
    std::optional<bool> packed_fits;
    std::string made_by;
};

/// Runs `count` preprocessed images [count, channels, height, width] as Model::run does for logits,
/// and returns where the time went. Throws Error(usage) on sizes that disagree.
VIT_API Profile profile(const Model& model, std::span<const float> images, std::int64_t count);

/// Replays the self-test that the model file carries. Reads the file again. Throws what Model::load
/// throws.
VIT_API SelfTestResult self_test(const Model& model);

/// The graph after all passes as text; `dot`: for Graphviz. `built`: before the first pass.
VIT_API std::string print_graph(const Model& model, bool dot, bool built = false);

/// Writes the model file `from` to `to` (which may be `from`) with a copy of its weights packed as
/// this machine, its oneDNN and `options` (precision, image size) want them: Model::load then maps
/// and uses them in place. `to` appears whole or not at all. Returns the info of the model that was
/// packed. Throws what Model::load throws, Error(io).
VIT_API ModelInfo pack_model_file(const std::filesystem::path& from,
                                  const std::filesystem::path& to, const LoadOptions& options = {});

}  // namespace vit

#endif  // VIT_CXX20
