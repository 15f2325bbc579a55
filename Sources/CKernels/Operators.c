// Operators: work split into ranges for the threads of a pool.
#include "Internal.h"

#include <stdlib.h>

typedef struct {
  const rk_table *table;
  const void *work;
} rk_bound;

// Pieces a thread gets on average, so that one that is held up does not hold up the others.
enum { RK_PIECES = 4 };

static int64_t grain_of(const rk_pool *pool, int64_t items) {
  int64_t pieces = (int64_t)rk_pool_threads(pool) * RK_PIECES;
  return (items + pieces - 1) / pieces;
}

static size_t aligned(size_t bytes) { return (bytes + 63) / 64 * 64; }

// MARK: Products

static int is_float(int format) { return format == RK_F32 || format == RK_BF16; }

size_t rk_matmul_scratch(const rk_matrix *w, int64_t rows) {
  size_t elements = (size_t)(rows * w->inner), blocks = (size_t)(rows * (w->inner / RK_BLOCK));
  if (is_float(w->format)) return aligned(4 * elements) + 64;
  return aligned(elements) + 3 * aligned(4 * blocks) + 64;
}

static void pack_tiles(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_bound *bound = context;
  bound->table->pack(bound->work, begin, end);
}

static void quantize_rows(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_bound *bound = context;
  bound->table->quantize(bound->work, begin, end);
}

static void float_panels(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_bound *bound = context;
  bound->table->float_panels(bound->work, begin, end);
}

static void integer_panels(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_bound *bound = context;
  bound->table->integer_panels(bound->work, begin, end);
}

void rk_matmul(
  rk_pool *pool, const rk_matrix *w, const float *x, int64_t x_stride, int64_t rows, float *y, int64_t y_stride,
  void *scratch) {
  const rk_table *table = rk_pool_table(pool);
  uint8_t *room = (uint8_t *)(((uintptr_t)scratch + 63) / 64 * 64);
  rk_product product = {
    .weights = w, .x = x, .x_stride = x_stride, .rows = rows, .y = y, .y_stride = y_stride, .packed = (float *)room};
  rk_bound bound = {table, &product};
  int64_t panels = rk_panels(w->columns), grain = (grain_of(pool, panels) + 7) / 8 * 8;
  if (is_float(w->format)) {
    int64_t tiles = (rows + table->tile_rows - 1) / table->tile_rows;
    rk_run(pool, pack_tiles, &bound, tiles, tiles < 8 ? tiles : grain_of(pool, tiles));
    rk_run(pool, float_panels, &bound, panels, grain);
    return;
  }
  size_t blocks = (size_t)(rows * (w->inner / RK_BLOCK));
  product.quantized.values = (int8_t *)room;
  room += aligned((size_t)(rows * w->inner));
  product.quantized.scale = (float *)room;
  product.quantized.offset = (float *)(room + aligned(4 * blocks));
  product.quantized.sum = (int32_t *)(room + 2 * aligned(4 * blocks));
  rk_run(pool, quantize_rows, &bound, rows, rows < 16 ? rows : grain_of(pool, rows));
  rk_run(pool, integer_panels, &bound, panels, grain);
}

// MARK: Attention

static int64_t tiles_of(const rk_table *table, const rk_cache *c, const rk_span *span) {
  int64_t rows = span->tokens * (c->query_heads / c->kv_heads);
  return c->kv_heads * ((rows + table->tile_rows - 1) / table->tile_rows);
}

static int64_t longest(const rk_span *spans, int64_t count) {
  int64_t longest = 0;
  for (int64_t i = 0; i < count; i++) {
    int64_t context = spans[i].start + spans[i].tokens;
    if (context > longest) longest = context;
  }
  return longest;
}

static int64_t scores_each(const rk_table *table, const rk_cache *c, const rk_span *spans, int64_t count) {
  int64_t context = (longest(spans, count) + 2 * RK_LANES) / RK_LANES * RK_LANES;
  return table->tile_rows * (c->width + context) + RK_LANES;
}

size_t rk_attention_scratch(const rk_pool *pool, const rk_cache *c, const rk_span *spans, int64_t count) {
  size_t each = 4 * (size_t)scores_each(rk_pool_table(pool), c, spans, count);
  return aligned(8 * (size_t)(count + 1)) + each * (size_t)rk_pool_threads(pool) + 64;
}

static void store_token(const rk_attending *p, const rk_span *span, int64_t token, int64_t head) {
  const rk_cache *c = p->cache;
  int64_t at = span->start + token, slot = at % RK_LANES, width = c->width;
  const float *row = p->qkv + (span->row + token) * p->qkv_stride;
  const float *key = row + (c->query_heads + head) * width, *value = key + c->kv_heads * width;
  int64_t base = ((int64_t)span->blocks[at / RK_LANES] * c->kv_heads + head) * width * RK_LANES;
  float *keys = c->keys + base + slot, *values = c->values + base + slot * RK_LANES;
  for (int64_t i = 0; i < width; i++) keys[i * RK_LANES] = key[i];
  for (int64_t i = 0; i < width; i += RK_LANES) memcpy(values + i * RK_LANES, value + i, 4 * RK_LANES);
}

