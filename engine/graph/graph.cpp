#include "engine/graph/graph.h"

#include <algorithm>

#include "vit/error.h"

namespace vit::inline internal {

namespace {

template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;  // clang 14 does not deduce it

std::vector<std::string> named(std::initializer_list<std::string> names) {
    std::vector<std::string> result;
    for (const std::string& name : names)
        if (!name.empty()) result.push_back(name);
    return result;
}

std::vector<std::string> patch_weights(const op::PatchEmbed& p) {
    auto names = named({p.weight, p.bias});
    if (p.norm)
        for (const std::string& name : named({p.norm->weight, p.norm->bias})) names.push_back(name);
    return names;
}

[[noreturn]] void fail(const std::string& where, const std::string& what) {
    throw Error(ErrorKind::internal, "graph: " + where + ": " + what);
}

void check_attention(const Graph& graph, const Node& node, const op::Attention& a) {
    if (node.inputs.size() != 3) fail(node.name, "expected queries, keys and values");
    const Value q = graph.value(node.inputs[0]), k = graph.value(node.inputs[1]),
                v = graph.value(node.inputs[2]), out = graph.value(node.output);
    if (q.cols != a.heads * a.head_dim || k.cols != q.cols)
        fail(node.name, "columns of queries or keys are not its heads'");
    if (v.cols != a.heads * a.value_dim || out.cols != v.cols)
        fail(node.name, "columns of values or output are not its heads'");
    if (q.rows != out.rows || k.rows != v.rows) fail(node.name, "rows of its inputs differ");
}

}  // namespace

ValueId Graph::add_value(Value value) {
    values.push_back(value);
    return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::add(std::string name, Op op, std::vector<ValueId> inputs, std::int64_t rows,
                   std::int64_t cols, DType type) {
    const ValueId output = add_value({rows, cols, type});
    nodes.push_back({std::move(name), std::move(op), std::move(inputs), output});
    return output;
}

std::vector<ValueId> Graph::results() const {
    std::vector<ValueId> ids;
    for (ValueId id : {logits, features, tokens})
        if (id != no_value && std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    for (ValueId id : kept)
        if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    return ids;
}

std::vector<int> producers(const Graph& graph) {
    std::vector<int> result(graph.values.size(), -1);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
        result[static_cast<std::size_t>(graph.nodes[i].output)] = static_cast<int>(i);
    return result;
}

std::vector<int> use_counts(const Graph& graph) {
    std::vector<int> result(graph.values.size(), 0);
    for (const Node& node : graph.nodes)
        for (ValueId input : node.inputs) ++result[static_cast<std::size_t>(input)];
    for (ValueId id : graph.results()) ++result[static_cast<std::size_t>(id)];
    return result;
}

std::string kind_name(const Op& op) {
    return std::visit(
        Overloaded{
            [](const op::PatchEmbed&) { return "patch_embed"; },
            [](const op::PrependTokens&) { return "prepend_tokens"; },
            [](const op::AddPosition&) { return "add_position"; },
            [](const op::Embed&) { return "embed"; },
            [](const op::LayerNorm& n) { return n.rms ? "rms_norm" : "layer_norm"; },
            [](const op::Linear&) { return "linear"; },
            [](const op::Attention&) { return "attention"; },
            [](const op::PackHeads& p) { return p.keys ? "pack_keys" : "pack_values"; },
            [](const op::Activate&) { return "activation"; },
            [](const op::LayerScale&) { return "layer_scale"; },
            [](const op::Add&) { return "add"; },
            [](const op::Multiply&) { return "multiply"; },
            [](const op::Round&) { return "round"; },
            [](const op::Quantize&) { return "quantize"; },
            [](const op::SubtractScaled&) { return "subtract_scaled"; },
            [](const op::Constant&) { return "constant"; },
            [](const op::SelectRows&) { return "select_rows"; },
            [](const op::MeanRows&) { return "mean_rows"; },
            [](const op::MaxRows&) { return "max_rows"; },
            [](const op::Average&) { return "average"; },
            [](const op::Dropout&) { return "dropout"; },
            [](const op::DropPath&) { return "drop_path"; },
        },
        op);
}

std::vector<std::string> weight_names(const Op& op) {
    return std::visit(
        Overloaded{
            [](const op::PatchEmbed& p) { return patch_weights(p); },
            [](const op::PrependTokens& p) { return p.tokens; },
            [](const op::AddPosition& p) { return named({p.table}); },
            [](const op::Embed& e) {
                auto names = patch_weights(e.patch);
                for (const std::string& name : named({e.table})) names.push_back(name);
                names.insert(names.end(), e.tokens.begin(), e.tokens.end());
                if (e.norm)
                    for (const std::string& name : named({e.norm->weight, e.norm->bias}))
                        names.push_back(name);
                return names;
            },
            [](const op::LayerNorm& n) {
                return named({n.weight, n.bias});
            },
            [](const op::Linear& l) {
                return named({l.weight, l.bias, l.out_scale});
            },
            [](const op::LayerScale& s) { return named({s.gamma}); },
            [](const op::SubtractScaled& s) { return named({s.factor}); },
            [](const op::Constant& c) { return named({c.weight}); },
            [](const auto&) { return std::vector<std::string>{}; },
        },
        op);
}

bool row_local(const Op& op) {
    return std::visit(Overloaded{
                          [](const op::PatchEmbed&) { return false; },
                          [](const op::PrependTokens&) { return false; },
                          [](const op::Embed&) { return false; },
                          [](const op::Attention&) { return false; },
                          [](const op::MeanRows&) { return false; },
                          [](const op::MaxRows&) { return false; },
                          [](const op::Constant&) { return false; },
                          [](const op::SelectRows&) { return false; },
                          [](const auto&) { return true; },
                      },
                      op);
}

double flop(const Graph& graph, const Node& node) {
    const Value out = graph.value(node.output);
    const auto size = [](std::int64_t a, std::int64_t b) {
        return static_cast<double>(a) * static_cast<double>(b);
    };
    const auto patch_flop = [&](const op::PatchEmbed& p) {
        const std::int64_t patches =
            (graph.image_size.height / p.patch_height) * (graph.image_size.width / p.patch_width);
        return 2 * size(patches, out.cols) * size(graph.channels, p.patch_height * p.patch_width);
    };
    return std::visit(Overloaded{
                          patch_flop,
                          [&](const op::Embed& e) { return patch_flop(e.patch); },
                          [&](const op::Linear&) {
                              return 2 * size(out.rows, out.cols) *
                                     static_cast<double>(graph.value(node.inputs[0]).cols);
                          },
                          [&](const op::Attention& a) {
                              return 2 * size(out.rows, graph.value(node.inputs[1]).rows) *
                                     size(a.heads, a.head_dim + a.value_dim);
                          },
                          [](const auto&) { return 0.0; },
                      },
                      node.op);
}

double flop(const Graph& graph) {
    double sum = 0;
    for (const Node& node : graph.nodes) sum += flop(graph, node);
    return sum;
}

void check(const Graph& graph) {
    std::vector<bool> made(graph.values.size(), false);
    const auto known = [&](ValueId id) {
        return id >= 0 && static_cast<std::size_t>(id) < made.size() &&
               made[static_cast<std::size_t>(id)];
    };
    if (graph.image < 0 || static_cast<std::size_t>(graph.image) >= made.size())
        fail("image", "no value");
    made[static_cast<std::size_t>(graph.image)] = true;
    for (const Node& node : graph.nodes) {
        const bool constant = std::holds_alternative<op::Constant>(node.op);
        if (node.inputs.empty() != constant) fail(node.name, constant ? "has inputs" : "no inputs");
        for (ValueId input : node.inputs)
            if (!known(input)) fail(node.name, "reads a value before it is made");
        if (node.output < 0 || static_cast<std::size_t>(node.output) >= made.size() ||
            known(node.output))
            fail(node.name, "its output is no new value");
        const Value out = graph.value(node.output),
                    in = constant ? out : graph.value(node.inputs[0]);
        if (out.rows <= 0 || out.cols <= 0) fail(node.name, "empty output");
        if (row_local(node.op)) {
            for (ValueId input : node.inputs)
                if (graph.value(input).rows != out.rows)
                    fail(node.name, "rows of input and output differ");
            const std::size_t first = std::holds_alternative<op::Linear>(node.op) ? 1 : 0;
            for (std::size_t i = first; i < node.inputs.size(); ++i)
                if (graph.value(node.inputs[i]).cols != out.cols)
                    fail(node.name, "columns of input and output differ");
        }
        if (const auto* n = std::get_if<op::LayerNorm>(&node.op))
            if (n->groups < 1 || out.cols % n->groups != 0)
                fail(node.name, "its groups do not divide the columns");
        if (const auto* a = std::get_if<op::Attention>(&node.op)) check_attention(graph, node, *a);
        if (const auto* s = std::get_if<op::SelectRows>(&node.op))
            if (s->first < 0 || s->count != out.rows || s->first + s->count > in.rows)
                fail(node.name, "selects rows that are not there");
        made[static_cast<std::size_t>(node.output)] = true;
    }
    for (ValueId id : graph.results())
        if (!known(id)) fail("result", "is never made");
}

}  // namespace vit::inline internal
