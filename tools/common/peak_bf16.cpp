// This file is compiled for AVX512_BF16. It therefore holds nothing that another file could share,
// and its loop is called only on a CPU that has the instruction.
#include "tools/common/peak_loops.h"

#ifdef __AVX512BF16__

#include <immintrin.h>

namespace vit::tools {

namespace {

// The number of sums and their separate names have the same reasons as in peak.cpp.
double loop(long rounds) {
    const __m512bh a = (__m512bh)_mm512_set1_epi32(0x3f003f00);  // 0.5 in every element
    const __m512bh b = (__m512bh)_mm512_set1_epi32(0x3e803e80);  // 0.25
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0,
           s8 = s0, s9 = s0, s10 = s0, s11 = s0;
    for (long r = 0; r < rounds; ++r) {
        s0 = _mm512_dpbf16_ps(s0, a, b);
        s1 = _mm512_dpbf16_ps(s1, a, b);
        s2 = _mm512_dpbf16_ps(s2, a, b);
        s3 = _mm512_dpbf16_ps(s3, a, b);
        s4 = _mm512_dpbf16_ps(s4, a, b);
        s5 = _mm512_dpbf16_ps(s5, a, b);
        s6 = _mm512_dpbf16_ps(s6, a, b);
        s7 = _mm512_dpbf16_ps(s7, a, b);
        s8 = _mm512_dpbf16_ps(s8, a, b);
        s9 = _mm512_dpbf16_ps(s9, a, b);
        s10 = _mm512_dpbf16_ps(s10, a, b);
        s11 = _mm512_dpbf16_ps(s11, a, b);
        asm volatile(""
                     : "+v"(s0), "+v"(s1), "+v"(s2), "+v"(s3), "+v"(s4), "+v"(s5), "+v"(s6),
                       "+v"(s7), "+v"(s8), "+v"(s9), "+v"(s10), "+v"(s11));
    }
    return static_cast<double>(rounds) * 12 * 32 * 2;
}

}  // namespace

PeakLoop bf16_dot_product_loop() {
    return loop;
}

}  // namespace vit::tools

#else

namespace vit::tools {

PeakLoop bf16_dot_product_loop() {
    return nullptr;
}

}  // namespace vit::tools

#endif
