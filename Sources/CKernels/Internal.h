// What the parts of the kernels share.
#ifndef RK_INTERNAL_H
#define RK_INTERNAL_H

#include "CKernels.h"

#include <math.h>
#include <string.h>

// Vectors pass only between functions that are always inlined, so how a call would pass them does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define RK_INLINE static inline __attribute__((always_inline))
#define RK_UNROLL _Pragma("clang loop unroll(full)")

typedef float rk_f16v __attribute__((ext_vector_type(16), aligned(4)));
typedef int32_t rk_i16v __attribute__((ext_vector_type(16), aligned(4)));
typedef uint32_t rk_u16v __attribute__((ext_vector_type(16), aligned(4)));
typedef uint16_t rk_h16v __attribute__((ext_vector_type(16), aligned(2)));
typedef uint8_t rk_b64v __attribute__((ext_vector_type(64), aligned(1)));

// Activations of some rows in 8 bits: blocks of 32 with a scale, as GGUF's Q8_0 and Q8_1.
typedef struct {
  int8_t *values;  // [rows][inner]
  float *scale;    // [rows][blocks], rounded to f16
  float *offset;   // [rows][blocks]: scale * sum of values, rounded to f16
  int32_t *sum;    // [rows][blocks]: sum of values
} rk_quantized;

// A product: what all threads read.
typedef struct {
  const rk_matrix *weights;
  const float *x;
  int64_t x_stride, rows;
  float *y;
  int64_t y_stride;
  float *packed;
  rk_quantized quantized;
} rk_product;

// Attention of a step: what all threads read. `first[s]` counts the tiles before span s.
typedef struct {
  const rk_cache *cache;
  const rk_span *spans;
  int64_t count;
  const float *qkv;
  int64_t qkv_stride;
  float *out;
  int64_t out_stride;
  int64_t *first;
  float *scores;
  int64_t scores_each;
} rk_attending;

// The kernels of one instruction set. Ranges are of panels, rows or tiles.
typedef struct {
  int isa;
  // Rows that float products and attention take together.
  int tile_rows;
  void (*pack)(const rk_product *, int64_t begin, int64_t end);
  void (*quantize)(const rk_product *, int64_t begin, int64_t end);
  void (*float_panels)(const rk_product *, int64_t begin, int64_t end);
  void (*integer_panels)(const rk_product *, int64_t begin, int64_t end);
  void (*attend)(const rk_attending *, int64_t begin, int64_t end, int thread);
  void (*add_norm)(float *, const float *, const float *, float, int64_t, float *);
  void (*add)(float *, const float *, int64_t);
  void (*rotate)(float *, int, int, const float *, const float *);
  void (*swiglu)(const float *, int64_t, float *);
  void (*accumulate)(float *, const float *, float, int64_t);
  float (*peak)(int format, int64_t rounds);
  float (*read)(const float *, int64_t);
  void (*triad)(float *, const float *, const float *, float, int64_t);
} rk_table;

extern const rk_table rk_table_portable;
#if defined(__x86_64__)
extern const rk_table rk_table_avx2;
extern const rk_table rk_table_avx512;
#elif defined(__aarch64__)
extern const rk_table rk_table_neon;
#endif

// Chains of independent multiply-adds in a round of `rk_peak`, and rounds' inner steps.
enum { RK_PEAK_CHAINS = 12, RK_PEAK_STEPS = 64 };

// Work in equal pieces that threads take in turn.
typedef void (*rk_task)(const void *context, int64_t begin, int64_t end, int thread);
void rk_run(rk_pool *pool, rk_task task, const void *context, int64_t items, int64_t grain);
const rk_table *rk_pool_table(const rk_pool *pool);

// IEEE half precision, rounded to nearest even.
RK_INLINE float rk_from_half(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7FFF, bits;
  if (magnitude >= 0x7C00) {
    bits = sign | 0x7F800000 | (magnitude & 0x3FF) << 13;
  } else if (magnitude >= 0x400) {
    bits = sign | ((magnitude << 13) + (112u << 23));
  } else {
    float small = (float)magnitude * 0x1p-24f;
    memcpy(&bits, &small, 4);
    bits |= sign;
  }
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

RK_INLINE uint16_t rk_to_half(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return (uint16_t)(sign | 0x7E00);
  if (magnitude >= 0x477FF000) return (uint16_t)(sign | 0x7C00);
  if (magnitude < 0x38800000) {
    // Below the normal range: adding 2^-1 * 2^-13 lets the unit round at the last half bit.
    float shifted;
    memcpy(&shifted, &magnitude, 4);
    shifted += 0.5f;
    memcpy(&bits, &shifted, 4);
    return (uint16_t)(sign | (bits - 0x3F000000));
  }
  uint32_t odd = magnitude >> 13 & 1;
  return (uint16_t)(sign | (magnitude + 0xFFF + odd - (112u << 23)) >> 13);
}

RK_INLINE float rk_rounded_to_half(float value) { return rk_from_half(rk_to_half(value)); }

// To the nearest whole number, ties to even; for magnitudes below 2^22.
RK_INLINE float rk_round(float value) { return (value + 12582912.0f) - 12582912.0f; }

RK_INLINE int64_t rk_panels(int64_t columns) { return (columns + RK_LANES - 1) / RK_LANES; }
RK_INLINE int64_t rk_min(int64_t a, int64_t b) { return a < b ? a : b; }

#endif
