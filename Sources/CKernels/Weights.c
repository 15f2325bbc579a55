// Rows of weights as files hold them, and their packing into panels.
#include "Internal.h"

size_t rk_row_bytes(int format, int64_t inner) {
  size_t n = (size_t)inner, blocks = n / RK_BLOCK;
  switch (format) {
  case RK_F32: return 4 * n;
  case RK_BF16:
  case RK_F16: return 2 * n;
  case RK_INT8: return n + 4;
  case RK_Q8_0: return 34 * blocks;
  case RK_Q4_0: return 18 * blocks;
  case RK_Q4_1: return 20 * blocks;
  default: return 0;
  }
}

// MARK: Rows

static void put_half(uint8_t *at, float value) {
  uint16_t half = rk_to_half(value);
  memcpy(at, &half, 2);
}

static float get_half(const uint8_t *at) {
  uint16_t half;
  memcpy(&half, at, 2);
  return rk_from_half(half);
}

static uint16_t to_bf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static float from_bf16(uint16_t value) {
  uint32_t bits = (uint32_t)value << 16;
  float result;
  memcpy(&result, &bits, 4);
  return result;
}

static float largest_magnitude(const float *x, int64_t count) {
  float largest = 0;
  for (int64_t i = 0; i < count; i++) largest = fmaxf(largest, fabsf(x[i]));
  return largest;
}

static int clamped(float value, int low, int high) {
  int whole = (int)value;
  return whole < low ? low : whole > high ? high : whole;
}

static void encode_q8_0(const float *x, uint8_t *block) {
  float scale = largest_magnitude(x, RK_BLOCK) / 127, inverse = scale > 0 ? 1 / scale : 0;
  put_half(block, scale);
  for (int i = 0; i < RK_BLOCK; i++) block[2 + i] = (uint8_t)(int8_t)rk_round(x[i] * inverse);
}

// The value of largest magnitude becomes -8, so that one end is exact.
static void encode_q4_0(const float *x, uint8_t *block) {
  float extreme = 0;
  for (int i = 0; i < RK_BLOCK; i++) {
    if (fabsf(x[i]) > fabsf(extreme)) extreme = x[i];
  }
  float scale = extreme / -8, inverse = scale != 0 ? 1 / scale : 0;
  put_half(block, scale);
  for (int i = 0; i < 16; i++) {
    int low = clamped(x[i] * inverse + 8.5f, 0, 15), high = clamped(x[i + 16] * inverse + 8.5f, 0, 15);
    block[2 + i] = (uint8_t)(low | high << 4);
  }
}

static void encode_q4_1(const float *x, uint8_t *block) {
  float low = x[0], high = x[0];
  for (int i = 1; i < RK_BLOCK; i++) {
    low = fminf(low, x[i]);
    high = fmaxf(high, x[i]);
  }
  float scale = (high - low) / 15, inverse = scale > 0 ? 1 / scale : 0;
  put_half(block, scale);
  put_half(block + 2, low);
  for (int i = 0; i < 16; i++) {
    int first = clamped((x[i] - low) * inverse + 0.5f, 0, 15);
    int second = clamped((x[i + 16] - low) * inverse + 0.5f, 0, 15);
    block[4 + i] = (uint8_t)(first | second << 4);
  }
}

void rk_encode_row(int format, const float *x, int64_t inner, void *row) {
  uint8_t *out = row;
  int64_t blocks = inner / RK_BLOCK;
  switch (format) {
  case RK_F32: memcpy(out, x, 4 * (size_t)inner); break;
  case RK_BF16:
    for (int64_t i = 0; i < inner; i++) {
      uint16_t value = to_bf16(x[i]);
      memcpy(out + 2 * i, &value, 2);
    }
    break;
  case RK_F16:
    for (int64_t i = 0; i < inner; i++) put_half(out + 2 * i, x[i]);
    break;
  case RK_INT8: {
    float scale = largest_magnitude(x, inner) / 127, inverse = scale > 0 ? 1 / scale : 0;
    for (int64_t i = 0; i < inner; i++) out[i] = (uint8_t)(int8_t)rk_round(x[i] * inverse);
    memcpy(out + inner, &scale, 4);
    break;
  }
  case RK_Q8_0:
    for (int64_t b = 0; b < blocks; b++) encode_q8_0(x + b * RK_BLOCK, out + 34 * b);
    break;
  case RK_Q4_0:
    for (int64_t b = 0; b < blocks; b++) encode_q4_0(x + b * RK_BLOCK, out + 18 * b);
    break;
  case RK_Q4_1:
    for (int64_t b = 0; b < blocks; b++) encode_q4_1(x + b * RK_BLOCK, out + 20 * b);
    break;
  }
}

