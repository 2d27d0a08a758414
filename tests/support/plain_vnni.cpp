// Compiled with the flags of the AVX2 kernels. This file may include only the kernel templates and
// xsimd.
#include "tests/support/plain_vnni.h"

#include "engine/kernels/int8_linear.h"

namespace vit::kernels {
struct PlainAvxVnni {};
template <>
struct XsimdArch<PlainAvxVnni> {
    using type = xsimd::fma3<xsimd::avx2>;
};
}  // namespace vit::kernels

namespace vit::test {

namespace {

/// What vpdpbusd does, lane by lane.
struct PlainRow {
    static constexpr std::size_t block_rows = kernels::AvxVnniRow::block_rows,
                                 chunk_bytes = kernels::AvxVnniRow::chunk_bytes;
    using Vector = __m256i;

    static Vector load(const void* p) { return kernels::AvxVnniRow::load(p); }
    static void store(void* p, Vector v) { kernels::AvxVnniRow::store(p, v); }
    static void add_products(Vector& s0, Vector& s1, Vector& s2, const std::uint8_t* x, Vector w0,
                             Vector w1, Vector w2) {
        add_products(s0, x, w0);
        add_products(s1, x, w1);
        add_products(s2, x, w2);
    }

  private:
    static void add_products(Vector& sum, const std::uint8_t* x, Vector weights) {
        std::int32_t sums[8];
        std::int8_t numbers[32];
        store(sums, sum);
        store(numbers, weights);
        for (std::size_t i = 0; i < 32; ++i) sums[i / 4] += x[i % 4] * numbers[i];
        sum = load(sums);
    }
};

}  // namespace

constinit const kernels::Int8Table plain_avx_vnni_table =
    kernels::make_int8_table<kernels::PlainAvxVnni,
                             kernels::VnniDot<kernels::PlainAvxVnni, PlainRow>>("plain_avx_vnni");

}  // namespace vit::test
