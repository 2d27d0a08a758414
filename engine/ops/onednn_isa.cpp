#include "engine/ops/onednn_isa.h"

#include <string>

#include "oneapi/dnnl/dnnl.hpp"
#include "vit/error.h"

namespace vit {

namespace {

constexpr dnnl::cpu_isa no_limit{};  // `all` in 2.x, `isa_default` in 3.x

}  // namespace

void limit_onednn(kernels::Isa isa) {
    const dnnl::cpu_isa limit = isa == kernels::Isa::baseline ? dnnl::cpu_isa::sse41
                                : isa == kernels::Isa::avx2   ? dnnl::cpu_isa::avx2
                                                              : no_limit;
    const dnnl::status status = dnnl::set_max_cpu_isa(limit);
    if (status != dnnl::status::success && limit != no_limit &&
        dnnl::get_effective_cpu_isa() > limit)
        throw Error(ErrorKind::usage,
                    std::string("VIT_ISA=") + kernels::isa_name(isa) +
                        ": oneDNN already runs with more in this process; set it before the start");
}

}  // namespace vit
