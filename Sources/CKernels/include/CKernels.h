// Kernels of the reference engine: everything that loops over tensor elements.
//
// Written once with the compiler's vectors of 16 lanes (KernelBody.h) and built for several instruction sets, of which
// the best that this processor has is chosen at run time. For one instruction set a result does not depend on how many
// rows are computed together, on the number of threads, or on where a cache block lies: bit for bit.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Columns of a panel of packed weights, tokens of a block of cache, lanes of a vector.
enum { RK_LANES = 16 };
// Elements of a quantised block along the inner dimension.
enum { RK_BLOCK = 32 };

// MARK: Instruction sets and threads

enum { RK_PORTABLE = 0, RK_NEON = 1, RK_AVX2 = 2, RK_AVX512 = 3 };

// Whether this processor, and this build, can run an instruction set.
int rk_supported(int isa);
// The best one that is supported.
int rk_best(void);
const char *rk_isa_name(int isa);

// Threads that wait for work, with the kernels they run. The calling thread is the first of them.
typedef struct rk_pool rk_pool;
// Nothing when a thread cannot be started, or when the instruction set is not supported.
rk_pool *rk_pool_create(int threads, int isa);
void rk_pool_destroy(rk_pool *pool);
int rk_pool_threads(const rk_pool *pool);
int rk_pool_isa(const rk_pool *pool);
// Runs an empty task on every thread: what starting work costs.
void rk_pool_touch(rk_pool *pool);

// MARK: Weights

// Formats of weights. Of Q8_0, Q4_0 and Q4_1 the blocks are those of GGUF files; INT8 has one scale a column.
enum { RK_F32 = 0, RK_BF16 = 1, RK_INT8 = 2, RK_Q8_0 = 3, RK_Q4_0 = 4, RK_Q4_1 = 5, RK_F16 = 6 };

// Bytes of a row of `inner` values as files hold it (INT8: values, then the scale in f32); F16 is only read.
size_t rk_row_bytes(int format, int64_t inner);
// Values to a row of a format, and back.
void rk_encode_row(int format, const float *values, int64_t inner, void *row);
void rk_decode_row(int format, const void *row, int64_t inner, float *values);

// A matrix of `columns` outputs by `inner` inputs, packed in panels of 16 columns.
//
// f32, bf16: data[panel][inner][16]. Integers: data[panel][block][quad][16 columns][4 values], two quads to a byte where
// values have four bits; scales[panel][block][16] in f16 (Q4_1: 16 scales, then 16 minima), or [panel][16] in f32 (INT8).
typedef struct {
  int format;
  int64_t columns;
  int64_t inner;
  uint8_t *data;
  uint8_t *scales;
} rk_matrix;

size_t rk_matrix_data_bytes(int format, int64_t columns, int64_t inner);
size_t rk_matrix_scale_bytes(int format, int64_t columns, int64_t inner);
// Sets a column from a row of the matrix's own format.
void rk_matrix_set(rk_matrix *matrix, int64_t column, const void *row);
// A column as values: an entry of the token table where head and table are one.
void rk_matrix_get(const rk_matrix *matrix, int64_t column, float *values);

// Uniform values in -scale ..< scale, the same for the same seed on every machine.
void rk_random(uint64_t seed, float scale, int64_t count, float *values);

// MARK: Operators. Matrices of activations are rows of f32 with a stride.

// Bytes of scratch that a product needs.
size_t rk_matmul_scratch(const rk_matrix *weights, int64_t rows);
// y[rows][columns] = x[rows][inner] weights^T.
void rk_matmul(
  rk_pool *pool, const rk_matrix *weights, const float *x, int64_t x_stride, int64_t rows, float *y, int64_t y_stride,
  void *scratch);

// stream += delta (where there is one); out = stream / rms(stream) * weight.
void rk_add_norm(
  rk_pool *pool, float *stream, const float *delta, const float *weight, float epsilon, int64_t rows, int64_t width,
  float *out);
// stream += delta.
void rk_add(rk_pool *pool, float *stream, const float *delta, int64_t count);
// Rotates halves of heads: `heads` of them in a row, one after another. Tables hold half a head for each position.
void rk_rotary(
  rk_pool *pool, float *x, int64_t x_stride, int64_t rows, int heads, int width, const int32_t *positions,
  const float *cosines, const float *sines);
// out = silu(gate) * up, of rows that hold `width` gates and then as many ups.
void rk_swiglu(rk_pool *pool, const float *gate_up, int64_t rows, int64_t width, float *out);
// out[i] = x[index[i]], rows of a width.
void rk_gather(rk_pool *pool, const float *x, const int32_t *index, int64_t rows, int64_t width, float *out);
// out[i] = the sum over j < each of weight[i * each + j] * x[index[i * each + j]].
void rk_combine(
  rk_pool *pool, const float *x, const int32_t *index, const float *weight, int64_t rows, int each, int64_t width,
  float *out);
// Softmax over a row's logits, of which the `chosen` largest are kept and made to add up to one.
void rk_route(const float *logits, int64_t rows, int experts, int chosen, int32_t *choice, float *weight);
// The position of the largest value, the first of equals.
int64_t rk_argmax(const float *values, int64_t count);

// Tokens of one sequence in a step, and where its cache lies.
typedef struct {
  // First row of this sequence's tokens in the step, how many there are, and how many are cached before them.
  int64_t row, tokens, start;
  // Block of every 16 tokens, those of this step included.
  const int32_t *blocks;
} rk_span;

// One layer's cache and heads. Keys are [block][head][width][16 tokens], values [block][head][width / 16][16 tokens][16].
typedef struct {
  float *keys, *values;
  int query_heads, kv_heads, width;
} rk_cache;

size_t rk_attention_scratch(const rk_pool *pool, const rk_cache *cache, const rk_span *spans, int64_t count);
// Stores keys and values of the spans' tokens, then attends under a causal mask. A row of qkv holds queries, keys, values.
void rk_attention(
  rk_pool *pool, const rk_cache *cache, const rk_span *spans, int64_t count, const float *qkv, int64_t qkv_stride,
  float *out, int64_t out_stride, void *scratch);

// MARK: What the machine can do. Each returns a number that depends on all of the work, so that none is left out.

// Rows of a tile of float products and of attention.
int rk_tile_rows(int isa);
// `rounds` of independent multiply-adds on registers; the operations of one round are returned by `rk_peak_operations`.
float rk_peak(int isa, int format, int64_t rounds);
double rk_peak_operations(int isa, int format);
// Reads an array once in vectors.
float rk_read(rk_pool *pool, const float *values, int64_t count);
// a = b + s * c.
void rk_triad(rk_pool *pool, float *a, const float *b, const float *c, float s, int64_t count);
// Follows a chain of indices.
uint32_t rk_chase(const uint32_t *chain, int64_t steps);

#ifdef __cplusplus
}
#endif

#endif
