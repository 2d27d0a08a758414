#include "engine/ops/onednn_isa.h"

#include <string>

#include "oneapi/dnnl/dnnl.hpp"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr dnnl::cpu_isa no_limit{};  // `all` in 2.x, `isa_default` in 3.x

dnnl::cpu_isa limit_of(kernels::Isa isa) {
    if (isa == kernels::Isa::baseline) return dnnl::cpu_isa::sse41;
    if (isa == kernels::Isa::avx2) return dnnl::cpu_isa::avx2;
    // Its AMX matmul adds products in an order that depends on the number of rows. At the level amx
    // it multiplies no bfloat16.
    if (isa == kernels::Isa::avx512) return dnnl::cpu_isa::avx512_core_bf16;
    return no_limit;
}

}  // namespace

void limit_onednn(kernels::Isa isa) {
    const dnnl::cpu_isa limit = limit_of(isa);
    const dnnl::status status = dnnl::set_max_cpu_isa(limit);
    if (status != dnnl::status::success && limit != no_limit &&
        dnnl::get_effective_cpu_isa() > limit)
        throw Error(ErrorKind::usage,
                    std::string("VIT_ISA=") + kernels::isa_name(isa) +
                        ": oneDNN already runs with more in this process; set it before the start");
}

std::string onednn_name() {
    const dnnl_version_t* v = dnnl_version();
    const auto isa_name = [] {
        switch (dnnl::get_effective_cpu_isa()) {
            case dnnl::cpu_isa::sse41:
                return "sse41";
            case dnnl::cpu_isa::avx:
                return "avx";
            case dnnl::cpu_isa::avx2:
                return "avx2";
            case dnnl::cpu_isa::avx2_vnni:
                return "avx2_vnni";
            case dnnl::cpu_isa::avx512_core:
                return "avx512_core";
            case dnnl::cpu_isa::avx512_core_vnni:
                return "avx512_core_vnni";
            case dnnl::cpu_isa::avx512_core_bf16:
                return "avx512_core_bf16";
            default:
                return "more than avx512_core_bf16";
        }
    };
    return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." +
           std::to_string(v->patch) + ", " + isa_name();
}

}  // namespace vit::inline internal
