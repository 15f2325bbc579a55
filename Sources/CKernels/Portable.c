// Plain C: whatever vectors the compiler's base architecture has.
#include "Internal.h"

#define RK_NAME(name) name##_portable
#define RK_TABLE rk_table_portable
#define RK_ISA RK_PORTABLE
#define RK_TILE 4
#define RK_WIDE 1
#define RK_INTEGER_TILE 4
#define RK_BIAS 0

RK_INLINE rk_f16v rk_halves(const uint8_t *from) {
  rk_f16v values;
  for (int i = 0; i < RK_LANES; i++) {
    uint16_t half;
    memcpy(&half, from + 2 * i, 2);
    values[i] = rk_from_half(half);
  }
  return values;
}

RK_INLINE rk_b64v rk_weights(rk_b64v weights) { return weights; }

RK_INLINE rk_i16v rk_dot_bytes(rk_i16v sum, rk_b64v weights, int32_t quad) {
  int8_t x[4], w[64];
  memcpy(x, &quad, 4);
  memcpy(w, &weights, 64);
  int32_t lanes[RK_LANES];
  for (int i = 0; i < RK_LANES; i++) {
    lanes[i] = w[4 * i] * x[0] + w[4 * i + 1] * x[1] + w[4 * i + 2] * x[2] + w[4 * i + 3] * x[3];
  }
  return sum + *(const rk_i16v *)lanes;
}

// Four bits fit in a signed byte.
RK_INLINE rk_i16v rk_dot_nibbles(rk_i16v sum, rk_b64v weights, int32_t quad) {
  return rk_dot_bytes(sum, weights, quad);
}

#include "KernelBody.h"
