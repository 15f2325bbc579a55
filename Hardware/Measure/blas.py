"""Seconds of a product of square f32 matrices in NumPy's BLAS on one thread, by width: width,seconds lines.

    OPENBLAS_NUM_THREADS=1 python blas.py 512 1024
"""

import statistics
import sys
import time

import numpy

for width in map(int, sys.argv[1:]):
    random = numpy.random.default_rng(1)
    a, b = (random.random((width, width), numpy.float32) for _ in range(2))
    a @ b
    times = []
    for _ in range(7):
        start = time.thread_time()
        a @ b
        times.append(time.thread_time() - start)
    print(f"{width},{statistics.median(times):.9f}")
