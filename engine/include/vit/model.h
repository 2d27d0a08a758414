// Loads a model file and runs it. Include only this header; it includes the others.
#pragma once

#include "vit/config.h"
#ifdef VIT_CXX20

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vit/error.h"
#include "vit/fill_image.h"
#include "vit/image.h"

namespace vit {

/// The number type of linears and attention. bf16: weights and the values they are multiplied with
/// are bfloat16; sums, softmax, LayerNorm, the residual stream and the head are float32.
enum class Precision { f32, bf16, int8 };

/// How a model is loaded.
struct LoadOptions {
    /// The number of threads that one call may use; 0: usable_threads().
    int threads = 0;
    /// Image height and width; 0: the values in the model file. Where the size differs from the
    /// position table's, the table is resized as timm does it. Pixels beyond the last whole patch
    /// are ignored.
    std::int64_t height = 0;
    std::int64_t width = 0;
    /// None: the precision that the model file was written for. If that is bf16 and this CPU has no
    /// AVX512_BF16, the model runs in f32 (ModelInfo::bf16_unavailable). An explicit bf16 without
    /// AVX512_BF16 is an Error(unsupported), and so is int8 for a file without int8 weights. int8
    /// runs on every CPU; what is not int8 then runs in bf16 where the CPU has it, or else in f32.
    std::optional<Precision> precision = std::nullopt;
    /// Reads the whole file into memory, so that the file may be changed or truncated afterwards.
    /// Needs as much memory as the file is long.
    bool copy_file = false;
};

/// Facts about a loaded model; plain data.
struct ModelInfo {
    std::string architecture;
    std::int64_t height = 0, width = 0, channels = 3;  ///< input
    std::int64_t tokens = 0;                           ///< prefix tokens + patches
    std::int64_t prefix_tokens =
        /// class token, distillation token, registers; they come before the patches
        0;
    std::int64_t patch_height = 0, patch_width = 0;  ///< pixels
    /// Numbers of patches. The tokens contain the grid row by row.
    std::int64_t grid_rows = 0, grid_columns = 0;
    std::int64_t embed_dim = 0;
    std::int64_t features = 0;  ///< length of the pooled vector before the head
    std::int64_t classes = 0;   ///< length of the logits
    bool classifies = true;     ///< false: the model has no classes; the logits are the features
    std::int64_t parameters = 0;
    double gflop_per_image = 0;  ///< 2 × multiply-adds of the whole graph, with nothing skipped
    /// The part of it that a run for logits does. Rows that the logits do not need are skipped.
    double gflop_executed_per_image = 0;
    std::vector<std::string> labels;  ///< empty, or one per class
    /// The linears of the blocks that stay in float in an int8 model, in the order of their names.
    std::vector<std::string> float_linears;
    Transform transform;  ///< the model's preprocessing, at the loaded image size
    int threads = 0;
    Precision precision = Precision::f32;
    /// The model file was written for bf16, which this CPU does not support. The model runs in f32.
    bool bf16_unavailable = false;
    /// The file's packed weights are used in place. false: the file has none, or they were packed
    /// for another machine, oneDNN or precision, or from tensors that have changed since.
    bool packed_in_file = false;
    std::string isa;  ///< the kernels in use: "baseline", "avx2", "avx512", "amx"
};

struct Prediction {
    std::int64_t index = 0;
    std::string label;  ///< the index as text where the model has no labels
    float probability = 0;
    float logit = 0;
};

/// Where a run writes its results. A result whose span is empty is not computed. Row-major, one row
/// per image of the batch.
struct Outputs {
    std::span<float> logits;    ///< [N, classes]
    std::span<float> features;  ///< [N, features]
    std::span<float> tokens;    ///< [N, tokens, embed_dim], after the final norm
};

/// Options of embed().
struct EmbedOptions {
    /// Scale each vector to length 1 (L2), as cosine search needs it. A zero vector stays zero.
    bool normalize = false;
    std::optional<Transform> transform = std::nullopt;  ///< instead of the model's
};

/// A loaded model. It is immutable: every member function is const. Any number of threads may call
/// them at the same time, and each result has the same bits as in a serial call. Copies share the
/// model. Every function throws only Error, except for what the caller's own functions throw.
///
/// Threads. A call runs on the calling thread and on info().threads - 1 other threads. They come
/// from an OpenMP pool that belongs to the calling thread, so C concurrent callers use C ×
/// info().threads threads. Load the model with fewer threads where you expect many callers. OpenMP
/// may give fewer threads (inside a parallel region, inside another model's `fill`, or because of
/// OMP_THREAD_LIMIT or OMP_DYNAMIC). The work is then split over these threads, and the results
/// have the same bits. Idle threads of the pool spin for a few milliseconds (with GNU's OpenMP;
/// OMP_WAIT_POLICY changes it), then sleep. A child process after fork() may use a model of its
/// parent; each of its calls then starts new threads.
class VIT_API Model {
  public:
    /// Maps the file, reads small tensors, and packs the weights. Where the file holds packed
    /// weights, it uses them in place. The file stays mapped while a copy of the model exists. In
    /// that time it must not be overwritten in place or truncated, except with
    /// LoadOptions::copy_file. Replacing it by another file of the same name is safe. Throws Error
    /// (io, format, model, usage, unsupported, memory).
    static Model load(const std::filesystem::path& path, const LoadOptions& options = {});