// Items are (span, KV head).
static void store_spans(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_attending *p = ((const rk_bound *)context)->work;
  for (int64_t item = begin; item < end; item++) {
    const rk_span *span = &p->spans[item / p->cache->kv_heads];
    for (int64_t token = 0; token < span->tokens; token++) store_token(p, span, token, item % p->cache->kv_heads);
  }
}

static void attend_tiles(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_bound *bound = context;
  bound->table->attend(bound->work, begin, end, thread);
}

void rk_attention(
  rk_pool *pool, const rk_cache *cache, const rk_span *spans, int64_t count, const float *qkv, int64_t qkv_stride,
  float *out, int64_t out_stride, void *scratch) {
  const rk_table *table = rk_pool_table(pool);
  uint8_t *room = (uint8_t *)(((uintptr_t)scratch + 63) / 64 * 64);
  rk_attending work = {
    .cache = cache, .spans = spans, .count = count, .qkv = qkv, .qkv_stride = qkv_stride, .out = out,
    .out_stride = out_stride, .first = (int64_t *)room, .scores_each = scores_each(table, cache, spans, count)};
  work.scores = (float *)(room + aligned(8 * (size_t)(count + 1)));
  work.first[0] = 0;
  for (int64_t s = 0; s < count; s++) work.first[s + 1] = work.first[s] + tiles_of(table, cache, &spans[s]);
  rk_bound bound = {table, &work};
  rk_run(pool, store_spans, &bound, count * cache->kv_heads, count == 1 && spans[0].tokens < 16 ? count * cache->kv_heads : 1);
  rk_run(pool, attend_tiles, &bound, work.first[count], 1);
}

// MARK: Work on rows

typedef struct {
  const rk_table *table;
  float *stream, *out;
  const float *x, *weight, *more;
  const int32_t *index;
  int64_t stride, width;
  float epsilon;
  int each, heads;
} rk_rows;

// Rows of few elements go together, so that a piece is worth starting a thread for.
static int64_t row_grain(const rk_pool *pool, int64_t rows, int64_t width) {
  int64_t least = 16384 / (width > 0 ? width : 1) + 1, grain = grain_of(pool, rows);
  return grain > least ? grain : least;
}

static void norm_rows(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_rows *w = context;
  for (int64_t r = begin; r < end; r++) {
    const float *delta = w->x ? w->x + r * w->width : NULL;
    w->table->add_norm(w->stream + r * w->width, delta, w->weight, w->epsilon, w->width, w->out + r * w->width);
  }
}

void rk_add_norm(
  rk_pool *pool, float *stream, const float *delta, const float *weight, float epsilon, int64_t rows, int64_t width,
  float *out) {
  rk_rows work = {
    .table = rk_pool_table(pool), .stream = stream, .x = delta, .weight = weight, .epsilon = epsilon, .width = width,
    .out = out};
  rk_run(pool, norm_rows, &work, rows, row_grain(pool, rows, width));
}

void rk_add(rk_pool *pool, float *stream, const float *delta, int64_t count) {
  rk_pool_table(pool)->add(stream, delta, count);
}

static void rotate_rows(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_rows *w = context;
  int64_t half = w->width / 2;
  for (int64_t r = begin; r < end; r++) {
    int64_t at = w->index[r] * half;
    w->table->rotate(w->stream + r * w->stride, w->heads, (int)w->width, w->x + at, w->more + at);
  }
}

void rk_rotary(
  rk_pool *pool, float *x, int64_t x_stride, int64_t rows, int heads, int width, const int32_t *positions,
  const float *cosines, const float *sines) {
  rk_rows work = {
    .table = rk_pool_table(pool), .stream = x, .stride = x_stride, .heads = heads, .width = width, .index = positions,
    .x = cosines, .more = sines};
  rk_run(pool, rotate_rows, &work, rows, row_grain(pool, rows, (int64_t)heads * width));
}

static void swiglu_rows(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_rows *w = context;
  for (int64_t r = begin; r < end; r++) w->table->swiglu(w->x + 2 * r * w->width, w->width, w->out + r * w->width);
}

void rk_swiglu(rk_pool *pool, const float *gate_up, int64_t rows, int64_t width, float *out) {
  rk_rows work = {.table = rk_pool_table(pool), .x = gate_up, .width = width, .out = out};
  rk_run(pool, swiglu_rows, &work, rows, row_grain(pool, rows, width));
}

