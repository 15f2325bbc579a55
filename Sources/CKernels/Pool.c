// Threads that wait for work.
#include "Internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct rk_pool {
  int threads;
  const rk_table *table;
  pthread_t *workers;
  pthread_mutex_t lock;
  pthread_cond_t begun;
  // Counts tasks; workers wait for it to change.
  _Atomic uint64_t turn;
  // Workers that have not finished the current task.
  _Atomic int busy;
  _Atomic int ending;
  _Atomic int64_t next;
  rk_task task;
  const void *context;
  int64_t items, grain;
};

typedef struct {
  rk_pool *pool;
  int index;
} rk_worker;

// Looks at the turn so many times before sleeping: about 50 microseconds.
enum { RK_PATIENCE = 20000 };

RK_INLINE void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

static void take_items(rk_pool *pool, int thread) {
  while (1) {
    int64_t begin = atomic_fetch_add(&pool->next, pool->grain);
    if (begin >= pool->items) return;
    pool->task(pool->context, begin, rk_min(pool->items, begin + pool->grain), thread);
  }
}

static void await_turn(rk_pool *pool, uint64_t seen) {
  for (int i = 0; i < RK_PATIENCE; i++) {
    if (atomic_load_explicit(&pool->turn, memory_order_acquire) != seen) return;
    relax();
  }
  pthread_mutex_lock(&pool->lock);
  while (atomic_load(&pool->turn) == seen) pthread_cond_wait(&pool->begun, &pool->lock);
  pthread_mutex_unlock(&pool->lock);
}

static void *work(void *argument) {
  rk_worker worker = *(rk_worker *)argument;
  free(argument);
  uint64_t seen = 0;
  while (1) {
    await_turn(worker.pool, seen);
    seen = atomic_load(&worker.pool->turn);
    if (atomic_load(&worker.pool->ending)) return NULL;
    take_items(worker.pool, worker.index);
    atomic_fetch_sub(&worker.pool->busy, 1);
  }
}

static void announce(rk_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->turn, 1);
  pthread_cond_broadcast(&pool->begun);
  pthread_mutex_unlock(&pool->lock);
}

static void run_all(rk_pool *pool, rk_task task, const void *context, int64_t items, int64_t grain) {
  pool->task = task;
  pool->context = context;
  pool->items = items;
  pool->grain = grain;
  atomic_store(&pool->next, 0);
  atomic_store(&pool->busy, pool->threads - 1);
  announce(pool);
  take_items(pool, 0);
  while (atomic_load_explicit(&pool->busy, memory_order_acquire) > 0) relax();
}

void rk_run(rk_pool *pool, rk_task task, const void *context, int64_t items, int64_t grain) {
  if (items <= 0) return;
  if (grain < 1) grain = 1;
  if (pool->threads == 1 || items <= grain) {
    task(context, 0, items, 0);
  } else {
    run_all(pool, task, context, items, grain);
  }
}

static void nothing(const void *context, int64_t begin, int64_t end, int thread) {
  (void)context, (void)begin, (void)end, (void)thread;
}

void rk_pool_touch(rk_pool *pool) { rk_run(pool, nothing, NULL, pool->threads, 1); }

// MARK: Instruction sets

int rk_supported(int isa) {
  switch (isa) {
  case RK_PORTABLE: return 1;
#if defined(__x86_64__)
  case RK_AVX2:
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  case RK_AVX512:
    return rk_supported(RK_AVX2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
      && __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
  case RK_NEON: return 1;
#endif
  default: return 0;
  }
}

static const rk_table *table_of(int isa) {
  if (!rk_supported(isa)) return NULL;
  switch (isa) {
#if defined(__x86_64__)
  case RK_AVX2: return &rk_table_avx2;
  case RK_AVX512: return &rk_table_avx512;
#elif defined(__aarch64__)
  case RK_NEON: return &rk_table_neon;
#endif
  default: return &rk_table_portable;
  }
}

int rk_best(void) {
  int best = RK_PORTABLE;
  for (int isa = RK_PORTABLE; isa <= RK_AVX512; isa++) {
    if (rk_supported(isa)) best = isa;
  }
  return best;
}

const char *rk_isa_name(int isa) {
  switch (isa) {
  case RK_PORTABLE: return "portable";
  case RK_NEON: return "neon";
  case RK_AVX2: return "avx2";
  case RK_AVX512: return "avx512";
  default: return "unknown";
  }
}

// MARK: Life

rk_pool *rk_pool_create(int threads, int isa) {
  const rk_table *table = table_of(isa);
  if (!table || threads < 1) return NULL;
  rk_pool *pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->table = table;
  pool->threads = 1;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->begun, NULL);
  pool->workers = calloc((size_t)threads, sizeof *pool->workers);
  for (int i = 1; pool->workers && i < threads; i++) {
    rk_worker *worker = malloc(sizeof *worker);
    if (!worker) break;
    *worker = (rk_worker){pool, i};
    if (pthread_create(&pool->workers[i], NULL, work, worker) != 0) {
      free(worker);
      break;
    }
    pool->threads++;
  }
  if (pool->threads < threads) {
    rk_pool_destroy(pool);
    return NULL;
  }
  return pool;
}

void rk_pool_destroy(rk_pool *pool) {
  if (!pool) return;
  atomic_store(&pool->ending, 1);
  announce(pool);
  for (int i = 1; i < pool->threads; i++) pthread_join(pool->workers[i], NULL);
  pthread_mutex_destroy(&pool->lock);
  pthread_cond_destroy(&pool->begun);
  free(pool->workers);
  free(pool);
}

int rk_pool_threads(const rk_pool *pool) { return pool->threads; }
int rk_pool_isa(const rk_pool *pool) { return pool->table->isa; }
const rk_table *rk_pool_table(const rk_pool *pool) { return pool->table; }
