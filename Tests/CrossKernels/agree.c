// Compares the kernels of every instruction set that the processor at hand has with those in plain C: products in all
// formats, norms, rotary embeddings, activations and attention, on random numbers. For machines that Swift is not on, and
// for emulators of them; see Scripts/neon-check.sh. Prints the largest difference of each and fails where it is too large.
#include "CKernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

static float *numbers(uint64_t seed, int64_t count) {
  float *values = aligned_alloc(64, (size_t)(4 * count + 1087) / 64 * 64);
  if (!values) exit(2);
  rk_random(seed, 1, count, values);
  return values;
}

static void *room(size_t bytes) {
  void *address = aligned_alloc(64, (bytes + 1087) / 64 * 64);
  if (!address) exit(2);
  memset(address, 0, (bytes + 1087) / 64 * 64);
  return address;
}

// The largest difference, as a share of the largest value.
static void compare(const char *isa, const char *what, const float *a, const float *b, int64_t count, double limit) {
  double most = 0, scale = 1e-30;
  for (int64_t i = 0; i < count; i++) {
    double difference = fabs((double)a[i] - (double)b[i]);
    if (!(difference <= most)) most = difference;
    if (fabs((double)b[i]) > scale) scale = fabs((double)b[i]);
  }
  int bad = !(most / scale <= limit);
  failures += bad;
  printf("%-9s %-34s %.3g%s\n", isa, what, most / scale, bad ? "  TOO LARGE" : "");
}

static void products(rk_pool *pool, rk_pool *plain, const char *isa) {
  const char *names[] = {"f32", "bf16", "int8", "q8_0", "q4_0", "q4_1"};
  enum { INNER = 160, COLUMNS = 83, MOST = 29 };
  float *x = numbers(3, MOST * INNER), *row = numbers(4, INNER);
  float *ours = room(4 * MOST * COLUMNS), *theirs = room(4 * MOST * COLUMNS);
  void *stored = room(8 * INNER);
  for (int format = RK_F32; format <= RK_Q4_1; format++) {
    rk_matrix w = {.format = format, .columns = COLUMNS, .inner = INNER};
    w.data = room(rk_matrix_data_bytes(format, COLUMNS, INNER));
    w.scales = room(rk_matrix_scale_bytes(format, COLUMNS, INNER) + 64);
    for (int64_t column = 0; column < COLUMNS; column++) {
      rk_random(100 + (uint64_t)column, 1, INNER, row);
      rk_encode_row(format, row, INNER, stored);
      rk_matrix_set(&w, column, stored);
    }
    for (int64_t rows = 1; rows <= MOST; rows = 2 * rows + 1) {
      void *scratch = room(rk_matmul_scratch(&w, rows));
      rk_matmul(pool, &w, x, INNER, rows, ours, COLUMNS, scratch);
      rk_matmul(plain, &w, x, INNER, rows, theirs, COLUMNS, scratch);
      char what[64];
      snprintf(what, sizeof what, "product, %s, %d rows", names[format], (int)rows);
      compare(isa, what, ours, theirs, rows * COLUMNS, 1e-5);
      free(scratch);
    }
    free(w.data);
    free(w.scales);
  }
}

static void rows(rk_pool *pool, rk_pool *plain, const char *isa) {
  enum { ROWS = 5, WIDTH = 192, HEADS = 3 };
  float *weight = numbers(5, WIDTH), *delta = numbers(6, ROWS * WIDTH), *wide = numbers(7, 2 * ROWS * WIDTH);
  float *cosines = numbers(8, 64 * 32), *sines = numbers(9, 64 * 32);
  int32_t positions[ROWS] = {0, 3, 17, 40, 63};
  float *out[2], *stream[2], *turned[2], *active[2];
  for (int i = 0; i < 2; i++) {
    rk_pool *used = i ? plain : pool;
    out[i] = room(4 * ROWS * WIDTH);
    active[i] = room(4 * ROWS * WIDTH);
    stream[i] = numbers(10, ROWS * WIDTH);
    turned[i] = numbers(11, ROWS * WIDTH);
    rk_add_norm(used, stream[i], delta, weight, 1e-5f, ROWS, WIDTH, out[i]);
    rk_rotary(used, turned[i], WIDTH, ROWS, HEADS, 64, positions, cosines, sines);
    rk_swiglu(used, wide, ROWS, WIDTH, active[i]);
  }
  compare(isa, "norm", out[0], out[1], ROWS * WIDTH, 1e-5);
  compare(isa, "residual", stream[0], stream[1], ROWS * WIDTH, 1e-6);
  compare(isa, "rotary", turned[0], turned[1], ROWS * WIDTH, 1e-6);
  compare(isa, "activation", active[0], active[1], ROWS * WIDTH, 1e-5);
}

static void attention(rk_pool *pool, rk_pool *plain, const char *isa, int64_t tokens, int64_t start) {
  enum { QUERIES = 6, KEYS = 2, WIDTH = 64, BLOCKS = 8, STRIDE = (QUERIES + 2 * KEYS) * WIDTH };
  int32_t blocks[BLOCKS] = {5, 2, 7, 0, 1, 6, 3, 4};
  size_t cached = BLOCKS * KEYS * WIDTH * RK_LANES;
  float *qkv = numbers(12, tokens * STRIDE), *out[2];
  rk_span span = {.row = 0, .tokens = tokens, .start = start, .blocks = blocks};
  for (int i = 0; i < 2; i++) {
    rk_pool *used = i ? plain : pool;
    rk_cache cache = {
      .keys = numbers(13, (int64_t)cached), .values = numbers(14, (int64_t)cached), .query_heads = QUERIES,
      .kv_heads = KEYS, .width = WIDTH};
    out[i] = room((size_t)(4 * tokens * QUERIES * WIDTH));
    void *scratch = room(rk_attention_scratch(used, &cache, &span, 1));
    rk_attention(used, &cache, &span, 1, qkv, STRIDE, out[i], QUERIES * WIDTH, scratch);
    free(scratch);
    free(cache.keys);
    free(cache.values);
  }
  char what[64];
  snprintf(what, sizeof what, "attention, %d tokens after %d", (int)tokens, (int)start);
  compare(isa, what, out[0], out[1], tokens * QUERIES * WIDTH, 1e-5);
}

int main(void) {
  rk_pool *plain = rk_pool_create(1, RK_PORTABLE);
  if (!plain) return 2;
  int sets = 0;
  for (int isa = RK_PORTABLE + 1; isa <= RK_AVX512; isa++) {
    if (!rk_supported(isa)) continue;
    rk_pool *pool = rk_pool_create(2, isa);
    if (!pool) return 2;
    const char *name = rk_isa_name(isa);
    products(pool, plain, name);
    rows(pool, plain, name);
    attention(pool, plain, name, 1, 100);
    attention(pool, plain, name, 50, 0);
    attention(pool, plain, name, 33, 61);
    rk_pool_destroy(pool);
    sets++;
  }
  printf("%d instruction set%s beside plain C, %d difference%s too large\n", sets, sets == 1 ? "" : "s", failures,
    failures == 1 ? "" : "s");
  return sets == 0 || failures > 0;
}
