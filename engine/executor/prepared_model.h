// What all runs of a model share: its weights, packed for this machine.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/executor/step.h"
#include "engine/graph/graph.h"
#include "engine/graph/weights.h"
#include "engine/model/model_file.h"
#include "engine/ops/fused_linear.h"
#include "engine/ops/linear.h"

namespace vit::inline internal {

/// A linear that runs on oneDNN, or on our own kernels in float32, bfloat16 or int8.
using AnyLinear =
    std::variant<Linear, FusedLinear<float>, FusedLinear<kernels::BFloat16>, Int8Linear>;

/// Weights for one image size, packed once for every graph of the model.
class PreparedModel {
  public:
    /// Packs the weights that `graph` needs, on `threads` threads, and releases the file's pages
    /// while it does. Where the file holds weights that are packed in the same layouts, it uses
    /// those. `graph` must contain every Linear and Embed that is bound later.
    PreparedModel(const ModelFile& file, ImageSize image_size, const Graph& graph,
                  const KernelSet& kernels, int threads);
    /// The same for weights that are in memory.
    PreparedModel(WeightMap weights, const Graph& graph, const KernelSet& kernels, int threads)
        : PreparedModel(std::move(weights), nullptr, graph, kernels, threads) {}

    const KernelSet& kernels() const { return kernels_; }
    const WeightMap& weights() const { return weights_; }
    /// The packed linear of the node that uses this weight. Only one thread at a time may prepare
    /// it for more row counts.
    AnyLinear& linear(const std::string& weight) { return linears_.at(weight); }
    /// What Embed adds to each row: the positions, and in the rows before the patches the prefix
    /// tokens; [tokens, row_stride(D)].
    std::span<const float> embed_table() const { return embed_table_; }

    /// All packed linears, and a key that describes what they were packed for.
    std::span<const std::byte> packed() const { return packed_; }
    const std::string& packed_key() const { return key_; }
    bool packed_in_file() const { return own_packed_.data() == nullptr && !packed_.empty(); }

  private:
    /// `file` may be nullptr.
    PreparedModel(WeightMap weights, const ModelFile* file, const Graph& graph,
                  const KernelSet& kernels, int threads);
    void make_embed_table(const op::Embed& embed, Value shape);

    KernelSet kernels_;
    WeightMap weights_;
    std::map<std::string, AnyLinear> linears_;
    std::string key_;
    AlignedBuffer own_packed_;
    std::span<const std::byte> packed_;
    std::vector<float> embed_table_;
};

}  // namespace vit::inline internal