// MARK: Mixtures

static void gather_rows(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_rows *w = context;
  for (int64_t r = begin; r < end; r++) {
    memcpy(w->out + r * w->width, w->x + w->index[r] * w->width, 4 * (size_t)w->width);
  }
}

void rk_gather(rk_pool *pool, const float *x, const int32_t *index, int64_t rows, int64_t width, float *out) {
  rk_rows work = {.x = x, .index = index, .width = width, .out = out};
  rk_run(pool, gather_rows, &work, rows, row_grain(pool, rows, width));
}

static void combine_rows(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_rows *w = context;
  for (int64_t r = begin; r < end; r++) {
    float *out = w->out + r * w->width;
    memset(out, 0, 4 * (size_t)w->width);
    for (int64_t j = r * w->each; j < (r + 1) * w->each; j++) {
      w->table->accumulate(out, w->x + w->index[j] * w->width, w->weight[j], w->width);
    }
  }
}

void rk_combine(
  rk_pool *pool, const float *x, const int32_t *index, const float *weight, int64_t rows, int each, int64_t width,
  float *out) {
  rk_rows work = {
    .table = rk_pool_table(pool), .x = x, .index = index, .weight = weight, .each = each, .width = width, .out = out};
  rk_run(pool, combine_rows, &work, rows, row_grain(pool, rows, width));
}

void rk_route(const float *logits, int64_t rows, int experts, int chosen, int32_t *choice, float *weight) {
  for (int64_t r = 0; r < rows; r++, logits += experts, choice += chosen, weight += chosen) {
    float sum = 0;
    for (int j = 0; j < chosen; j++) {
      int best = -1;
      for (int e = 0; e < experts; e++) {
        int taken = 0;
        for (int i = 0; i < j; i++) taken |= choice[i] == e;
        if (!taken && (best < 0 || logits[e] > logits[best])) best = e;
      }
      choice[j] = best;
      weight[j] = expf(logits[best] - logits[choice[0]]);
      sum += weight[j];
    }
    for (int j = 0; j < chosen; j++) weight[j] /= sum;
  }
}

int64_t rk_argmax(const float *values, int64_t count) {
  int64_t best = 0;
  for (int64_t i = 1; i < count; i++) {
    if (values[i] > values[best]) best = i;
  }
  return best;
}

// MARK: What the machine can do

static const rk_table *table_for(int isa) {
  rk_pool *pool = rk_pool_create(1, isa);
  const rk_table *table = pool ? rk_pool_table(pool) : NULL;
  rk_pool_destroy(pool);
  return table;
}

int rk_tile_rows(int isa) {
  const rk_table *table = table_for(isa);
  return table ? table->tile_rows : 1;
}

float rk_peak(int isa, int format, int64_t rounds) {
  const rk_table *table = table_for(isa);
  return table ? table->peak(format, rounds) : 0;
}

// In f32 every chain does 16 multiply-adds a step; in integers 16 blocks of 32 every eighth step.
double rk_peak_operations(int isa, int format) {
  double chains = RK_PEAK_CHAINS, lanes = RK_LANES;
  return format == RK_F32 ? 2 * chains * lanes * RK_PEAK_STEPS : 2 * chains * lanes * RK_BLOCK * RK_PEAK_STEPS / 8;
}

typedef struct {
  const rk_table *table;
  float *a;
  const float *b, *c;
  float s;
  float *sums;
} rk_stream;

static void read_part(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_stream *w = context;
  w->sums[RK_LANES * thread] += w->table->read(w->b + begin, end - begin);
}

float rk_read(rk_pool *pool, const float *values, int64_t count) {
  int threads = rk_pool_threads(pool);
  float *sums = calloc((size_t)threads * RK_LANES, sizeof *sums), sum = 0;
  if (!sums) return 0;
  rk_stream work = {.table = rk_pool_table(pool), .b = values, .sums = sums};
  rk_run(pool, read_part, &work, count, grain_of(pool, count));
  for (int i = 0; i < threads; i++) sum += sums[RK_LANES * i];
  free(sums);
  return sum;
}

static void triad_part(const void *context, int64_t begin, int64_t end, int thread) {
  const rk_stream *w = context;
  w->table->triad(w->a + begin, w->b + begin, w->c + begin, w->s, end - begin);
}

void rk_triad(rk_pool *pool, float *a, const float *b, const float *c, float s, int64_t count) {
  rk_stream work = {.table = rk_pool_table(pool), .a = a, .b = b, .c = c, .s = s};
  rk_run(pool, triad_part, &work, count, grain_of(pool, count));
}

uint32_t rk_chase(const uint32_t *chain, int64_t steps) {
  uint32_t at = 0;
  for (int64_t i = 0; i < steps; i++) at = chain[at];
  return at;
}
