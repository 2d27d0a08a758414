#include "engine/executor/bind.h"

#include <algorithm>

#include "vit/error.h"

namespace vit {

namespace {

using KernelTable = kernels::Table;

std::int64_t round_up(std::int64_t n, std::size_t unit) {
    const auto u = static_cast<std::int64_t>(unit);
    return (n + u - 1) / u * u;
}

void (*activation_kernel(const KernelTable& k, Activation a))(float*, std::size_t) {
    switch (a) {
        case Activation::gelu:
            return k.gelu;
        case Activation::gelu_tanh:
            return k.gelu_tanh;
        case Activation::quick_gelu:
            return k.quick_gelu;
        case Activation::silu:
            return k.silu;
        case Activation::relu:
            return k.relu;
        case Activation::tanh:
            return k.tanh;
    }
    throw Error(ErrorKind::internal, "unknown activation");
}

class Binder {
  public:
    explicit Binder(const Binding& b) : b_(b), graph_(b.program.graph) {}

    void add(int index, std::vector<Step>& steps) {
        node_ = &graph_.nodes[static_cast<std::size_t>(index)];
        index_ = index;
        const std::int64_t rows = graph_.value(node_->output).rows;
        own_ = owned_rows(rows, b_.threads, b_.thread);
        if (own_.count() == 0) return;
        std::visit([&](const auto& op) { bind(op, steps); }, node_->op);
    }

  private:
    std::byte* base(const Placement& p) const {
        return (p.where == Where::arena ? b_.arena : b_.scratch) + p.offset;
    }

    /// Rows [first, first + count) of a value; of a value in scratch only this thread's rows are
    /// there.
    Rows rows(ValueId id, std::int64_t first, std::int64_t count) const {
        const Placement& p = b_.plan.values[static_cast<std::size_t>(id)];
        const std::int64_t row = p.row + (p.where == Where::scratch ? first - own_.first : first);
        return {reinterpret_cast<float*>(base(p)) + row * p.stride, count, graph_.value(id).cols,
                p.stride};
    }
    Rows own(ValueId id) const { return rows(id, own_.first, own_.count()); }
    Rows input(std::size_t i) const { return own(node_->inputs[i]); }
    Rows output() const { return own(node_->output); }
    float* packed(ValueId id) const {
        return reinterpret_cast<float*>(base(b_.plan.values[static_cast<std::size_t>(id)]));
    }
    std::byte* workspace() const {
        return b_.scratch + b_.plan.workspaces[static_cast<std::size_t>(index_)];
    }

    /// Binds a linear to scratch that starts `used` bytes into the workspace. Fewer rows than the
    /// plan counted with might ask for more scratch; no oneDNN is known to.
    onednn::Call call(const std::string& weight, std::int64_t count, bool accumulate,
                      const float* x, float* y, std::size_t used = 0) {
        Linear& linear = b_.model.linear(weight);
        if (used + linear.scratchpad_bytes(count, accumulate) >
            b_.plan.workspace_bytes[static_cast<std::size_t>(index_)])
            throw Error(
                ErrorKind::internal,
                "node " + node_->name + ": its primitive wants more scratch than was planned");
        return linear.bind(count, accumulate, x, y, workspace() + used);
    }

    template <class Work>
    void push(std::vector<Step>& steps, Work work) {
        steps.push_back({index_, std::move(work)});
    }

    void bind(const op::Embed& e, std::vector<Step>& steps) {
        const PatchGeometry geometry{graph_.channels, graph_.image_size.height,
                                     graph_.image_size.width, e.patch.patch_height,
                                     e.patch.patch_width};
        const std::int64_t prefix = graph_.value(node_->output).rows - geometry.patches();
        const std::int64_t first = std::max(own_.first, prefix);
        const std::int64_t count = std::max<std::int64_t>(own_.last - first, 0);
        const Rows out = output();
        EmbedStep step{b_.image,
                       geometry,
                       first - prefix,
                       count,
                       reinterpret_cast<float*>(workspace()),
                       row_stride(geometry.patch_floats()),
                       b_.model.embed_table().data() + own_.first * out.stride,
                       out,
                       {}};
        if (count > 0) {
            step.linear.emplace(call(
                e.patch.weight, count, true, step.gathered, rows(node_->output, first, count).data,
                static_cast<std::size_t>(count * step.gathered_stride) * sizeof(float)));
        }
        push(steps, std::move(step));
    }

