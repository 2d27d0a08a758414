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
#include "vit/quantization_report.h"

namespace vit::inline internal {

/// Everything in a model file except the tensors.
struct ModelHeader {
    ModelConfig config;
    /// f32, bf16 or i8. The model runs in this precision unless the caller chooses another. bf16:
    /// the weights of patch embedding and blocks are bfloat16. i8: the weights of the linears of
    /// blocks are int8 with one scale per output.
    DType dtype = DType::f32;
    /// The linears of blocks that stay float32 although `dtype` is i8: "blocks.0.attn.q", sorted.
    std::vector<std::string> float_linears;
    Preprocessing preprocessing;
    std::vector<std::string> labels;  ///< empty, or one per class
    std::optional<SelfTest> self_test;
    std::optional<QuantizationReport> quantization;  ///< only where `dtype` is i8
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

}  // namespace vit::inline internal
