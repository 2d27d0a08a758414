#include "engine/ops/onednn.h"

#include <string_view>

#include "vit/error.h"

namespace vit::inline internal::onednn {

namespace {

using Tag = memory::format_tag;
constexpr auto f32 = memory::data_type::f32;

memory::data_type to_onednn(DType type) {
    return type == DType::bf16 ? memory::data_type::bf16 : f32;
}

dnnl::primitive_attr attributes(const LinearShape& shape) {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    // The default comes from the environment and could be less exact than float32.
    attr.set_fpmath_mode(dnnl::fpmath_mode::strict);
    if (shape.accumulate) {
        dnnl::post_ops ops;
        ops.append_sum(1.0f);
        attr.set_post_ops(ops);
    }
    return attr;
}

template <class Descriptor>
Primitive finish(const Descriptor& pd, dnnl::primitive primitive, const LinearShape& shape) {
    const std::string implementation = pd.impl_info_str();
    if (implementation.starts_with("ref"))
        throw Error(ErrorKind::unsupported,
                    "linear " + std::to_string(shape.rows) + "x" + std::to_string(shape.in) +
                        " to " + std::to_string(shape.out) + ": oneDNN has only '" +
                        implementation + "' for it, expected an optimised implementation");
    return {std::move(primitive), pd.src_desc(), pd.weights_desc(),
            pd.bias_desc(),       pd.dst_desc(), pd.scratchpad_desc().get_size(),
            implementation};
}

/// Runs `make` and translates oneDNN's exceptions into ours.
template <class Make>
auto translated(const LinearShape& shape, Make make) {
    try {
        return make();
    } catch (const dnnl::error& e) {
        throw Error(e.status == dnnl_out_of_memory ? ErrorKind::memory : ErrorKind::unsupported,
                    "linear " + std::to_string(shape.rows) + "x" + std::to_string(shape.in) +
                        " to " + std::to_string(shape.out) + ": oneDNN: " + e.what());
    }
}

void reorder(const void* from, const memory::desc& from_layout, void* to,
             const memory::desc& to_layout) {
    memory source(from_layout, engine(), const_cast<void*>(from));
    memory target(to_layout, engine(), to);
    dnnl::reorder(source, target).execute(stream(), source, target);
    stream().wait();
}

}  // namespace

const dnnl::engine& engine() {
    static const dnnl::engine instance(dnnl::engine::kind::cpu, 0);
    return instance;
}

dnnl::stream& stream() {
    static dnnl::stream instance(engine());
    return instance;
}

std::string library_key() {
    const dnnl_version_t* v = dnnl_version();
    return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." +
           std::to_string(v->patch) + " " + v->hash + ", isa " +
           std::to_string(static_cast<int>(dnnl::get_effective_cpu_isa()));
}

std::uint64_t fingerprint(const memory::desc& layout) {
    std::vector<std::int64_t> numbers;
    const auto add = [&](const auto& range, int count) {
        for (int i = 0; i < count; ++i)
            numbers.push_back(static_cast<std::int64_t>(range[static_cast<std::size_t>(i)]));
    };
#if DNNL_VERSION_MAJOR >= 3
    const bool blocked = layout.get_format_kind() == memory::format_kind::blocked;
    if (blocked) {
        const int dims = layout.get_ndims(), blocks = layout.get_inner_nblks();
        numbers = {dims, static_cast<int>(layout.get_data_type()), blocks};
        add(layout.get_dims(), dims);
        add(layout.get_padded_dims(), dims);
        add(layout.get_strides(), dims);
        add(layout.get_inner_blks(), blocks);
        add(layout.get_inner_idxs(), blocks);
    }
#else
    const dnnl_memory_desc_t& d = layout.data;
    const bool blocked = d.format_kind == dnnl_blocked && d.extra.flags == 0;
    if (blocked) {
        const dnnl_blocking_desc_t& b = d.format_desc.blocking;
        numbers = {d.ndims, d.data_type, b.inner_nblks, d.offset0};
        add(d.dims, d.ndims);
        add(d.padded_dims, d.ndims);
        add(b.strides, d.ndims);
        add(b.inner_blks, b.inner_nblks);
        add(b.inner_idxs, b.inner_nblks);
    }
#endif
    if (!blocked)
        throw Error(ErrorKind::unsupported,
                    "packed weights: oneDNN chose a layout that cannot be stored in a file");
    numbers.push_back(static_cast<std::int64_t>(layout.get_size()));
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const std::int64_t n : numbers)
        for (int byte = 0; byte < 8; ++byte)
            hash = (hash ^ (static_cast<std::uint64_t>(n) >> (8 * byte) & 0xff)) * 0x100000001b3;
    return hash;
}

