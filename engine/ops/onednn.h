// The parts of oneDNN that the engine uses, the same for 2.x and 3.x. Nothing else knows the
// version.
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

/// The process's CPU engine and a stream on it; both are stateless handles and may be shared.
const dnnl::engine& engine();
dnnl::stream& stream();

/// Version, commit and instruction set of the library: what a packed layout depends on beside its
/// descriptor.
std::string library_key();
/// The same number for the same layout and only for it, whoever asks. Throws Error(unsupported) for
/// a layout that only oneDNN can describe.
std::uint64_t fingerprint(const memory::desc& layout);

/// How a layout stores its elements along one dimension: whole blocks, so many elements apart.
struct Blocks {
    memory::dim size, stride;
};
/// Of a blocked layout that fingerprint() accepts.
Blocks blocks(const memory::desc& layout, int dimension);
/// The layout of the first `count` elements along a dimension, whole blocks.
memory::desc first_columns(const memory::desc& layout, int dimension, std::int64_t count);

/// A primitive with the descriptors that it chose.
struct Primitive {
    dnnl::primitive primitive;
    memory::desc src, weights, bias, dst;
    std::size_t scratchpad_bytes = 0;
    std::string implementation;
};

/// dst[rows, out] (+)= src[rows, in] · Wᵀ + bias, as a 1×1 convolution whose height is `rows`, or
/// as a matmul. `weights`: the packed layout to use; without one the fastest is chosen. Built for
/// one thread: call with OpenMP limited to one. Throws Error(unsupported) when oneDNN has only its
/// reference implementation.
struct LinearShape {
    std::int64_t rows, in, out;
    bool accumulate;              ///< add to what dst holds
    DType type = DType::f32;      ///< of src and weights; f32 or bf16, bias is float32 always
    DType out_type = DType::f32;  ///< of dst
};
Primitive make_convolution(const LinearShape& shape, const std::optional<memory::desc>& weights);
Primitive make_matmul(const LinearShape& shape, const std::optional<memory::desc>& weights);

/// Row-major weights [out, in] of either type.
struct Weights {
    const void* data;
    DType type;
};

/// Copies `weights` into `packed`, laid out and rounded as `layout` says.
void pack_convolution_weights(const Weights& weights, const LinearShape& shape,
                              const memory::desc& layout, void* packed);
void pack_matmul_weights(const Weights& weights, const LinearShape& shape,
                         const memory::desc& layout, void* packed);

/// A primitive bound to its memory: executing it is one call into oneDNN.
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
