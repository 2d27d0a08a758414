#include "engine/executor/prepared_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "engine/base/rounding.h"
#include "engine/base/text.h"
#include "engine/base/threads.h"
#include "engine/model/model_tensors.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

/// One linear to pack: the names of its tensors, and where the packed bytes go.
struct Packing {
    AnyLinear* linear;
    std::string weight, bias, out_scale;
    std::size_t offset;
};

/// The kernels rely on these limits.
void check_numbers(const TensorView& weight) {
    const std::span numbers(reinterpret_cast<const std::int8_t*>(weight.data.data()),
                            weight.data.size());
    const auto in = static_cast<std::size_t>(weight.shape[1]);
    int largest = 0, largest_pair = 0;
    for (std::size_t row = 0; row < numbers.size(); row += in)
        for (std::size_t i = 0; i < in; i += 2) {
            const int first = std::abs(numbers[row + i]),
                      second = i + 1 < in ? std::abs(numbers[row + i + 1]) : 0;
            largest = std::max({largest, first, second});
            largest_pair = std::max(largest_pair, first + second);
        }
    if (largest > 127)
        throw Error(ErrorKind::model, fmt::format("tensor {}: expected numbers from -127 to 127, "
                                                  "found -128; convert the checkpoint again",
                                                  in_quotes(weight.name)));
    if (largest_pair > int8_pair_limit)
        throw Error(ErrorKind::model,
                    fmt::format("tensor {}: expected neighbouring numbers whose magnitudes add up "
                                "to at most {}, found {}; convert the checkpoint again",
                                in_quotes(weight.name), int8_pair_limit, largest_pair));
}

/// A text that differs where packed bytes differ for a reason other than the weights.
std::string key_of(const std::vector<Packing>& packings) {
    std::uint64_t hash = 0;
    for (const Packing& p : packings)
        hash = (hash ^ std::visit([](const auto& l) { return l.layout(); }, *p.linear) ^
                (p.out_scale.empty() ? 0 : std::uint64_t{0x9e3779b97f4a7c15})) *
               0x100000001b3;
    return onednn::library_key() + ", " + std::to_string(packings.size()) + " layouts " +
           std::to_string(hash);
}

/// Gives a linear its weights. `packed` is where its packed weights are, and `to` where they are
/// written; `to` is nullptr where the model file has them.
void set_and_pack(const WeightMap& weights, const Packing& p, const std::byte* packed,
                  std::byte* to) {
    const auto optional = [&](const std::string& name) {
        return name.empty() ? std::span<const float>{} : weights.get(name);
    };
    const std::span<const float> bias = optional(p.bias), out_scale = optional(p.out_scale);
    const TensorView& weight = weights.tensor(p.weight);
    if (auto* int8 = std::get_if<Int8Linear>(p.linear)) {
        int8->set(weights.get(scale_name(p.weight)), bias, out_scale, packed);
        if (to == nullptr) return;
        check_numbers(weight);
        int8->pack({reinterpret_cast<const std::int8_t*>(weight.data.data()), weight.data.size()},
                   to);
        return;
    }
    std::vector<float> storage;
    onednn::Weights from{weight.data.data(), weight.dtype};
    // An int8 weight of a linear that runs in another precision becomes float32.
    if (to != nullptr && weight.dtype == DType::i8)
        from = {weights.floats(p.weight, storage).data(), DType::f32};
    std::visit(
        [&]<class L>(L& linear) {
            if constexpr (!std::is_same_v<L, Int8Linear>) {
                linear.set(bias, out_scale, packed);
                if (to != nullptr) linear.pack(from, out_scale, to);
            }
        },
        *p.linear);
}

}  // namespace

PreparedModel::PreparedModel(const ModelFile& file, ImageSize image_size, const Graph& graph,
                             const KernelSet& kernels, int threads)
    : PreparedModel(WeightMap(file, image_size), &file, graph, kernels, threads) {}

