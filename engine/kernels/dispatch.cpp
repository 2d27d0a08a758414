#include "engine/kernels/dispatch.h"

#include <fmt/format.h>

#include <string_view>

#include "engine/base/cpu.h"
#include "engine/base/env.h"
#include "engine/kernels/isa_tables.h"
#include "vit/error.h"

namespace vit::inline internal::kernels {
namespace {

std::string available_names() {
    std::string names;
    for (const Isa isa : all_isas) {
        if (table_for(isa) == nullptr) continue;
        if (!names.empty()) names += ", ";
        names += isa_name(isa);
    }
    return names;
}

std::string printable(std::string_view text) {
    std::string shown;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f)
            shown += fmt::format("\\x{:02x}", byte);
        else
            shown += c;
    }
    return shown;
}

}  // namespace

const Table* table_for(Isa isa) noexcept {
    switch (isa) {
        case Isa::baseline:
            return &baseline_table;
        case Isa::avx2:
            return probe_cpu().avx2_fma ? &avx2_table : nullptr;
        case Isa::avx512:
            return probe_cpu().avx512 ? &avx512_table_of(probe_cpu()) : nullptr;
        case Isa::amx:
            return probe_cpu().amx && request_tiles() ? &amx_table : nullptr;
    }
    return nullptr;
}

const Bf16Table* bf16_table_for(Isa isa) noexcept {
    if (isa == Isa::amx) return table_for(isa) ? &amx_bf16_table : nullptr;
    const CpuFeatures cpu = probe_cpu();
    return isa == Isa::avx512 && cpu.avx512_bf16 ? &avx512_bf16_table_of(cpu.vendor) : nullptr;
}

const Int8Table& int8_table_for(Isa isa) noexcept {
    const CpuFeatures cpu = probe_cpu();
    if (isa == Isa::baseline || !cpu.avx2_fma) return baseline_int8_table;
    if (isa == Isa::avx2 || !cpu.avx512_vnni)
        return cpu.avx_vnni ? avx_vnni_int8_table : avx2_int8_table;
    if (isa == Isa::amx) return amx_int8_table;
    return cpu.avx512_bf16 ? avx512_vnni_bf16_int8_table : avx512_vnni_int8_table;
}

const char* isa_name(Isa isa) noexcept {
    switch (isa) {
        case Isa::baseline:
            return "baseline";
        case Isa::avx2:
            return "avx2";
        case Isa::avx512:
            return "avx512";
        case Isa::amx:
            return "amx";
    }
    return "unknown";
}

const Table& avx512_table_of(const CpuFeatures& cpu) noexcept {
    // oneDNN's matmul reaches 95 % of the peak on Zen 4, but 65 to 80 % on Intel's CPUs and 90 % on
    // Zen 5 (docs/performance-experiments.md). Of AMD's CPUs, Zen 5 and newer ones have AVX-VNNI.
    const bool own =
        cpu.vendor == CpuVendor::intel || (cpu.vendor == CpuVendor::amd && cpu.avx_vnni);
    return own ? avx512_linears_table : avx512_table;
}

const Bf16Table& avx512_bf16_table_of(CpuVendor vendor) noexcept {
    // Intel's cores compute half as many products in vdpbf16ps as in float32
    // (docs/performance-experiments.md).
    return vendor == CpuVendor::intel ? avx512_bf16_f32_attention_table : avx512_bf16_table;
}

const Table& choose_table(const std::optional<std::string>& forced) {
    if (!forced) {
        const Table* best = &baseline_table;
        for (const Isa isa : all_isas)
            if (const Table* table = table_for(isa)) best = table;
        return *best;
    }
    for (const Isa isa : all_isas) {
        if (*forced != isa_name(isa)) continue;
        if (const Table* table = table_for(isa)) return *table;
        throw Error(
            ErrorKind::unsupported,
            fmt::format("VIT_ISA: this CPU cannot run {}; it has {}; choose one of these or "
                        "unset VIT_ISA",
                        *forced, available_names()));
    }
    throw Error(ErrorKind::usage,
                fmt::format("VIT_ISA: expected one of {}, found \"{}\"; choose one of these or "
                            "unset VIT_ISA",
                            available_names(), printable(*forced)));
}

const Table& select_table() {
    return choose_table(env("VIT_ISA"));
}

}  // namespace vit::inline internal::kernels
