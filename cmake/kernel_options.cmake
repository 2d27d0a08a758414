# Flags for the files that instantiate kernels. -ffp-contract=off: if the compiler fused multiplications and additions
# on its own, the bits of an element could depend on its place in a row.
set(kernel_options -ffp-contract=off -fno-trapping-math -fno-math-errno)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # GCC warns about its own AVX-512 header (GCC bug 105593)
  list(APPEND kernel_options -Wno-uninitialized -Wno-maybe-uninitialized)
endif()
set(avx2_options -mavx2 -mfma)
set(avx512_options -mavx512f -mavx512cd -mavx512dq -mavx512bw -mavx512vl -mfma)
set(avx512_vnni_options ${avx512_options} -mavx512vnni)
set(avx512_bf16_options ${avx512_options} -mavx512bf16)