PreparedModel::PreparedModel(WeightMap weights, const ModelFile* file, const Graph& graph,
                             const KernelSet& kernels, int threads)
    : kernels_(kernels), weights_(std::move(weights)) {
    std::vector<Packing> packings;
    std::size_t total = 0;
    const auto add = [&](const std::string& weight, const std::string& bias,
                         const std::string& out_scale, DType type, std::int64_t in, Value out) {
        if (linears_.contains(weight)) return;
        const bool bf16 = type == DType::bf16;
        const LinearMethod method = choose_linear_method(
            onednn_level(), bf16 ? kernels.tiles() : kernels.f32.linears != nullptr);
        const auto make = [&]() -> AnyLinear {
            if (type == DType::i8) return Int8Linear(*kernels.int8, in, out.cols);
            if (method == LinearMethod::fused && bf16)
                return FusedLinear<kernels::BFloat16>(*kernels.bf16, in, out.cols);
            if (method == LinearMethod::fused) return FusedLinear<float>(kernels.f32, in, out.cols);
            return Linear(method, in, out.cols, out.rows, type, out.type);
        };
        AnyLinear& linear = linears_.emplace(weight, make()).first->second;
        packings.push_back({&linear, weight, bias, out_scale, total});
        total += round_up(std::visit([](const auto& l) { return l.packed_bytes(); }, linear), 64);
    };
    parallel(1, [&](int, int) {  // oneDNN builds primitives for the number of threads that it sees
        for (const Node& node : graph.nodes) {
            const Value out = graph.value(node.output);
            if (const auto* linear = std::get_if<op::Linear>(&node.op)) {
                const Value in = graph.value(node.inputs[0]);
                add(linear->weight, linear->bias, linear->out_scale, in.type, in.cols, out);
            } else if (const auto* embed = std::get_if<op::Embed>(&node.op)) {
                const std::int64_t patch =
                    graph.channels * embed->patch.patch_height * embed->patch.patch_width;
                add(embed->patch.weight, embed->patch.bias, "", embed->type, patch, out);
                make_embed_table(*embed, out);
            }
        }
    });
    key_ = key_of(packings);
    const TensorView* stored = file == nullptr ? nullptr : file->packed(key_);
    if (stored != nullptr && stored->data.size() == total) packed_ = stored->data;

    const bool in_file = !packed_.empty();
    if (!in_file) {
        own_packed_ = AlignedBuffer(total);
        packed_ = {own_packed_.data(), total};
    }
    std::atomic<std::size_t> next = 0;
    parallel(threads, [&](int, int) {
        for (std::size_t i; (i = next.fetch_add(1)) < packings.size();) {
            const Packing& p = packings[i];
            set_and_pack(weights_, p, packed_.data() + p.offset,
                         in_file ? nullptr : own_packed_.data() + p.offset);
            if (in_file || file == nullptr) continue;
            if (const TensorView* tensor = file->find(p.weight)) file->release(*tensor);
        }
    });
}

void PreparedModel::make_embed_table(const op::Embed& embed, Value shape) {
    const std::int64_t stride = row_stride(shape.cols);
    embed_table_.assign(static_cast<std::size_t>(shape.rows * stride), 0.0f);
    std::int64_t row = 0;
    const auto add_rows = [&](std::span<const float> rows, std::int64_t at) {
        for (std::size_t i = 0; i < rows.size(); ++i)
            embed_table_[static_cast<std::size_t>(
                (at + static_cast<std::int64_t>(i) / shape.cols) * stride +
                static_cast<std::int64_t>(i) % shape.cols)] += rows[i];
    };
    for (const std::string& token : embed.tokens) {
        const std::span<const float> rows = weights_.get(token);
        add_rows(rows, row);
        row += static_cast<std::int64_t>(rows.size()) / shape.cols;
    }
    if (!embed.table.empty()) add_rows(weights_.get(embed.table), embed.table_has_prefix ? 0 : row);
}

}  // namespace vit::inline internal
