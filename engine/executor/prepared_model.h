// What all runs of a model share: its weights, packed for this machine.
#pragma once

#include <map>
#include <span>
#include <string>
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

/// On oneDNN's primitives, or on tiles.
using AnyLinear = std::variant<Linear, FusedLinear<float>, FusedLinear<kernels::BFloat16>>;

/// Weights of one image size, packed once for every graph that the passes make of the model.
class PreparedModel {
  public:
    /// Packs what `graph`'s nodes need, on `threads` threads, releasing the file's pages as it
    /// goes; or uses what the file holds packed, where it was packed for the same layouts. `graph`
    /// must hold every Linear and Embed that a later bind() names.
    PreparedModel(const ModelFile& file, ImageSize image_size, const Graph& graph,
                  const KernelSet& kernels, int threads);

    const KernelSet& kernels() const { return kernels_; }
    const WeightMap& weights() const { return weights_; }
    /// The packed linear of the node that uses this weight. Preparing it for more row counts is for
    /// one thread at a time.
    AnyLinear& linear(const std::string& weight) { return linears_.at(weight); }
    /// What Embed adds to each row: positions, and prefix tokens where there are no patches;
    /// [tokens, row_stride(D)].
    std::span<const float> embed_table() const { return embed_table_; }

    /// All packed linears, and the key that says what they were packed for.
    std::span<const std::byte> packed() const { return packed_; }
    const std::string& packed_key() const { return key_; }
    bool packed_in_file() const { return own_packed_.data() == nullptr && !packed_.empty(); }

  private:
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
