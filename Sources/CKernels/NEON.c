// 64-bit ARM.
#include "Internal.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define RK_NAME(name) name##_neon
#define RK_TABLE rk_table_neon
#define RK_ISA RK_NEON
#define RK_TILE 6
#define RK_WIDE 1
#define RK_INTEGER_TILE 4
#define RK_BIAS 0

// Four registers to a vector of 16 lanes.
typedef union {
  int32x4_t sums[4];
  int8x16_t bytes[4];
  rk_i16v lanes;
  rk_b64v all;
} rk_quarters;

RK_INLINE rk_f16v rk_halves(const uint8_t *from) {
  union {
    float32x4_t quarter[4];
    rk_f16v lanes;
  } values;
  for (int i = 0; i < 4; i++) values.quarter[i] = vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(from + 8 * i)));
  return values.lanes;
}

RK_INLINE rk_b64v rk_weights(rk_b64v weights) { return weights; }

RK_INLINE rk_i16v rk_dot_bytes(rk_i16v sum, rk_b64v weights, int32_t quad) {
  rk_quarters w = {.all = weights}, s = {.lanes = sum};
  int8x16_t x = vreinterpretq_s8_s32(vdupq_n_s32(quad));
  for (int i = 0; i < 4; i++) {
#if defined(__ARM_FEATURE_DOTPROD)
    s.sums[i] = vdotq_s32(s.sums[i], w.bytes[i], x);
#else
    int16x8_t low = vmull_s8(vget_low_s8(w.bytes[i]), vget_low_s8(x)), high = vmull_high_s8(w.bytes[i], x);
    s.sums[i] = vaddq_s32(s.sums[i], vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
#endif
  }
  return s.lanes;
}

// Four bits fit in a signed byte.
RK_INLINE rk_i16v rk_dot_nibbles(rk_i16v sum, rk_b64v weights, int32_t quad) {
  return rk_dot_bytes(sum, weights, quad);
}

#include "KernelBody.h"

#endif
