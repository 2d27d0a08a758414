// The .vit model file: a safetensors container whose metadata holds the rest as JSON
// (docs/model-file.md). Reading maps the file, or copies it whole.
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

/// Everything in a model file but the tensors.
struct ModelHeader {
    ModelConfig config;
    /// f32, or bf16: the weights of patch embedding and blocks are bfloat16, and this is the
    /// precision to run in where nobody asks for another.
    DType dtype = DType::f32;
    Preprocessing preprocessing;
    std::vector<std::string> labels;  ///< empty, or one per class
    std::optional<SelfTest> self_test;
    /// What the tensor `packed` was made for; empty: there is none.
    std::string packed_key;
    /// weights_digest() of the tensors with `packed`, which is used only where `packed_samples`
    /// still fits them.
    std::string packed_digest, packed_samples;
    Provenance provenance;
};

/// An opened model file. Immutable; any number of threads may read it.
class ModelFile {
  public:
    /// Throws Error(io) when the file cannot be read, Error(format) when its bytes are malformed,
    /// Error(model) when the header's numbers or the tensors' names and shapes disagree.
    static ModelFile open(const std::filesystem::path& path, Reading reading = Reading::mapped);

    ModelFile(ModelFile&&) noexcept;
    ModelFile& operator=(ModelFile&&) noexcept;
    ~ModelFile();

    const std::filesystem::path& path() const;
    const ModelHeader& header() const;
    const std::vector<TensorView>& tensors() const;
    /// nullptr when there is no such tensor.
    const TensorView* find(std::string_view name) const;
    /// Throws Error(model) naming file and tensor.
    const TensorView& get(std::string_view name) const;

    /// The tensor `packed` where it was made for `key`, of the tensors beside it as far as samples
    /// tell, and is aligned to 64 bytes; else nullptr.
    const TensorView* packed(std::string_view key) const;
    /// Whether `packed` was made of the tensors beside it, and is whole: reads the whole file.
    bool packed_fits() const;

    /// Tells the kernel that the tensor's pages will not be read again soon, so that they stop
    /// counting as this process's memory. The bytes stay readable.
    void release(const TensorView& tensor) const;

  private:
    struct Impl;
    explicit ModelFile(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace vit::inline internal