    void bind(const op::LayerNorm& n, std::vector<Step>& steps) {
        push(steps,
             LayerNormStep{input(0), output(), b_.model.weights().get(n.weight).data(),
                           b_.model.weights().get(n.bias).data(), static_cast<float>(n.eps)});
    }

    void bind(const op::Linear& l, std::vector<Step>& steps) {
        const bool accumulate = node_->inputs.size() > 1;
        const Rows in = input(0), out = output();
        LinearStep step{
            call(l.weight, out.count, accumulate, in.data, out.data),
            out,
            {},
            l.activation ? activation_kernel(b_.model.kernels(), *l.activation) : nullptr};
        if (accumulate && !b_.plan.in_place[static_cast<std::size_t>(index_)])
            step.residual = input(1);
        push(steps, std::move(step));
    }

    void bind(const op::PackHeads& p, std::vector<Step>& steps) {
        const KernelTable& k = b_.model.kernels();
        push(steps, PackStep{input(0), p.keys ? k.pack_keys : k.pack_values, own_.first,
                             graph_.value(node_->output).rows, p.heads, p.head_dim,
                             packed(node_->output)});
    }

    void bind(const op::Attention& a, std::vector<Step>& steps) {
        push(steps,
             AttentionStep{input(0), output(), packed(node_->inputs[1]), packed(node_->inputs[2]),
                           graph_.value(node_->inputs[1]).rows, a.heads, a.head_dim,
                           static_cast<float>(a.scale), reinterpret_cast<float*>(workspace())});
    }

    void bind(const op::MeanRows& m, std::vector<Step>& steps) {
        push(steps, MeanRowsStep{rows(node_->inputs[0], m.first, m.count), output()});
    }

    void bind(const op::Average&, std::vector<Step>& steps) {
        push(steps, AverageStep{input(0), input(1), output()});
    }

    /// A view; the plan has placed it.
    void bind(const op::SelectRows&, std::vector<Step>&) {}

    template <class Other>
    void bind(const Other&, std::vector<Step>&) {
        throw Error(ErrorKind::internal, "node " + node_->name + ": no operator for '" +
                                             kind_name(node_->op) +
                                             "'; a pass should have fused it");
    }

    const Binding& b_;
    const Graph& graph_;
    const Node* node_ = nullptr;
    int index_ = 0;
    RowRange own_;
};

}  // namespace

StorageRules storage_rules(const Graph& graph, PreparedModel& model) {
    const KernelTable& k = model.kernels();
    StorageRules rules;
    rules.stride = row_stride;
    rules.packed_bytes = [&k](const op::PackHeads& p, std::int64_t rows) {
        const std::int64_t head_floats = p.keys ? round_up(rows, k.attention_panel) * p.head_dim
                                                : round_up(p.head_dim, k.attention_panel) * rows;
        return static_cast<std::size_t>(p.heads * head_floats) * sizeof(float);
    };
    rules.workspace = [&graph, &model, &k](const Node& node, std::int64_t rows) -> std::size_t {
        if (const auto* linear = std::get_if<op::Linear>(&node.op))
            return model.linear(linear->weight).scratchpad_bytes(rows, node.inputs.size() > 1);
        if (const auto* embed = std::get_if<op::Embed>(&node.op)) {
            Linear& linear = model.linear(embed->patch.weight);
            return static_cast<std::size_t>(rows * row_stride(linear.in())) * sizeof(float) +
                   linear.scratchpad_bytes(rows, true);
        }
        if (std::holds_alternative<op::Attention>(node.op))
            return k.attention_rows * sizeof(float) *
                   static_cast<std::size_t>(
                       round_up(graph.value(node.inputs[1]).rows, k.attention_panel));
        return 0;
    };
    return rules;
}

std::vector<std::vector<Step>> bind(const Binding& binding) {
    Binder binder(binding);
    std::vector<std::vector<Step>> stages;
    for (const Stage& stage : binding.program.stages) {
        std::vector<Step>& steps = stages.emplace_back();
        for (int node : stage.nodes) binder.add(node, steps);
    }
    return stages;
}

}  // namespace vit