// Four-bit blocks hold values 0...15 in the low halves of their bytes and 16...31 in the high ones.
static void decode_nibbles(const uint8_t *bytes, float scale, float offset, float *x) {
  for (int i = 0; i < 16; i++) {
    x[i] = (float)(bytes[i] & 15) * scale + offset;
    x[i + 16] = (float)(bytes[i] >> 4) * scale + offset;
  }
}

void rk_decode_row(int format, const void *row, int64_t inner, float *x) {
  const uint8_t *in = row;
  int64_t blocks = inner / RK_BLOCK;
  switch (format) {
  case RK_F32: memcpy(x, in, 4 * (size_t)inner); break;
  case RK_BF16:
    for (int64_t i = 0; i < inner; i++) {
      uint16_t value;
      memcpy(&value, in + 2 * i, 2);
      x[i] = from_bf16(value);
    }
    break;
  case RK_F16:
    for (int64_t i = 0; i < inner; i++) x[i] = get_half(in + 2 * i);
    break;
  case RK_INT8: {
    float scale;
    memcpy(&scale, in + inner, 4);
    for (int64_t i = 0; i < inner; i++) x[i] = scale * (float)(int8_t)in[i];
    break;
  }
  case RK_Q8_0:
    for (int64_t b = 0; b < blocks; b++) {
      float scale = get_half(in + 34 * b);
      for (int i = 0; i < RK_BLOCK; i++) x[b * RK_BLOCK + i] = scale * (float)(int8_t)in[34 * b + 2 + i];
    }
    break;
  case RK_Q4_0:
    for (int64_t b = 0; b < blocks; b++) {
      float scale = get_half(in + 18 * b);
      decode_nibbles(in + 18 * b + 2, scale, -8 * scale, x + b * RK_BLOCK);
    }
    break;
  case RK_Q4_1:
    for (int64_t b = 0; b < blocks; b++) {
      decode_nibbles(in + 20 * b + 4, get_half(in + 20 * b), get_half(in + 20 * b + 2), x + b * RK_BLOCK);
    }
    break;
  }
}

// MARK: Panels

static int has_nibbles(int format) { return format == RK_Q4_0 || format == RK_Q4_1; }

size_t rk_matrix_data_bytes(int format, int64_t columns, int64_t inner) {
  size_t elements = (size_t)(rk_panels(columns) * RK_LANES * inner);
  if (format == RK_F32) return 4 * elements;
  if (format == RK_BF16) return 2 * elements;
  return has_nibbles(format) ? elements / 2 : elements;
}

size_t rk_matrix_scale_bytes(int format, int64_t columns, int64_t inner) {
  size_t panels = (size_t)rk_panels(columns), blocks = (size_t)(inner / RK_BLOCK);
  switch (format) {
  case RK_INT8: return 4 * RK_LANES * panels;
  case RK_Q8_0:
  case RK_Q4_0: return 2 * RK_LANES * panels * blocks;
  case RK_Q4_1: return 4 * RK_LANES * panels * blocks;
  default: return 0;
  }
}

// Value `i` of a block lies in quad i / 4; the later four quads of nibbles share bytes with the first four.
static void set_nibbles(uint8_t *block, int lane, const uint8_t *bytes) {
  for (int i = 0; i < 16; i++) block[(i / 4 * RK_LANES + lane) * 4 + i % 4] = bytes[i];
}

static void set_bytes(uint8_t *block, int lane, const uint8_t *bytes) {
  for (int i = 0; i < RK_BLOCK; i++) block[(i / 4 * RK_LANES + lane) * 4 + i % 4] = bytes[i];
}

