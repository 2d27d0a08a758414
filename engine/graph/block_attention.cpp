#include "engine/graph/block_attention.h"

#include <algorithm>

namespace vit::inline internal {

std::vector<BlockAttention> attentions_of_block(const Graph& built, std::int64_t block) {
    const std::string prefix = "blocks." + std::to_string(block) + ".";
    std::vector<BlockAttention> found;
    std::vector<ValueId> outputs;  // of the softmaxes in `found`
    for (const Node& node : built.nodes) {
        if (!node.name.starts_with(prefix)) continue;
        if (const auto* a = std::get_if<op::Attention>(&node.op)) {
            found.push_back(
                {{node.inputs[0], node.inputs[1], a->heads, a->head_dim, a->scale}, {}, {}});
            outputs.push_back(node.output);
        } else if (const auto* difference = std::get_if<op::SubtractScaled>(&node.op)) {
            const auto index_of = [&](ValueId id) {
                return std::ranges::find(outputs, id) - outputs.begin();
            };
            const auto first = index_of(node.inputs[0]), second = index_of(node.inputs[1]);
            BlockAttention& whole = found[static_cast<std::size_t>(first)];
            whole.subtracted = found[static_cast<std::size_t>(second)].softmax;
            whole.factor = difference->factor;
            found.erase(found.begin() + second);
            outputs.erase(outputs.begin() + second);
        }
    }
    return found;
}

}  // namespace vit::inline internal
