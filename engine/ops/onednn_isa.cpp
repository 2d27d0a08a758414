#include "engine/ops/onednn_isa.h"

#include <string>

#include "engine/kernels/dispatch.h"
#include "oneapi/dnnl/dnnl.hpp"

namespace vit::inline internal {

OnednnLevel onednn_level() {
    const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
    if (isa < dnnl::cpu_isa::avx512_core) return OnednnLevel::vectors;
    if (isa < dnnl::cpu_isa::avx512_core_bf16) return OnednnLevel::avx512;
    return isa == dnnl::cpu_isa::avx512_core_bf16 ? OnednnLevel::avx512_bf16 : OnednnLevel::amx;
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
