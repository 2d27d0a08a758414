// Load a model file and run it. Include this one header (it brings the others).
#pragma once

#include "vit/config.h"
#ifdef VIT_CXX20

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
    std::int64_t prefix_tokens =
        0;  ///< class token, distillation token, registers: they come first
    std::int64_t patch_height = 0, patch_width = 0;  ///< pixels
    std::int64_t grid_rows = 0, grid_columns = 0;    ///< patches; rows follow each other in tokens
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

/// Called when the rows of image `index` are written.
using ImageDone = std::function<void(std::int64_t index)>;

/// How embed() makes vectors.
struct EmbedOptions {
    bool normalize = false;  ///< to length 1 (L2), as cosine search wants it; zeros stay zeros
    std::optional<Transform> transform = std::nullopt;  ///< instead of the model's
};

/// A loaded model. Immutable: every member function is const and may be called from any number of
/// threads at once, with the same result bit for bit as a serial call. Copies share the model.
/// Every function throws Error and nothing else, but for what the caller's own functions throw.
///
/// Threads. A call runs on the calling thread and on info().threads - 1 others of an OpenMP pool
/// that belongs to the calling thread, so that C callers at once use C × info().threads threads:
/// load with fewer threads where many callers are expected. OpenMP may give fewer (calls inside of
/// a parallel region or of another model's `fill`, OMP_THREAD_LIMIT, OMP_DYNAMIC): the work is then
/// split over these, with the same bits. Idle threads of the pool spin for a few milliseconds
/// (GNU's OpenMP; OMP_WAIT_POLICY changes it), then sleep. A child process after fork() may use a
/// model of its parent; each call then starts its threads anew.
class VIT_API Model {
  public:
    /// Maps the file, reads small tensors, and packs the weights, or uses in place those that the
    /// file holds packed. The file stays mapped while a copy of the model lives: without
    /// LoadOptions::copy_file it must not be overwritten in place or truncated meanwhile (replacing
    /// it by another file of the same name is safe). Throws Error (io, format, model, usage,
    /// unsupported, memory).
    static Model load(const std::filesystem::path& path, const LoadOptions& options = {});

    const ModelInfo& info() const;

    /// `images` [N, channels, height, width] float32, preprocessed. Allocates nothing after the
    /// first call of the same N. Throws Error(usage) on sizes that disagree.
    void run(std::span<const float> images, std::int64_t count, const Outputs& outputs) const;

    /// As run(), but each image is made by the thread that is about to run it: decoding keeps all
    /// cores busy, and memory holds two images a thread, or a few more where a thread runs several
    /// at once. Both functions are called from several threads at once, `fill` once for each index
    /// in ascending order. What they throw ends the run after the images under way, and is rethrown
    /// unchanged: so a call is cancelled.
    void run_each(std::int64_t count, const Outputs& outputs, const FillImage& fill,
                  const ImageDone& done = {}) const;

    /// The `k` most probable classes of an image, most probable first (ties: lower index first).
    /// `transform` replaces the model's; its size must be the model's. Throws Error(usage,
    /// unsupported for a model that does not take 3 channels).
    std::vector<Prediction> classify(const ImageView& image, int k = 5,
                                     const std::optional<Transform>& transform = {}) const;
    /// One result for each image.
    std::vector<std::vector<Prediction>> classify(
        std::span<const ImageView> images, int k = 5,
        const std::optional<Transform>& transform = {}) const;
    std::vector<std::vector<Prediction>> classify(
        std::span<const Image> images, int k = 5,
        const std::optional<Transform>& transform = {}) const;
    /// Of preprocessed images [count, channels, height, width].
    std::vector<std::vector<Prediction>> classify(std::span<const float> images, std::int64_t count,
                                                  int k = 5) const;

    /// Top-k of one row of logits [classes], as classify() does it.
    std::vector<Prediction> top(std::span<const float> logits, int k) const;

    /// The pooled vector before the head, [features].
    std::vector<float> embed(const ImageView& image, const EmbedOptions& options = {}) const;
    /// [N, features], row-major.
    std::vector<float> embed(std::span<const ImageView> images,
                             const EmbedOptions& options = {}) const;
    std::vector<float> embed(std::span<const Image> images, const EmbedOptions& options = {}) const;

    /// Frees the activations' memory that is kept for later calls and that no call uses now. It is
    /// at most what three images a thread need, for as many calls as there were at once. The next
    /// calls allocate again.
    void trim() const noexcept;

    struct VIT_HIDDEN Impl;
    /// For the library itself (vit/reports.h).
    const Impl& impl() const { return *impl_; }

  private:
    explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<const Impl> impl_;
};

/// Cores that this process may use: affinity mask and container (cgroup) quota, at least 1.
VIT_API int usable_threads();

/// Name and version, "vit 0.1.0".
VIT_API std::string version();

}  // namespace vit

#endif  // VIT_CXX20