    const ModelInfo& info() const;

    /// Runs `images` [N, channels, height, width] float32, preprocessed. After the first call with
    /// an N, further calls with that N allocate nothing. Throws Error(usage) where sizes do not
    /// match.
    void run(std::span<const float> images, std::int64_t count, const Outputs& outputs) const;

    /// The same as run(), but the thread that is about to run an image calls `fill` for it. So
    /// decoding keeps all cores busy. Memory holds two images per thread, or a few more where a
    /// thread runs several images at once. Both functions are called from several threads at the
    /// same time; `fill` is called once for each index, in ascending order. If one of them throws,
    /// the images that have started are finished, the run ends, and the exception is rethrown
    /// unchanged. A caller can cancel a run that way.
    void run_each(std::int64_t count, const Outputs& outputs, const FillImage& fill,
                  const ImageDone& done = {}) const;

    /// Returns the `k` most probable classes of an image, the most probable first. Of equal logits
    /// the lower index comes first. `transform` replaces the model's transform and must have the
    /// model's image size. Throws Error(usage), and Error(unsupported) for a model that does not
    /// take 3 channels.
    std::vector<Prediction> classify(const ImageView& image, int k = 5,
                                     const std::optional<Transform>& transform = {}) const;
    /// Returns one result for each image.
    std::vector<std::vector<Prediction>> classify(
        std::span<const ImageView> images, int k = 5,
        const std::optional<Transform>& transform = {}) const;
    std::vector<std::vector<Prediction>> classify(
        std::span<const Image> images, int k = 5,
        const std::optional<Transform>& transform = {}) const;
    /// The same for preprocessed images [count, channels, height, width].
    std::vector<std::vector<Prediction>> classify(std::span<const float> images, std::int64_t count,
                                                  int k = 5) const;

    /// The same for one row of logits [classes].
    std::vector<Prediction> top(std::span<const float> logits, int k) const;

    /// Returns the pooled vector before the head, [features].
    std::vector<float> embed(const ImageView& image, const EmbedOptions& options = {}) const;
    /// Returns [N, features], row-major.
    std::vector<float> embed(std::span<const ImageView> images,
                             const EmbedOptions& options = {}) const;
    std::vector<float> embed(std::span<const Image> images, const EmbedOptions& options = {}) const;

    /// Frees the activation memory that is kept for later calls and that no call uses now. The
    /// model keeps at most three images' activations per thread for each of the calls that ran at
    /// the same time. Later calls allocate again.
    void trim() const noexcept;

    struct VIT_HIDDEN Impl;
    /// Used by the library itself (vit/reports.h).
    const Impl& impl() const { return *impl_; }

  private:
    explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<const Impl> impl_;
};

/// The number of cores that this process may use, from its affinity mask and its container's
/// (cgroup) quota; at least 1.
VIT_API int usable_threads();

/// Name and version: "vit 0.1.0".
VIT_API std::string version();

}  // namespace vit

#endif  // VIT_CXX20