void rk_matrix_set(rk_matrix *m, int64_t column, const void *row) {
  const uint8_t *in = row;
  int64_t panel = column / RK_LANES, blocks = m->inner / RK_BLOCK;
  int lane = (int)(column % RK_LANES);
  if (m->format == RK_F32 || m->format == RK_BF16) {
    size_t size = m->format == RK_F32 ? 4 : 2;
    uint8_t *to = m->data + (size_t)panel * (size_t)m->inner * RK_LANES * size + (size_t)lane * size;
    for (int64_t i = 0; i < m->inner; i++) memcpy(to + (size_t)i * RK_LANES * size, in + (size_t)i * size, size);
    return;
  }
  size_t block_bytes = has_nibbles(m->format) ? 256 : 512;
  if (m->format == RK_INT8) memcpy(m->scales + 4 * (panel * RK_LANES + lane), in + m->inner, 4);
  for (int64_t b = 0; b < blocks; b++) {
    int64_t index = panel * blocks + b;
    uint8_t *to = m->data + (size_t)index * block_bytes;
    switch (m->format) {
    case RK_INT8: set_bytes(to, lane, in + b * RK_BLOCK); break;
    case RK_Q8_0:
      memcpy(m->scales + 2 * (index * RK_LANES + lane), in + 34 * b, 2);
      set_bytes(to, lane, in + 34 * b + 2);
      break;
    case RK_Q4_0:
      memcpy(m->scales + 2 * (index * RK_LANES + lane), in + 18 * b, 2);
      set_nibbles(to, lane, in + 18 * b + 2);
      break;
    case RK_Q4_1:
      memcpy(m->scales + 2 * (index * 2 * RK_LANES + lane), in + 20 * b, 2);
      memcpy(m->scales + 2 * (index * 2 * RK_LANES + RK_LANES + lane), in + 20 * b + 2, 2);
      set_nibbles(to, lane, in + 20 * b + 4);
      break;
    }
  }
}

static void get_nibbles(const uint8_t *block, int lane, float scale, float offset, float *x) {
  uint8_t bytes[16];
  for (int i = 0; i < 16; i++) bytes[i] = block[(i / 4 * RK_LANES + lane) * 4 + i % 4];
  decode_nibbles(bytes, scale, offset, x);
}

static void get_bytes(const uint8_t *block, int lane, float scale, float *x) {
  for (int i = 0; i < RK_BLOCK; i++) x[i] = scale * (float)(int8_t)block[(i / 4 * RK_LANES + lane) * 4 + i % 4];
}

void rk_matrix_get(const rk_matrix *m, int64_t column, float *x) {
  int64_t panel = column / RK_LANES, blocks = m->inner / RK_BLOCK;
  int lane = (int)(column % RK_LANES);
  if (m->format == RK_F32 || m->format == RK_BF16) {
    size_t size = m->format == RK_F32 ? 4 : 2;
    const uint8_t *from = m->data + (size_t)panel * (size_t)m->inner * RK_LANES * size + (size_t)lane * size;
    for (int64_t i = 0; i < m->inner; i++) rk_decode_row(m->format, from + (size_t)i * RK_LANES * size, 1, x + i);
    return;
  }
  float column_scale = 0;
  if (m->format == RK_INT8) memcpy(&column_scale, m->scales + 4 * (panel * RK_LANES + lane), 4);
  for (int64_t b = 0; b < blocks; b++) {
    int64_t index = panel * blocks + b;
    float *to = x + b * RK_BLOCK;
    switch (m->format) {
    case RK_INT8: get_bytes(m->data + 512 * index, lane, column_scale, to); break;
    case RK_Q8_0:
      get_bytes(m->data + 512 * index, lane, get_half(m->scales + 2 * (index * RK_LANES + lane)), to);
      break;
    case RK_Q4_0: {
      float scale = get_half(m->scales + 2 * (index * RK_LANES + lane));
      get_nibbles(m->data + 256 * index, lane, scale, -8 * scale, to);
      break;
    }
    case RK_Q4_1: {
      const uint8_t *scales = m->scales + 4 * index * RK_LANES;
      get_nibbles(
        m->data + 256 * index, lane, get_half(scales + 2 * lane), get_half(scales + 2 * (RK_LANES + lane)), to);
      break;
    }
    }
  }
}

// SplitMix64; 24 of its bits make a value.
void rk_random(uint64_t seed, float scale, int64_t count, float *x) {
  for (int64_t i = 0; i < count; i++) {
    uint64_t z = (seed += 0x9E3779B97F4A7C15ull);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    z ^= z >> 31;
    x[i] = ((float)(z >> 40) * 0x1p-23f - 1) * scale;
  }
}
