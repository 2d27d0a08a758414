#include "engine/executor/bind.h"

#include <algorithm>

#include "engine/base/rounding.h"
#include "engine/executor/workspace.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

/// The kernel for an activation in a table of kernels.
template <class Kernels>
auto activation_kernel(const Kernels& k, Activation a) {
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
    explicit Binder(const Binding& b) : b_(b), graph_(b.graph) {}

    void add(int index, std::vector<Step>& steps) {
        node_ = &graph_.nodes[static_cast<std::size_t>(index)];
        index_ = index;
        const std::int64_t rows = graph_.value(node_->output).rows;
        own_ = owned_rows(rows, b_.shares, b_.thread);
        image_ = 0;
        // A node that mixes rows runs image by image. So does a node that reads or writes rows of a
        // view, because there the rows of different images are not adjacent.
        if (const bool together = b_.images > 1 && rows_follow(); together) {
            own_.last *= b_.images;
            return add(steps);
        }
        for (const RowRange own = own_; image_ < b_.images; ++image_) {
            own_ = own;
            add(steps);
        }
    }

  private:
    void add(std::vector<Step>& steps) {
        if (const auto* linear = std::get_if<op::Linear>(&node_->op)) return bind(*linear, steps);
        if (own_.count() == 0) return;
        std::visit([&](const auto& op) { bind(op, steps); }, node_->op);
    }

    /// Whether one step can compute the rows of all images. The node must be row-local, and the
    /// rows of the images must be adjacent in its inputs and output.
    bool rows_follow() const {
        const auto follow = [this](ValueId id) {
            return placement(id).image_rows == graph_.value(id).rows;
        };
        return row_local(node_->op) && !std::holds_alternative<op::PackHeads>(node_->op) &&
               follow(node_->output) && std::ranges::all_of(node_->inputs, follow);
    }

    const Placement& placement(ValueId id) const {
        return b_.plan.values[static_cast<std::size_t>(id)];
    }
    std::byte* base(const Placement& p) const {
        return (p.where == Where::arena ? b_.arena : b_.scratch) + p.offset;
    }

    /// Rows [first, first + count) of a value. Scratch memory holds only this thread's rows.
    Rows rows(ValueId id, std::int64_t first, std::int64_t count) const {
        const Placement& p = placement(id);
        const std::int64_t row = p.row + image_ * p.image_rows +
                                 (p.where == Where::scratch ? first - own_.first : first);
        const Value& value = graph_.value(id);
        if (value.panels) return {base(p), count, value.cols, 0, value.type, true, row};
        return {base(p) + row * p.stride * static_cast<std::int64_t>(item_size(value.type)), count,
                value.cols, p.stride, value.type};
    }
    /// Some columns of these rows, padding included. Not for rows in panels.
    static Rows columns_of(Rows rows, Columns columns) {
        rows.data += columns.first * static_cast<std::int64_t>(item_size(rows.type));
        rows.cols = columns.count();
        return rows;
    }
    Rows own(ValueId id) const { return rows(id, own_.first, own_.count()); }
    Rows input(std::size_t i) const { return own(node_->inputs[i]); }
    Rows output() const { return own(node_->output); }
    std::size_t key_count(ValueId packed) const {
        return static_cast<std::size_t>(graph_.value(packed).rows);
    }
    std::byte* packed(ValueId id) const {
        const Placement& p = placement(id);
        return base(p) + static_cast<std::size_t>(image_) * p.image_bytes;
    }
    std::byte* workspace() const {
        return b_.scratch + b_.plan.workspaces[static_cast<std::size_t>(index_)];
    }

    BoundLinear call(Linear& linear, std::int64_t count, bool accumulate, Columns columns,
                     const void* x, void* y, const Workspace& space) {
        return linear.bind(count, accumulate, columns, x, y, workspace() + space.scratch());
    }
    template <class T>
    BoundFusedLinear<T> call(const FusedLinear<T>& linear,
                             typename kernels::FusedLinears<T>::Run run, Columns columns,
                             const Rows& x, const LinearOutput& y, const Workspace& space) {
        return linear.bind(run, columns, matrix_of<const T>(x), y,
                           reinterpret_cast<float*>(workspace() + space.scratch()));
    }

    template <class Work>
    void push(std::vector<Step>& steps, Work work) {
        steps.push_back({index_, std::move(work)});
    }

    void bind(const op::Embed& e, std::vector<Step>& steps) {
        const PatchGeometry geometry = patch_geometry(graph_, e.patch);
        const std::int64_t prefix = graph_.value(node_->output).rows - geometry.patches();
        const RowRange own =
            owned_patches(graph_, *node_, geometry.patches(), b_.shares, b_.thread);
        const std::int64_t first = own.first, count = own.count();
        const Rows out = output();
        AnyLinear& linear = b_.model.linear(e.patch.weight);
        const Workspace space = count > 0 ? embed_workspace(graph_, e, linear, count) : Workspace{};
        const Rows gathered =
            gathered_patches(graph_, e, linear, count, workspace() + space.input());
        EmbedStep step{b_.image + image_,
                       geometry,
                       first - prefix,
                       count,
                       gathered,
                       reinterpret_cast<float*>(workspace() + space.patch()),
                       b_.model.embed_table().data() + own_.first * out.stride,
                       out,
                       {},
                       {},
                       {}};
        if (count > 0) {
            if (e.patch.norm) {
                const Rows one{reinterpret_cast<std::byte*>(step.patch), 1, gathered.cols,
                               gathered.stride, DType::f32};
                const Rows& raw = e.type == DType::f32 ? gathered : one;
                step.patch_norm = norm_step(*e.patch.norm, raw, raw);
            }
            const Rows patches = rows(node_->output, first, count);
            const auto bind_to_patches = [&]<class L>(L& l) {
                if constexpr (std::is_same_v<L, Int8Linear>)
                    throw Error(ErrorKind::internal, "patches are not int8");
                else if constexpr (std::is_same_v<L, Linear>)
                    step.linear = call(l, count, accumulates(e), l.columns(), gathered.data,
                                       patches.data, space);
                else
                    step.linear = call(l, l.kernels().none, l.columns(), gathered,
                                       {patches.f32(), patches.stride,
                                        accumulates(e) ? patches.f32() : nullptr, patches.stride},
                                       space);
            };
            std::visit(bind_to_patches, linear);
            if (e.norm) step.norm = norm_step(*e.norm, patches, patches);
        }
        push(steps, std::move(step));
    }

    LayerNormStep norm_step(const op::LayerNorm& n, const Rows& in, const Rows& out) const {
        const WeightMap& weights = b_.model.weights();
        return {in,
                out,
                {weights.get(n.weight).data(),
                 n.bias.empty() ? nullptr : weights.get(n.bias).data(), static_cast<float>(n.eps)},
                n.rms,
                n.groups};
    }

    void bind(const op::LayerNorm& n, std::vector<Step>& steps) {
        LayerNormStep step = norm_step(n, input(0), output());
        if (step.out.type == DType::i8) step.row = reinterpret_cast<float*>(workspace());
        push(steps, step);
    }

    void bind(const op::Linear& l, std::vector<Step>& steps) {
        AnyLinear& linear = b_.model.linear(l.weight);
        const Part part = owned_part(graph_, *node_, linear, b_.shares, b_.thread);
        if (b_.images == 1) own_ = part.rows;
        if (own_.count() == 0 || part.columns.count() == 0) return;
        const Workspace space = linear_workspace(graph_, *node_, linear, {own_, part.columns});
        std::visit([&](auto& each) { bind(l, each, part.columns, space, steps); }, linear);
    }

    void bind(const op::Linear& l, Linear& linear, Columns columns, const Workspace& space,
              std::vector<Step>& steps) {
        const bool accumulate = node_->inputs.size() > 1;
        const Rows out = columns_of(output(), columns);
        Rows made = out;
        const bool apart = space.output_bytes > 0;
        if (apart) {
            made.data = workspace() + space.output();
            made.stride = linear.stride(columns);
        }
        LinearStep step{
            call(linear, own_.count(), accumulate, columns, input(0).data, made.data, space),
            made,
            {},
            {},
            {}};
        const KernelSet& k = b_.model.kernels();
        if (l.activation && out.type == DType::f32)
            step.activation = activation_kernel(k.f32.activations, *l.activation);
        else if (l.activation)
            step.activation = activation_kernel(k.bf16->activations, *l.activation);
        if (apart) step.copy = out;
        if (accumulate && (apart || !b_.plan.in_place[static_cast<std::size_t>(index_)]))
            step.residual = columns_of(input(1), columns);
        push(steps, std::move(step));
    }

    /// Where our own kernels write the output of a linear, and the residual that they add.
    LinearOutput linear_output() const {
        const Rows out = output();
        if (out.type != DType::f32)
            return {.bf16 = matrix_of<kernels::BFloat16>(out), .bf16_in_panels = out.panels};
        LinearOutput y{.y = out.f32(), .stride = out.stride};
        if (node_->inputs.size() > 1) {
            const Rows residual = input(1);
            y.residual = residual.f32();
            y.residual_stride = residual.stride;
        }
        return y;
    }

    template <class T>
    void bind(const op::Linear& l, const FusedLinear<T>& linear, Columns columns,
              const Workspace& space, std::vector<Step>& steps) {
        const Rows in = input(0);
        const bool copied = space.input_bytes > 0;
        Rows x = in;
        if (copied) x = {workspace() + space.input(), in.count, in.cols, 0, in.type, true};
        const auto& k = linear.kernels();
        FusedLinearStep<T> step{
            {},
            x,
            call(linear, l.activation ? activation_kernel(k, *l.activation) : k.none, columns, x,
                 linear_output(), space)};
        if (copied) step.in = in;
        push(steps, std::move(step));
    }

    void bind(const op::Linear& l, const Int8Linear& linear, Columns columns,
              const Workspace& space, std::vector<Step>& steps) {
        const auto& k = linear.kernels();
        push(steps, Int8LinearStep{linear.bind(
                        l.activation ? activation_kernel(k, *l.activation) : k.none, columns,
                        int8_rows(input(0)), linear_output(), workspace() + space.scratch())});
    }

    void bind(const op::Quantize&, std::vector<Step>& steps) {
        push(steps, QuantizeStep{input(0), output()});
    }

    void bind(const op::PackHeads& p, std::vector<Step>& steps) {
        with_attention(b_.model.kernels(), input(0).type,
                       [&]<class T>(const kernels::AttentionKernels<T>& k) {
                           const auto dim = static_cast<std::size_t>(p.head_dim);
                           push(steps, PackStep<T>{input(0),
                                                   p.keys ? k.pack_keys : k.pack_values,
                                                   own_.first,
                                                   {key_count(node_->output),
                                                    static_cast<std::size_t>(p.heads), dim, dim},
                                                   packed(node_->output)});
                       });
    }

    void bind(const op::Attention& a, std::vector<Step>& steps) {
        with_attention(
            b_.model.kernels(), input(0).type, [&]<class T>(const kernels::AttentionKernels<T>& k) {
                push(steps, AttentionStep<T>{
                                input(0),
                                output(),
                                {packed(node_->inputs[1]), packed(node_->inputs[2])},
                                {key_count(node_->inputs[1]), static_cast<std::size_t>(a.heads),
                                 static_cast<std::size_t>(a.head_dim),
                                 static_cast<std::size_t>(a.value_dim)},
                                static_cast<float>(a.scale),
                                k.attend,
                                reinterpret_cast<float*>(workspace())});
            });
    }

    void bind(const op::MeanRows& m, std::vector<Step>& steps) {
        push(steps, ReduceRowsStep{rows(node_->inputs[0], m.first, m.count), output(),
                                   b_.model.kernels().f32.mean_rows});
    }

    void bind(const op::MaxRows& m, std::vector<Step>& steps) {
        push(steps, ReduceRowsStep{rows(node_->inputs[0], m.first, m.count), output(),
                                   b_.model.kernels().f32.max_rows});
    }

    void add(float factor, std::vector<Step>& steps) {
        AddStep step{{}, input(1), output(), factor};
        if (!b_.plan.in_place[static_cast<std::size_t>(index_)]) step.a = input(0);
        push(steps, std::move(step));
    }

    void bind(const op::Add&, std::vector<Step>& steps) { add(1.0f, steps); }

    void bind(const op::SubtractScaled& s, std::vector<Step>& steps) {
        add(-b_.model.weights().get(s.factor)[0], steps);
    }

    void bind(const op::Multiply&, std::vector<Step>& steps) {
        push(steps, MultiplyStep{input(0), input(1), output()});
    }

    void bind(const op::Round&, std::vector<Step>& steps) {
        push(steps, RoundStep{input(0), output()});
    }

    void bind(const op::Constant& c, std::vector<Step>& steps) {
        const Rows out = output();
        push(steps,
             ConstantStep{b_.model.weights().get(c.weight).data() + own_.first * out.cols, out});
    }

    void bind(const op::Average&, std::vector<Step>& steps) {
        push(steps, AverageStep{input(0), input(1), output()});
    }

    /// Does nothing: the result is a view, which the plan has placed.
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
    std::int64_t image_ = 0;  ///< of the stack
    RowRange own_;            ///< of one image, or of all images of the stack
};

}  // namespace

std::vector<std::vector<Step>> bind(const Binding& binding) {
    Binder binder(binding);
    std::vector<std::vector<Step>> stages;
    for (const Stage& stage : binding.stages) {
        std::vector<Step>& steps = stages.emplace_back();
        for (int node : stage.nodes) binder.add(node, steps);
    }
    return stages;
}

}  // namespace vit::inline internal
