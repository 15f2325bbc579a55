// The kernels, once. Included by one file for each instruction set, which defines
//   RK_NAME(name)   the function's name there
//   RK_TILE         rows that a float tile takes at once
//   RK_WIDE         panels that it takes at once
//   RK_INTEGER_TILE rows that an integer tile takes at once
//   rk_halves       16 numbers in f16 to f32
//   rk_weights      64 weights in memory to the form that rk_dot takes, and RK_BIAS, what that form adds to a weight
//   rk_dot_bytes, rk_dot_nibbles   sums of four products in each of 16 lanes

// MARK: Small things

RK_INLINE rk_f16v RK_NAME(splat)(float value) { return (rk_f16v)(value); }

RK_INLINE rk_f16v RK_NAME(load)(const float *from) { return *(const rk_f16v *)from; }

RK_INLINE void RK_NAME(store)(float *to, rk_f16v value) { *(rk_f16v *)to = value; }

RK_INLINE rk_f16v RK_NAME(load_bf16)(const uint8_t *from) {
  rk_u16v wide = __builtin_convertvector(*(const rk_h16v *)from, rk_u16v) << 16;
  return (rk_f16v)wide;
}

// The sum of lanes, always in the same order.
RK_INLINE float RK_NAME(sum)(rk_f16v v) {
  float lanes[16];
  RK_NAME(store)(lanes, v);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

// e^x to within a few units of the last place; x is cut to what a float can hold.
RK_INLINE rk_f16v RK_NAME(exponential)(rk_f16v x) {
  x = __builtin_elementwise_min(__builtin_elementwise_max(x, RK_NAME(splat)(-87.0f)), RK_NAME(splat)(88.0f));
  rk_f16v whole = x * 1.44269504f + 12582912.0f;
  rk_i16v exponent = (rk_i16v)whole << 23;
  whole = whole - 12582912.0f;
  rk_f16v r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
  rk_f16v p = RK_NAME(splat)(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return (rk_f16v)((rk_i16v)p + exponent);
}

// MARK: Float tiles

// acc[r][j] += a[r][k] * b[j][k][lane] for k in order. The one loop of products and attention.
RK_INLINE void RK_NAME(tile)(
  int bf16, int rows, int wide, const float *a, int64_t row_step, int64_t inner_step, const uint8_t *const *b,
  int64_t inner, rk_f16v acc[][RK_WIDE]) {
  for (int64_t k = 0; k < inner; k++) {
    rk_f16v column[RK_WIDE];
    RK_UNROLL for (int j = 0; j < wide; j++) {
      column[j] = bf16 ? RK_NAME(load_bf16)(b[j] + 32 * k) : RK_NAME(load)((const float *)(b[j] + 64 * k));
    }
    RK_UNROLL for (int r = 0; r < rows; r++) {
      rk_f16v value = RK_NAME(splat)(a[r * row_step + k * inner_step]);
      RK_UNROLL for (int j = 0; j < wide; j++) acc[r][j] += value * column[j];
    }
  }
}

// Runs a statement with ROWS a constant, for 1...12 rows.
#define RK_CASE(n, ...)                                                                                                \
  case n: {                                                                                                            \
    enum { ROWS = n };                                                                                                 \
    __VA_ARGS__;                                                                                                       \
    break;                                                                                                             \
  }
#define RK_CASES4(rows, ...)                                                                                           \
  switch (rows) { RK_CASE(1, __VA_ARGS__) RK_CASE(2, __VA_ARGS__) RK_CASE(3, __VA_ARGS__) RK_CASE(4, __VA_ARGS__) }
#define RK_CASES6(rows, ...)                                                                                           \
  switch (rows) {                                                                                                      \
    RK_CASE(1, __VA_ARGS__) RK_CASE(2, __VA_ARGS__) RK_CASE(3, __VA_ARGS__) RK_CASE(4, __VA_ARGS__)                    \
    RK_CASE(5, __VA_ARGS__) RK_CASE(6, __VA_ARGS__)                                                                    \
  }
#define RK_CASES8(rows, ...)                                                                                           \
  switch (rows) {                                                                                                      \
    RK_CASE(1, __VA_ARGS__) RK_CASE(2, __VA_ARGS__) RK_CASE(3, __VA_ARGS__) RK_CASE(4, __VA_ARGS__)                    \
    RK_CASE(5, __VA_ARGS__) RK_CASE(6, __VA_ARGS__) RK_CASE(7, __VA_ARGS__) RK_CASE(8, __VA_ARGS__)                    \
  }
#define RK_CASES12(rows, ...)                                                                                          \
  switch (rows) {                                                                                                      \
    RK_CASE(1, __VA_ARGS__) RK_CASE(2, __VA_ARGS__) RK_CASE(3, __VA_ARGS__) RK_CASE(4, __VA_ARGS__)                    \
    RK_CASE(5, __VA_ARGS__) RK_CASE(6, __VA_ARGS__) RK_CASE(7, __VA_ARGS__) RK_CASE(8, __VA_ARGS__)                    \
    RK_CASE(9, __VA_ARGS__) RK_CASE(10, __VA_ARGS__) RK_CASE(11, __VA_ARGS__) RK_CASE(12, __VA_ARGS__)                 \
  }
#define RK_JOIN(a, b) a##b
#define RK_CASES_OF(count) RK_JOIN(RK_CASES, count)

// A tile of a product: rows that are packed beside one another, some panels, a part of the inner dimension.
RK_INLINE void RK_NAME(product_tile)(
  int bf16, int rows, int wide, const rk_product *p, int64_t row, int64_t panel, int64_t from, int64_t count) {
  const rk_matrix *w = p->weights;
  int64_t element = bf16 ? 2 : 4;
  const uint8_t *b[RK_WIDE];
  rk_f16v acc[RK_TILE][RK_WIDE];
  RK_UNROLL for (int j = 0; j < wide; j++) b[j] = w->data + ((panel + j) * w->inner + from) * RK_LANES * element;
  RK_UNROLL for (int r = 0; r < rows; r++) {
    RK_UNROLL for (int j = 0; j < wide; j++) {
      int64_t column = (panel + j) * RK_LANES, valid = rk_min(RK_LANES, w->columns - column);
      float *y = p->y + (row + r) * p->y_stride + column;
      acc[r][j] = RK_NAME(splat)(0);
      if (from > 0 && valid == RK_LANES) acc[r][j] = RK_NAME(load)(y);
      if (from > 0 && valid < RK_LANES) {
        float part[RK_LANES] = {0};
        memcpy(part, y, 4 * (size_t)valid);
        acc[r][j] = RK_NAME(load)(part);
      }
    }
  }
  RK_NAME(tile)(bf16, rows, wide, p->packed + row * w->inner + from * rows, 1, rows, b, count, acc);
  RK_UNROLL for (int r = 0; r < rows; r++) {
    RK_UNROLL for (int j = 0; j < wide; j++) {
      int64_t column = (panel + j) * RK_LANES, valid = rk_min(RK_LANES, w->columns - column);
      float *y = p->y + (row + r) * p->y_stride + column;
      if (valid == RK_LANES) {
        RK_NAME(store)(y, acc[r][j]);
      } else {
        float part[RK_LANES];
        RK_NAME(store)(part, acc[r][j]);
        memcpy(y, part, 4 * (size_t)valid);
      }
    }
  }
}

static void RK_NAME(product_rows)(
  int bf16, int wide, const rk_product *p, int64_t row, int64_t rows, int64_t panel, int64_t from, int64_t count) {
  if (bf16 && wide == RK_WIDE) {
    RK_CASES_OF(RK_TILE)(rows, RK_NAME(product_tile)(1, ROWS, RK_WIDE, p, row, panel, from, count))
  } else if (bf16) {
    RK_CASES_OF(RK_TILE)(rows, RK_NAME(product_tile)(1, ROWS, 1, p, row, panel, from, count))
  } else if (wide == RK_WIDE) {
    RK_CASES_OF(RK_TILE)(rows, RK_NAME(product_tile)(0, ROWS, RK_WIDE, p, row, panel, from, count))
  } else {
    RK_CASES_OF(RK_TILE)(rows, RK_NAME(product_tile)(0, ROWS, 1, p, row, panel, from, count))
  }
}

// Few rows leave multipliers waiting for one another, so that more panels go side by side: a row a panel of a tile.
RK_INLINE void RK_NAME(vector_tile)(int bf16, int wide, const rk_product *p, int64_t panel) {
  enum { CHAINS = 8 };
  const rk_matrix *w = p->weights;
  const uint8_t *b[CHAINS];
  rk_f16v acc[CHAINS];
  RK_UNROLL for (int j = 0; j < wide; j++) {
    b[j] = w->data + (panel + j) * w->inner * RK_LANES * (bf16 ? 2 : 4);
    acc[j] = RK_NAME(splat)(0);
  }
  for (int64_t k = 0; k < w->inner; k++) {
    rk_f16v value = RK_NAME(splat)(p->packed[k]);
    RK_UNROLL for (int j = 0; j < wide; j++) {
      rk_f16v column = bf16 ? RK_NAME(load_bf16)(b[j] + 32 * k) : RK_NAME(load)((const float *)(b[j] + 64 * k));
      acc[j] += value * column;
    }
  }
  RK_UNROLL for (int j = 0; j < wide; j++) RK_NAME(store)(p->y + (panel + j) * RK_LANES, acc[j]);
}

static int64_t RK_NAME(vector_panels)(const rk_product *p, int64_t begin, int64_t end) {
  int64_t whole = rk_min(end, p->weights->columns / RK_LANES);
  int bf16 = p->weights->format == RK_BF16;
  for (; begin + 8 <= whole; begin += 8) {
    if (bf16) RK_NAME(vector_tile)(1, 8, p, begin);
    else RK_NAME(vector_tile)(0, 8, p, begin);
  }
  return begin;
}

// Inner elements and rows of a block, so that rows stay in the second-level cache while panels pass by.
enum { RK_NAME(inner_block) = 768, RK_NAME(row_block) = 16 * RK_TILE };

static void RK_NAME(float_panels)(const rk_product *p, int64_t begin, int64_t end) {
  const rk_matrix *w = p->weights;
  int bf16 = w->format == RK_BF16;
  if (p->rows == 1) begin = RK_NAME(vector_panels)(p, begin, end);
  for (int64_t from = 0; from < w->inner; from += RK_NAME(inner_block)) {
    int64_t count = rk_min(RK_NAME(inner_block), w->inner - from);
    for (int64_t block = 0; block < p->rows; block += RK_NAME(row_block)) {
      int64_t last = rk_min(p->rows, block + RK_NAME(row_block));
      for (int64_t panel = begin; panel < end; panel += RK_WIDE) {
        int wide = end - panel >= RK_WIDE ? RK_WIDE : 1;
        for (int64_t row = block; row < last; row += RK_TILE) {
          int64_t rows = rk_min(RK_TILE, last - row);
          for (int64_t next = panel; next < rk_min(end, panel + RK_WIDE); next += wide) {
            RK_NAME(product_rows)(bf16, wide, p, row, rows, next, from, count);
          }
        }
      }
    }
  }
}

// Rows of a tile side by side: packed[tile][inner][rows of the tile]. `begin` and `end` count tiles.
static void RK_NAME(pack)(const rk_product *p, int64_t begin, int64_t end) {
  int64_t inner = p->weights->inner;
  for (int64_t row = begin * RK_TILE; row < rk_min(p->rows, end * RK_TILE); row += RK_TILE) {
    int64_t rows = rk_min(RK_TILE, p->rows - row);
    float *to = p->packed + row * inner;
    for (int64_t r = 0; r < rows; r++) {
      const float *from = p->x + (row + r) * p->x_stride;
      for (int64_t k = 0; k < inner; k++) to[k * rows + r] = from[k];
    }
  }
}

// MARK: Integer tiles

static void RK_NAME(quantize)(const rk_product *p, int64_t begin, int64_t end) {
  int64_t inner = p->weights->inner, blocks = inner / RK_BLOCK;
  const rk_quantized *q = &p->quantized;
  for (int64_t row = begin; row < end; row++) {
    for (int64_t b = 0; b < blocks; b++) {
      const float *from = p->x + row * p->x_stride + b * RK_BLOCK;
      int8_t *to = q->values + row * inner + b * RK_BLOCK;
      rk_f16v low = RK_NAME(load)(from), high = RK_NAME(load)(from + 16);
      rk_f16v magnitude = __builtin_elementwise_max(__builtin_elementwise_abs(low), __builtin_elementwise_abs(high));
      float scale = __builtin_reduce_max(magnitude) / 127, inverse = scale > 0 ? 1 / scale : 0;
      rk_i16v first = (rk_i16v)(low * inverse + 12582912.0f) - 0x4B400000;
      rk_i16v second = (rk_i16v)(high * inverse + 12582912.0f) - 0x4B400000;
      int32_t sum = __builtin_reduce_add(first + second);
      for (int i = 0; i < 16; i++) {
        to[i] = (int8_t)first[i];
        to[i + 16] = (int8_t)second[i];
      }
      q->scale[row * blocks + b] = rk_rounded_to_half(scale);
      q->offset[row * blocks + b] = rk_rounded_to_half(scale * (float)sum);
      q->sum[row * blocks + b] = sum;
    }
  }
}

// A tile of a product in integers: some rows and one panel. Sums within a block are exact.
RK_INLINE void RK_NAME(integer_tile)(int format, int rows, const rk_product *p, int64_t row, int64_t panel) {
  const rk_matrix *w = p->weights;
  const rk_quantized *q = &p->quantized;
  int64_t inner = w->inner, blocks = inner / RK_BLOCK;
  const int nibbles = format == RK_Q4_0 || format == RK_Q4_1;
  // What is added to a weight in memory or in rk_weights, to be taken off the sum again.
  const int bias = format == RK_Q4_1 ? 0 : format == RK_Q4_0 ? 8 : RK_BIAS;
  const uint8_t *data = w->data + panel * blocks * (nibbles ? 256 : 512);
  const uint8_t *scales = w->scales + panel * blocks * RK_LANES * (format == RK_Q4_1 ? 4 : 2);
  rk_f16v acc[RK_INTEGER_TILE];
  RK_UNROLL for (int r = 0; r < rows; r++) acc[r] = RK_NAME(splat)(0);
  for (int64_t b = 0; b < blocks; b++) {
    rk_b64v quads[8];
    if (nibbles) {
      RK_UNROLL for (int j = 0; j < 4; j++) {
        rk_b64v pair = *(const rk_b64v *)(data + b * 256 + j * 64);
        quads[j] = pair & (rk_b64v)(15);
        quads[j + 4] = pair >> (rk_b64v)(4);
      }
    } else {
      RK_UNROLL for (int j = 0; j < 8; j++) quads[j] = rk_weights(*(const rk_b64v *)(data + b * 512 + j * 64));
    }
    rk_f16v scale = RK_NAME(splat)(1), minimum = scale;
    if (format == RK_Q8_0 || format == RK_Q4_0) scale = rk_halves(scales + b * 32);
    if (format == RK_Q4_1) {
      scale = rk_halves(scales + b * 64);
      minimum = rk_halves(scales + b * 64 + 32);
    }
    RK_UNROLL for (int r = 0; r < rows; r++) {
      int64_t at = (row + r) * blocks + b;
      const int8_t *x = q->values + at * RK_BLOCK;
      rk_i16v sum = bias ? (rk_i16v)(-bias * q->sum[at]) : (rk_i16v)(0);
      RK_UNROLL for (int j = 0; j < 8; j++) {
        int32_t quad;
        memcpy(&quad, x + 4 * j, 4);
        sum = nibbles ? rk_dot_nibbles(sum, quads[j], quad) : rk_dot_bytes(sum, quads[j], quad);
      }
      rk_f16v value = __builtin_convertvector(sum, rk_f16v);
      acc[r] += value * (format == RK_INT8 ? RK_NAME(splat)(q->scale[at]) : scale * q->scale[at]);
      if (format == RK_Q4_1) acc[r] += minimum * q->offset[at];
    }
  }
  rk_f16v whole = RK_NAME(splat)(1);
  if (format == RK_INT8) whole = *(const rk_f16v *)(w->scales + panel * RK_LANES * 4);
  int64_t column = panel * RK_LANES, valid = rk_min(RK_LANES, w->columns - column);
  RK_UNROLL for (int r = 0; r < rows; r++) {
    float *y = p->y + (row + r) * p->y_stride + column;
    float part[RK_LANES];
    rk_f16v value = format == RK_INT8 ? acc[r] * whole : acc[r];
    if (valid == RK_LANES) {
      RK_NAME(store)(y, value);
    } else {
      RK_NAME(store)(part, value);
      memcpy(y, part, 4 * (size_t)valid);
    }
  }
}

static void RK_NAME(integer_panels)(const rk_product *p, int64_t begin, int64_t end) {
  // Rows that stay in the second-level cache while panels pass by.
  int64_t block = 128;
  for (int64_t from = 0; from < p->rows; from += block) {
    int64_t last = rk_min(p->rows, from + block);
    for (int64_t panel = begin; panel < end; panel++) {
      for (int64_t row = from; row < last; row += RK_INTEGER_TILE) {
        int64_t rows = rk_min(RK_INTEGER_TILE, last - row);
        switch (p->weights->format) {
        case RK_INT8:
          RK_CASES_OF(RK_INTEGER_TILE)(rows, RK_NAME(integer_tile)(RK_INT8, ROWS, p, row, panel)) break;
        case RK_Q8_0:
          RK_CASES_OF(RK_INTEGER_TILE)(rows, RK_NAME(integer_tile)(RK_Q8_0, ROWS, p, row, panel)) break;
        case RK_Q4_0:
          RK_CASES_OF(RK_INTEGER_TILE)(rows, RK_NAME(integer_tile)(RK_Q4_0, ROWS, p, row, panel)) break;
        case RK_Q4_1:
          RK_CASES_OF(RK_INTEGER_TILE)(rows, RK_NAME(integer_tile)(RK_Q4_1, ROWS, p, row, panel)) break;
        }
      }
    }
  }
}

// MARK: Attention

// Some queries of the heads that share a KV head: rows are (token, head), head by head.
typedef struct {
  const rk_attending *p;
  const rk_span *span;
  int64_t head, row, limit, stride;
  float *queries, *scores;
} RK_NAME(attention_tile);

RK_INLINE const uint8_t *RK_NAME(cached)(const float *base, const rk_cache *c, int32_t block, int64_t head) {
  return (const uint8_t *)(base + ((int64_t)block * c->kv_heads + head) * c->width * RK_LANES);
}

// Scores of all rows with 16 keys at a time. Keys beyond a row's own position are cut off in `soften`.
RK_INLINE void RK_NAME(score)(int rows, const RK_NAME(attention_tile) *t) {
  const rk_cache *c = t->p->cache;
  for (int64_t block = 0; block * RK_LANES < t->limit; block++) {
    const uint8_t *keys[RK_WIDE] = {RK_NAME(cached)(c->keys, c, t->span->blocks[block], t->head)};
    rk_f16v acc[RK_TILE][RK_WIDE];
    RK_UNROLL for (int r = 0; r < rows; r++) acc[r][0] = RK_NAME(splat)(0);
    RK_NAME(tile)(0, rows, 1, t->queries, 1, rows, keys, c->width, acc);
    RK_UNROLL for (int r = 0; r < rows; r++) RK_NAME(store)(t->scores + r * t->stride + block * RK_LANES, acc[r][0]);
  }
}

// Turns scores of `visible` keys into weights that are not yet divided by their sum, which is returned; the rest of the
// last block gets zeros.
static float RK_NAME(soften)(float *x, int64_t visible, int64_t limit) {
  int64_t padded = (limit + RK_LANES - 1) / RK_LANES * RK_LANES;
  for (int64_t i = visible; i < padded; i++) x[i] = -INFINITY;
  rk_f16v largest = RK_NAME(load)(x);
  for (int64_t i = RK_LANES; i < visible; i += RK_LANES) {
    largest = __builtin_elementwise_max(largest, RK_NAME(load)(x + i));
  }
  rk_f16v top = RK_NAME(splat)(__builtin_reduce_max(largest)), sum = RK_NAME(splat)(0);
  for (int64_t i = 0; i < visible; i += RK_LANES) {
    rk_f16v weight = RK_NAME(exponential)(RK_NAME(load)(x + i) - top);
    RK_NAME(store)(x + i, weight);
    if (i + RK_LANES > visible) {
      for (int64_t j = visible; j < i + RK_LANES; j++) x[j] = 0;
      weight = RK_NAME(load)(x + i);
    }
    sum += weight;
  }
  for (int64_t i = (visible + RK_LANES - 1) / RK_LANES * RK_LANES; i < padded; i++) x[i] = 0;
  return RK_NAME(sum)(sum);
}

RK_INLINE void RK_NAME(mix)(int rows, int wide, const RK_NAME(attention_tile) *t, int64_t lane, const float *inverse) {
  const rk_cache *c = t->p->cache;
  int64_t group = c->query_heads / c->kv_heads;
  rk_f16v acc[RK_TILE][RK_WIDE];
  RK_UNROLL for (int r = 0; r < rows; r++) {
    RK_UNROLL for (int j = 0; j < wide; j++) acc[r][j] = RK_NAME(splat)(0);
  }
  for (int64_t block = 0; block * RK_LANES < t->limit; block++) {
    const uint8_t *from = RK_NAME(cached)(c->values, c, t->span->blocks[block], t->head);
    const uint8_t *values[RK_WIDE];
    RK_UNROLL for (int j = 0; j < wide; j++) values[j] = from + (lane + j) * RK_LANES * RK_LANES * 4;
    RK_NAME(tile)(0, rows, wide, t->scores + block * RK_LANES, t->stride, 1, values, RK_LANES, acc);
  }
  RK_UNROLL for (int r = 0; r < rows; r++) {
    int64_t token = (t->row + r) / group, head = t->head * group + (t->row + r) % group;
    float *to = t->p->out + (t->span->row + token) * t->p->out_stride + head * c->width + lane * RK_LANES;
    RK_UNROLL for (int j = 0; j < wide; j++) RK_NAME(store)(to + j * RK_LANES, acc[r][j] * inverse[r]);
  }
}

RK_INLINE void RK_NAME(attend_rows)(int rows, RK_NAME(attention_tile) *t) {
  const rk_cache *c = t->p->cache;
  int64_t group = c->query_heads / c->kv_heads;
  float scale = 1 / sqrtf((float)c->width), inverse[RK_TILE];
  for (int64_t r = 0; r < rows; r++) {
    int64_t token = (t->row + r) / group, head = t->head * group + (t->row + r) % group;
    const float *from = t->p->qkv + (t->span->row + token) * t->p->qkv_stride + head * c->width;
    for (int64_t k = 0; k < c->width; k++) t->queries[k * rows + r] = from[k] * scale;
  }
  RK_NAME(score)(rows, t);
  for (int64_t r = 0; r < rows; r++) {
    int64_t visible = t->span->start + (t->row + r) / group + 1;
    inverse[r] = 1 / RK_NAME(soften)(t->scores + r * t->stride, visible, t->limit);
  }
  int64_t lanes = c->width / RK_LANES, lane = 0;
  for (; lane + RK_WIDE <= lanes; lane += RK_WIDE) RK_NAME(mix)(rows, RK_WIDE, t, lane, inverse);
  for (; lane < lanes; lane++) RK_NAME(mix)(rows, 1, t, lane, inverse);
}

// `begin` and `end` count tiles of all spans: KV head by KV head, rows in order.
static void RK_NAME(attend)(const rk_attending *p, int64_t begin, int64_t end, int thread) {
  const rk_cache *c = p->cache;
  int64_t group = c->query_heads / c->kv_heads, s = 0;
  for (int64_t item = begin; item < end; item++) {
    while (item >= p->first[s + 1]) s++;
    const rk_span *span = &p->spans[s];
    int64_t all = span->tokens * group, tiles = (all + RK_TILE - 1) / RK_TILE, index = item - p->first[s];
    RK_NAME(attention_tile) t = {.p = p, .span = span, .head = index / tiles, .row = index % tiles * RK_TILE};
    int64_t rows = rk_min(RK_TILE, all - t.row);
    t.limit = span->start + (t.row + rows - 1) / group + 1;
    // An odd number of blocks apart, so that rows do not fall on the same lines of the cache.
    t.stride = (t.limit + RK_LANES - 1) / RK_LANES * RK_LANES + RK_LANES;
    t.queries = p->scores + thread * p->scores_each;
    t.scores = t.queries + RK_TILE * c->width;
    RK_CASES_OF(RK_TILE)(rows, RK_NAME(attend_rows)(ROWS, &t))
  }
}

// MARK: Work on rows

static void RK_NAME(add_norm)(
  float *stream, const float *delta, const float *weight, float epsilon, int64_t width, float *out) {
  rk_f16v squares = RK_NAME(splat)(0);
  for (int64_t i = 0; i < width; i += RK_LANES) {
    rk_f16v x = RK_NAME(load)(stream + i);
    if (delta) {
      x += RK_NAME(load)(delta + i);
      RK_NAME(store)(stream + i, x);
    }
    squares += x * x;
  }
  float inverse = 1 / sqrtf(RK_NAME(sum)(squares) / (float)width + epsilon);
  for (int64_t i = 0; i < width; i += RK_LANES) {
    RK_NAME(store)(out + i, RK_NAME(load)(stream + i) * inverse * RK_NAME(load)(weight + i));
  }
}

static void RK_NAME(add)(float *stream, const float *delta, int64_t width) {
  int64_t i = 0;
  for (; i + RK_LANES <= width; i += RK_LANES) {
    RK_NAME(store)(stream + i, RK_NAME(load)(stream + i) + RK_NAME(load)(delta + i));
  }
  for (; i < width; i++) stream[i] += delta[i];
}

static void RK_NAME(rotate)(float *x, int heads, int width, const float *cosines, const float *sines) {
  int half = width / 2;
  for (int head = 0; head < heads; head++, x += width) {
    for (int i = 0; i < half; i++) {
      float a = x[i], b = x[i + half];
      x[i] = a * cosines[i] - b * sines[i];
      x[i + half] = b * cosines[i] + a * sines[i];
    }
  }
}

static void RK_NAME(swiglu)(const float *x, int64_t width, float *out) {
  for (int64_t i = 0; i < width; i += RK_LANES) {
    rk_f16v gate = RK_NAME(load)(x + i), up = RK_NAME(load)(x + width + i);
    RK_NAME(store)(out + i, gate / (RK_NAME(exponential)(-gate) + 1.0f) * up);
  }
}

static void RK_NAME(accumulate)(float *to, const float *from, float weight, int64_t width) {
  for (int64_t i = 0; i < width; i += RK_LANES) {
    RK_NAME(store)(to + i, RK_NAME(load)(to + i) + RK_NAME(load)(from + i) * weight);
  }
}

// MARK: What the machine can do

static float RK_NAME(peak)(int format, int64_t rounds) {
  volatile float zero = 0;
  rk_f16v acc[RK_PEAK_CHAINS], factor = RK_NAME(splat)(zero + 1e-9f);
  RK_UNROLL for (int i = 0; i < RK_PEAK_CHAINS; i++) acc[i] = factor * (float)i;
  if (format == RK_F32) {
    for (int64_t round = 0; round < rounds * RK_PEAK_STEPS; round++) {
      RK_UNROLL for (int i = 0; i < RK_PEAK_CHAINS; i++) acc[i] += acc[i] * factor;
    }
  } else {
    // Blocks of 32 products in each lane, whose sums are scaled and added up in f32, as quantised weights need it.
    rk_b64v quads[8];
    RK_UNROLL for (int j = 0; j < 8; j++) quads[j] = (rk_b64v)((uint8_t)(zero + 3 + (float)j));
    for (int64_t round = 0; round < rounds * RK_PEAK_STEPS / 8; round++) {
      RK_UNROLL for (int i = 0; i < RK_PEAK_CHAINS; i++) {
        rk_i16v sum = (rk_i16v)((int32_t)round);
        RK_UNROLL for (int j = 0; j < 8; j++) sum = rk_dot_bytes(sum, quads[j], (int32_t)round + i);
        acc[i] += __builtin_convertvector(sum, rk_f16v) * (factor * (float)i);
      }
    }
  }
  rk_f16v all = RK_NAME(splat)(0);
  RK_UNROLL for (int i = 0; i < RK_PEAK_CHAINS; i++) all += acc[i];
  return RK_NAME(sum)(all);
}

// Eight parts side by side, as products with vectors read their panels: one stream leaves memory waiting.
static float RK_NAME(read)(const float *x, int64_t count) {
  rk_f16v acc[8];
  int64_t part = count / 8 / RK_LANES * RK_LANES;
  RK_UNROLL for (int j = 0; j < 8; j++) acc[j] = RK_NAME(splat)(0);
  for (int64_t i = 0; i < part; i += RK_LANES) {
    RK_UNROLL for (int j = 0; j < 8; j++) acc[j] += RK_NAME(load)(x + j * part + i);
  }
  RK_UNROLL for (int j = 1; j < 8; j++) acc[0] += acc[j];
  float sum = RK_NAME(sum)(acc[0]);
  for (int64_t i = 8 * part; i < count; i++) sum += x[i];
  return sum;
}

static void RK_NAME(triad)(float *a, const float *b, const float *c, float s, int64_t count) {
  int64_t i = 0;
  for (; i + RK_LANES <= count; i += RK_LANES) {
    RK_NAME(store)(a + i, RK_NAME(load)(b + i) + RK_NAME(load)(c + i) * s);
  }
  for (; i < count; i++) a[i] = b[i] + s * c[i];
}

const rk_table RK_TABLE = {
  .isa = RK_ISA, .tile_rows = RK_TILE, .pack = RK_NAME(pack), .quantize = RK_NAME(quantize),
  .float_panels = RK_NAME(float_panels), .integer_panels = RK_NAME(integer_panels), .attend = RK_NAME(attend),
  .add_norm = RK_NAME(add_norm), .add = RK_NAME(add), .rotate = RK_NAME(rotate), .swiglu = RK_NAME(swiglu),
  .accumulate = RK_NAME(accumulate), .peak = RK_NAME(peak), .read = RK_NAME(read), .triad = RK_NAME(triad),
};
