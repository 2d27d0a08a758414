// The .vit model file: a safetensors container. Everything except the tensors is JSON in its
// metadata (docs/model-file.md). The file is mapped, or copied as a whole.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/mapped_file.h"
#include "engine/model/model_config.h"
#include "engine/model/tensor.h"

namespace vit::inline internal {

/// Everything in a model file except the tensors.
struct ModelHeader {
    ModelConfig config;
    /// f32 or bf16. bf16: the weights of patch embedding and blocks are bfloat16, and the model
    /// runs in bf16 unless the caller chooses another precision.
    DType dtype = DType::f32;
    Preprocessing preprocessing;
    std::vector<std::string> labels;  ///< empty, or one per class
    std::optional<SelfTest> self_test;
    /// What the tensor `packed` was packed for; empty: there is no such tensor.
    std::string packed_key;
    /// weights_digest() of all tensors, `packed` included. `packed` is used only where
    /// `packed_samples` matches the tensors.
    std::string packed_digest, packed_samples;
    Provenance provenance;
};

/// An opened model file. It is immutable. Any number of threads may read it.
class ModelFile {
  public:
    /// Throws Error(io) where the file cannot be read, Error(format) where its bytes are malformed,
    /// and Error(model) where the header's numbers contradict the names or shapes of the tensors.
    static ModelFile open(const std::filesystem::path& path, Reading reading = Reading::mapped);

    ModelFile(ModelFile&&) noexcept;
    ModelFile& operator=(ModelFile&&) noexcept;
    ~ModelFile();

    const std::filesystem::path& path() const;
    const ModelHeader& header() const;
    const std::vector<TensorView>& tensors() const;
    /// nullptr where there is no such tensor.
    const TensorView* find(std::string_view name) const;
    /// Throws Error(model) with the names of file and tensor.
    const TensorView& get(std::string_view name) const;

    /// The tensor `packed`, or nullptr. It is returned where it was packed for `key`, is aligned to
    /// 64 bytes, and its samples and those of the other tensors match the stored digest.
    const TensorView* packed(std::string_view key) const;
    /// Whether `packed` is complete and was packed from the file's other tensors. Reads the whole
    /// file.
    bool packed_fits() const;

    /// Tells the kernel that the tensor's pages will not be read again soon. They then no longer
    /// count as this process's memory. The bytes stay readable.
    void release(const TensorView& tensor) const;

  private:
    struct Impl;
    explicit ModelFile(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Writes header and tensors to `path`, through a temporary file in the same folder, fsync and
/// rename. After an error the old file, or none, is there. The tensors must be exactly those that
/// the header requires, with `packed` first, so that it is aligned. They are written in the given
/// order without gaps. The first one starts at a multiple of 64 bytes. So every tensor is 4-byte
/// aligned, and 64-byte aligned where the sizes before it are multiples of 64 bytes. Throws
/// Error(io), Error(model).
void write_model_file(const std::filesystem::path& path, const ModelHeader& header,
                      const std::vector<TensorView>& tensors);

/// Names and shapes of the tensors that `config` needs, in canonical order. The converter, the
/// check of model files and the graph builder all use this list.
struct TensorSpec {
    std::string name;
    Shape shape;
};
std::vector<TensorSpec> required_tensors(const ModelConfig& config);

/// The element type in which a model of precision `model` stores the tensor: bf16 for weights that
/// are multiplied in bf16 (matrices of patch embedding and blocks), otherwise f32.
DType stored_dtype(const TensorSpec& tensor, DType model);

/// Throws Error(model) with the name of the first invalid number (zero, negative, too large, a
/// patch larger than the image, …).
void validate(const ModelConfig& config);

}  // namespace vit::inline internal
