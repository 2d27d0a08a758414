// Load a model file and run it. Include this one header (it brings the others).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vit/error.h"
#include "vit/image.h"

namespace vit {

/// What linears and attention compute in. bf16: weights and their inputs are bfloat16, sums,
/// softmax, LayerNorm, the residual stream and the head float32.
enum class Precision { f32, bf16 };

/// How a model is prepared when it is loaded.
struct LoadOptions {
    /// Threads that one call may use; 0: usable_threads().
    int threads = 0;
    /// Image height and width; 0: what the model file says. Another size than the position table's
    /// resizes the table (as timm); what is left of the last patch is cut off.
    std::int64_t height = 0;
    std::int64_t width = 0;
    /// None: what the model file was written for, or f32 where that is bf16 and this CPU has no
    /// AVX512_BF16 (ModelInfo::bf16_unavailable). Asking for bf16 without AVX512_BF16 is an
    /// Error(unsupported).
    std::optional<Precision> precision = std::nullopt;
    /// Read the whole file into memory, so that it may be changed or truncated afterwards. It costs
    /// the file's size in memory.
    bool copy_file = false;
};

/// Facts about a loaded model; plain data.
struct ModelInfo {
    std::string architecture;
    std::int64_t height = 0, width = 0, channels = 3;  ///< input
    std::int64_t tokens = 0;                           ///< prefix tokens + patches
    std::int64_t embed_dim = 0;
    std::int64_t features = 0;  ///< length of the pooled vector before the head
    std::int64_t classes = 0;   ///< length of the logits
    std::int64_t parameters = 0;
    double gflop_per_image = 0;  ///< 2 × multiply-adds of the whole graph, nothing skipped
    /// Of these, what a run for logits alone does; the rest is for rows that logits do not need.
    double gflop_executed_per_image = 0;
    std::vector<std::string> labels;  ///< empty, or one per class
    Transform transform;              ///< the model's preprocessing, at the loaded image size
    int threads = 0;
    Precision precision = Precision::f32;
    /// The model file was written for bf16, which this CPU does not have: it runs in f32.
    bool bf16_unavailable = false;
    /// The file's packed weights are used in place; false: there are none, or they were packed for
    /// another machine, oneDNN or precision, or of other tensors than the file has now.
    bool packed_in_file = false;
    std::string isa;  ///< kernel table in use: "baseline", "avx2", "avx512", "amx"
};

struct Prediction {
    std::int64_t index = 0;
    std::string label;  ///< the index as text where the model has no labels
    float probability = 0;
    float logit = 0;
};

/// Where a run writes. Empty spans are not computed (and what only they need is skipped).
/// Row-major, one row per image of the batch.
struct Outputs {
    std::span<float> logits;    ///< [N, classes]
    std::span<float> features;  ///< [N, features]
    std::span<float> tokens;    ///< [N, tokens, embed_dim], after the final norm
};

/// Makes image `index` of a run: writes [channels, height, width] float32, preprocessed. false:
/// there is none, and its rows of the outputs stay as they are.
using FillImage = std::function<bool(std::int64_t index, std::span<float> image)>;

/// Told that the rows of image `index` are written.
using ImageDone = std::function<void(std::int64_t index)>;

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

/// A loaded model. Immutable: every member function is const and may be called from any number of
/// threads at once, with the same result bit for bit as a serial call. Copies share the model.
class Model {
  public:
    /// Maps the file and packs the weights, or uses packed weights of the file in place where they
    /// fit this machine and the file's other tensors (by samples; self_test() compares them whole).
    /// A file whose packed weights are used in place must not be written to or truncated while the
    /// model lives: that changes results or ends the process. Replacing it by rename is fine, and
    /// so is everything with LoadOptions::copy_file. Without packed weights, runs do not read the
    /// file, but self_test() does. Throws Error (io, format, model, usage, unsupported, memory).
    static Model load(const std::filesystem::path& path, const LoadOptions& options = {});

    const ModelInfo& info() const;

    /// `images` [N, channels, height, width] float32, preprocessed. Allocates nothing after the
    /// first call of the same N. Throws Error(usage) on sizes that disagree.
    void run(std::span<const float> images, std::int64_t count, const Outputs& outputs) const;

    /// As run(), but each image is made by the thread that is about to run it: decoding keeps all
    /// cores busy, and memory holds two images a thread, or a few more where
    /// a thread runs several at once. Both functions are called from several
    /// threads at once, `fill` once an index in ascending order. What they throw ends the run after
    /// the images under way, and is rethrown.
    void run_each(std::int64_t count, const Outputs& outputs, const FillImage& fill,
                  const ImageDone& done = {}) const;

    /// The `k` most probable classes, most probable first (ties: lower index first).
    std::vector<Prediction> classify(const Image& image, int k = 5) const;
    std::vector<std::vector<Prediction>> classify(std::span<const Image> images, int k = 5) const;

    /// Top-k of one row of logits [classes], as classify does it.
    std::vector<Prediction> top(std::span<const float> logits, int k) const;

    /// Pooled vector before the head, [features].
    std::vector<float> embed(const Image& image) const;

    /// Runs `count` images as run() does for logits and returns where the time went.
    Profile profile(std::span<const float> images, std::int64_t count) const;

    /// Replays the self-test that the model file carries, and checks its packed weights. Reads the
    /// file again.
    SelfTestResult self_test() const;

    /// The graph after all passes; `dot`: for Graphviz. `built`: before the first pass.
    std::string print_graph(bool dot, bool built = false) const;

    struct Impl;

  private:
    explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<const Impl> impl_;
};

/// Writes the model file `from` to `to` (which may be `from`) with a copy of its weights packed as
/// this machine, its oneDNN and `options` (precision, image size) want them: Model::load then maps
/// and uses them in place. `to` appears whole or not at all. Returns what the weights were packed
/// for: in f32 where the file is for bf16, this CPU has none, and `options` does not ask for it.
/// Throws what Model::load throws, Error(io).
ModelInfo pack_model_file(const std::filesystem::path& from, const std::filesystem::path& to,
                          const LoadOptions& options = {});

/// Cores that this process may use: affinity mask and container (cgroup) quota, at least 1.
int usable_threads();

/// Name and version, "vit 0.1.0".
std::string version();

}  // namespace vit
