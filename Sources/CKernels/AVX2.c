// x86 with AVX2, FMA and half-precision conversion.
#include "Internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define RK_NAME(name) name##_avx2
#define RK_TABLE rk_table_avx2
#define RK_ISA RK_AVX2
#define RK_TILE 6
#define RK_WIDE 1
#define RK_INTEGER_TILE 4
#define RK_BIAS 0

// Two registers to a vector of 16 lanes.
typedef union {
  __m256i half[2];
  rk_i16v lanes;
  rk_b64v bytes;
} rk_pair;

RK_INLINE rk_f16v rk_halves(const uint8_t *from) {
  union {
    __m256 half[2];
    rk_f16v lanes;
  } values;
  values.half[0] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from));
  values.half[1] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from + 16)));
  return values.lanes;
}

RK_INLINE rk_b64v rk_weights(rk_b64v weights) { return weights; }

// Products of an unsigned and a signed byte are added in pairs of 16 bits, so a weight's sign moves to its factor.
RK_INLINE rk_i16v rk_dot_bytes(rk_i16v sum, rk_b64v weights, int32_t quad) {
  rk_pair w = {.bytes = weights}, s = {.lanes = sum};
  __m256i x = _mm256_set1_epi32(quad), ones = _mm256_set1_epi16(1);
  for (int i = 0; i < 2; i++) {
    __m256i magnitude = _mm256_abs_epi8(w.half[i]), factor = _mm256_sign_epi8(x, w.half[i]);
    s.half[i] = _mm256_add_epi32(s.half[i], _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, factor), ones));
  }
  return s.lanes;
}

RK_INLINE rk_i16v rk_dot_nibbles(rk_i16v sum, rk_b64v weights, int32_t quad) {
  rk_pair w = {.bytes = weights}, s = {.lanes = sum};
  __m256i x = _mm256_set1_epi32(quad), ones = _mm256_set1_epi16(1);
  for (int i = 0; i < 2; i++) {
    s.half[i] = _mm256_add_epi32(s.half[i], _mm256_madd_epi16(_mm256_maddubs_epi16(w.half[i], x), ones));
  }
  return s.lanes;
}

#include "KernelBody.h"

#pragma clang attribute pop
#endif
