#include "engine/base/cpu.h"
#include "tools/common/peak_loops.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vit::tools {

#if defined(__x86_64__)

namespace {

// As in peak.cpp: independent sums hide the latency, and the empty asm keeps the loop.

__attribute__((target("avx512f,avx512vnni"))) double loop_vnni(long rounds) {
    const __m512i x = _mm512_set1_epi8(3), w = _mm512_set1_epi8(-5);
    __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0,
            s7 = s0, s8 = s0, s9 = s0, s10 = s0, s11 = s0;
    for (long r = 0; r < rounds; ++r) {
        s0 = _mm512_dpbusd_epi32(s0, x, w);
        s1 = _mm512_dpbusd_epi32(s1, x, w);
        s2 = _mm512_dpbusd_epi32(s2, x, w);
        s3 = _mm512_dpbusd_epi32(s3, x, w);
        s4 = _mm512_dpbusd_epi32(s4, x, w);
        s5 = _mm512_dpbusd_epi32(s5, x, w);
        s6 = _mm512_dpbusd_epi32(s6, x, w);
        s7 = _mm512_dpbusd_epi32(s7, x, w);
        s8 = _mm512_dpbusd_epi32(s8, x, w);
        s9 = _mm512_dpbusd_epi32(s9, x, w);
        s10 = _mm512_dpbusd_epi32(s10, x, w);
        s11 = _mm512_dpbusd_epi32(s11, x, w);
        asm volatile(""
                     : "+v"(s0), "+v"(s1), "+v"(s2), "+v"(s3), "+v"(s4), "+v"(s5), "+v"(s6),
                       "+v"(s7), "+v"(s8), "+v"(s9), "+v"(s10), "+v"(s11));
    }
    return static_cast<double>(rounds) * 12 * 64 * 2;
}

/// Written as assembly, because older compilers do not know AVX-VNNI.
__attribute__((target("avx2"))) double loop_avx_vnni(long rounds) {
    const __m256i x = _mm256_set1_epi8(3), w = _mm256_set1_epi8(-5);
    __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0,
            s7 = s0, s8 = s0, s9 = s0, s10 = s0, s11 = s0;
    for (long r = 0; r < rounds; ++r) {
        asm volatile(
            "%{vex%} vpdpbusd %7, %6, %0\n\t"
            "%{vex%} vpdpbusd %7, %6, %1\n\t"
            "%{vex%} vpdpbusd %7, %6, %2\n\t"
            "%{vex%} vpdpbusd %7, %6, %3\n\t"
            "%{vex%} vpdpbusd %7, %6, %4\n\t"
            "%{vex%} vpdpbusd %7, %6, %5"
            : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5)
            : "x"(x), "x"(w));
        asm volatile(
            "%{vex%} vpdpbusd %7, %6, %0\n\t"
            "%{vex%} vpdpbusd %7, %6, %1\n\t"
            "%{vex%} vpdpbusd %7, %6, %2\n\t"
            "%{vex%} vpdpbusd %7, %6, %3\n\t"
            "%{vex%} vpdpbusd %7, %6, %4\n\t"
            "%{vex%} vpdpbusd %7, %6, %5"
            : "+x"(s6), "+x"(s7), "+x"(s8), "+x"(s9), "+x"(s10), "+x"(s11)
            : "x"(x), "x"(w));
    }
    return static_cast<double>(rounds) * 12 * 32 * 2;
}

__attribute__((target("avx2"))) double loop_avx2(long rounds) {
    // The compiler must not compute the same product once for all sums, so it forgets x each time.
    __m256i x = _mm256_set1_epi8(3);
    const __m256i w = _mm256_set1_epi8(-5), ones = _mm256_set1_epi16(1);
    __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0,
            s7 = s0;
    for (long r = 0; r < rounds; ++r) {
        s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), ones));
        asm volatile("" : "+x"(x));
        s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), ones));
        asm volatile("" : "+x"(x));
        s2 = _mm256_add_epi32(s2, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), ones));
        asm volatile("" : "+x"(x));
        s3 = _mm256_add_epi32(s3, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), ones));
        asm volatile("" : "+x"(x));
        s4 = _mm256_add_epi32(s4, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), ones));
        asm volatile("" : "+x"(x));
        s5 = _mm256_add_epi32(s5, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), ones));
        asm volatile("" : "+x"(x));
        s6 = _mm256_add_epi32(s6, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), ones));
        asm volatile("" : "+x"(x));
        s7 = _mm256_add_epi32(s7, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), ones));
        asm volatile("" : "+x"(x));
        asm volatile(""
                     : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5), "+x"(s6),
                       "+x"(s7));
    }
    return static_cast<double>(rounds) * 8 * 32 * 2;
}

}  // namespace

LoopOrWhyNot int8_loop() {
    if (__builtin_cpu_supports("avx512vnni")) return {loop_vnni, nullptr};
    if (probe_cpu().avx_vnni) return {loop_avx_vnni, nullptr};
    if (__builtin_cpu_supports("avx2")) return {loop_avx2, nullptr};
    return {nullptr, "this CPU has neither AVX512_VNNI nor AVX2"};
}

#else

LoopOrWhyNot int8_loop() {
    return {nullptr, "this CPU has neither AVX512_VNNI nor AVX2"};
}

#endif

}  // namespace vit::tools
