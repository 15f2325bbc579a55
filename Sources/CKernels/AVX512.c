// x86 with AVX-512 and its dot products of bytes.
#include "Internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(                                                                                          \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma"))), apply_to = function)

#define RK_NAME(name) name##_avx512
#define RK_TABLE rk_table_avx512
#define RK_ISA RK_AVX512
#define RK_TILE 12
#define RK_WIDE 2
#define RK_INTEGER_TILE 8
#define RK_BIAS 128

RK_INLINE rk_f16v rk_halves(const uint8_t *from) {
  return (rk_f16v)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)from));
}

// The dot product takes unsigned weights: 128 is added, and taken off the sum.
RK_INLINE rk_b64v rk_weights(rk_b64v weights) { return weights ^ (rk_b64v)(128); }

RK_INLINE rk_i16v rk_dot_bytes(rk_i16v sum, rk_b64v weights, int32_t quad) {
  return (rk_i16v)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)weights, _mm512_set1_epi32(quad));
}

RK_INLINE rk_i16v rk_dot_nibbles(rk_i16v sum, rk_b64v weights, int32_t quad) {
  return rk_dot_bytes(sum, weights, quad);
}

#include "KernelBody.h"

#pragma clang attribute pop
#endif