Blocks blocks(const memory::desc& layout, int dimension) {
    Blocks result{1, 0};
    const auto set = [&](int count, const auto& sizes, const auto& dimensions,
                         const auto& strides) {
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
            if (dimensions[i] == dimension) result.size *= sizes[i];
        result.stride = strides[static_cast<std::size_t>(dimension)];
    };
#if DNNL_VERSION_MAJOR >= 3
    set(layout.get_inner_nblks(), layout.get_inner_blks(), layout.get_inner_idxs(),
        layout.get_strides());
#else
    const dnnl_blocking_desc_t& b = layout.data.format_desc.blocking;
    set(b.inner_nblks, b.inner_blks, b.inner_idxs, b.strides);
#endif
    return result;
}

memory::desc first_columns(const memory::desc& layout, int dimension, std::int64_t count) {
#if DNNL_VERSION_MAJOR >= 3
    memory::dims dims = layout.get_dims();
#else
    memory::dims dims = layout.dims();
#endif
    const memory::dims start(dims.size(), 0);
    dims[static_cast<std::size_t>(dimension)] = count;
    return layout.submemory_desc(dims, start);
}

Primitive make_convolution(const LinearShape& shape, const std::optional<memory::desc>& weights) {
    return translated(shape, [&] {
        const memory::desc src({1, shape.in, shape.rows, 1}, to_onednn(shape.type), Tag::nhwc);
        const memory::desc dst({1, shape.out, shape.rows, 1}, to_onednn(shape.out_type), Tag::nhwc);
        const memory::desc bias({shape.out}, f32, Tag::a);
        const memory::desc w =
            weights ? *weights
                    : memory::desc({shape.out, shape.in, 1, 1}, to_onednn(shape.type), Tag::any);
        const memory::dims ones{1, 1}, zeros{0, 0};
        const auto kind = dnnl::prop_kind::forward_inference;
        const auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
        dnnl::convolution_forward::primitive_desc pd(engine(), kind, algorithm, src, w, bias, dst,
                                                     ones, zeros, zeros, attributes(shape));
        // brgconv stores weights in another layout for other numbers of rows, and it is not faster
        // (docs/performance-experiments.md).
        while (std::string_view(pd.impl_info_str()).starts_with("brg") && pd.next_impl()) {
        }
#else
        const dnnl::convolution_forward::primitive_desc pd(
            {kind, algorithm, src, w, bias, dst, ones, zeros, zeros}, attributes(shape), engine());
#endif
        return finish(pd, dnnl::convolution_forward(pd), shape);
    });
}

Primitive make_matmul(const LinearShape& shape, const std::optional<memory::desc>& weights) {
    return translated(shape, [&] {
        const memory::desc src({shape.rows, shape.in}, to_onednn(shape.type), Tag::ab);
        const memory::desc dst({shape.rows, shape.out}, to_onednn(shape.out_type), Tag::ab);
        const memory::desc bias({1, shape.out}, f32, Tag::ab);
        const memory::desc w =
            weights ? *weights
                    : memory::desc({shape.in, shape.out}, to_onednn(shape.type), Tag::any);
#if DNNL_VERSION_MAJOR >= 3
        const dnnl::matmul::primitive_desc pd(engine(), src, w, bias, dst, attributes(shape));
#else
        const dnnl::matmul::primitive_desc pd({src, w, bias, dst}, attributes(shape), engine());
#endif
        return finish(pd, dnnl::matmul(pd), shape);
    });
}

void pack_convolution_weights(const Weights& weights, const LinearShape& shape,
                              const memory::desc& layout, void* packed) {
    translated(shape, [&] {
        const memory::desc rows({shape.out, shape.in, 1, 1}, to_onednn(weights.type), Tag::oihw);
        reorder(weights.data, rows, packed, layout);
        return 0;
    });
}

void pack_matmul_weights(const Weights& weights, const LinearShape& shape,
                         const memory::desc& layout, void* packed) {
    translated(shape, [&] {
        const memory::desc rows({shape.in, shape.out}, to_onednn(weights.type), Tag::ba);
        reorder(weights.data, rows, packed, layout);
        return 0;
    });
}

Call::Call(const Primitive& primitive, const void* src, const void* weights, const float* bias,
           void* dst, void* scratchpad)
    : primitive_(primitive.primitive) {
    const memory::desc scratch({static_cast<memory::dim>(primitive.scratchpad_bytes)},
                               memory::data_type::u8, Tag::a);
    memory_ = {memory(primitive.src, engine(), const_cast<void*>(src)),
               memory(primitive.weights, engine(), const_cast<void*>(weights)),
               memory(primitive.bias, engine(), const_cast<float*>(bias)),
               memory(primitive.dst, engine(), dst), memory(scratch, engine(), scratchpad)};
    const std::array<int, 5> kinds{DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST,
                                   DNNL_ARG_SCRATCHPAD};
    for (std::size_t i = 0; i < kinds.size(); ++i) arguments_[i] = {kinds[i], memory_[i].get()};
}

void Call::execute() const {
    const dnnl_status_t status = dnnl_primitive_execute(
        primitive_.get(), stream().get(), static_cast<int>(arguments_.size()), arguments_.data());
    if (status != dnnl_success)
        throw Error(ErrorKind::internal, "oneDNN: executing a linear failed with status " +
                                             std::to_string(static_cast<int>(status)));
}

}  // namespace vit::inline internal::onednn
