// The parts of oneDNN that the engine uses, with one interface for 2.x and 3.x. No other file
// depends on the version.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/tensor.h"
#include "oneapi/dnnl/dnnl.hpp"

namespace vit::inline internal::onednn {

using dnnl::memory;

/// The process's CPU engine, and a stream on it. Both are stateless handles, which threads may
/// share.
const dnnl::engine& engine();
dnnl::stream& stream();

/// Version, commit and instruction set of the library. A packed layout depends on these and on its
/// descriptor.
std::string library_key();
/// A number that is the same for the same layout, in every process, and different for other
/// layouts. Throws Error(unsupported) for a layout that only oneDNN can describe.
std::uint64_t fingerprint(const memory::desc& layout);

/// How a layout stores elements along one dimension: in blocks of `size` elements. Blocks start
/// `stride` elements apart.
struct Blocks {
    memory::dim size, stride;
};
/// Only for a layout that fingerprint() accepts.
Blocks blocks(const memory::desc& layout, int dimension);
/// The layout of the first `count` elements along a dimension. `count` must be whole blocks.
memory::desc first_columns(const memory::desc& layout, int dimension, std::int64_t count);

/// A primitive with the memory layouts that it chose.
struct Primitive {
    dnnl::primitive primitive;
    memory::desc src, weights, bias, dst;
    std::size_t scratchpad_bytes = 0;
    std::string implementation;
};

/// dst[rows, out] (+)= src[rows, in] · Wᵀ + bias, as a 1×1 convolution whose height is `rows`, or
/// as a matmul. `weights`: the packed layout to use; without it, oneDNN chooses the fastest. The
/// primitive is for one thread: call while OpenMP is limited to one thread. Throws
/// Error(unsupported) where oneDNN has only its reference implementation.
struct LinearShape {
    std::int64_t rows, in, out;
    bool accumulate;  ///< add to the content of dst
    /// Type of src and weights: f32 or bf16. The bias is always float32.
    DType type = DType::f32;
    DType out_type = DType::f32;  ///< of dst
};
Primitive make_convolution(const LinearShape& shape, const std::optional<memory::desc>& weights);
Primitive make_matmul(const LinearShape& shape, const std::optional<memory::desc>& weights);

/// Row-major weights [out, in] in either type.
struct Weights {
    const void* data;
    DType type;
};

/// Copies `weights` to `packed`, with the layout and the type of `layout`.
void pack_convolution_weights(const Weights& weights, const LinearShape& shape,
                              const memory::desc& layout, void* packed);
void pack_matmul_weights(const Weights& weights, const LinearShape& shape,
                         const memory::desc& layout, void* packed);

/// A primitive bound to its memory. Executing it is one call into oneDNN.
class Call {
  public:
    Call(const Primitive& primitive, const void* src, const void* weights, const float* bias,
         void* dst, void* scratchpad);
    /// Throws Error(internal) with oneDNN's status.
    void execute() const;

  private:
    dnnl::primitive primitive_;
    std::array<memory, 5> memory_;
    std::array<dnnl_exec_arg_t, 5> arguments_;
};

}  // namespace vit::inline internal::onednn
