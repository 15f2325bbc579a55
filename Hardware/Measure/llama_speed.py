"""CPU seconds of llama.cpp on one thread: prompts of several lengths, and decodes at several contexts.

    python llama_speed.py MODEL.gguf

Prints phase,tokens,seconds lines: medians of repeats. Needs llama-cpp-python.
"""

import statistics
import sys
import time

import llama_cpp

PROMPTS = [16, 48, 96, 128, 192, 256]
CONTEXTS = [16, 64, 128, 192, 256, 384, 512, 768, 1024]
REPEATS = 2


def timed(model, tokens):
    start = time.process_time()
    model.eval(tokens)
    return time.process_time() - start


def main():
    model = llama_cpp.Llama(
        model_path=sys.argv[1], n_ctx=1280, n_batch=512, n_threads=1, n_threads_batch=1, logits_all=False,
        verbose=False)
    tokens = [100 + i * 7 % 3000 for i in range(1280)]
    model.eval(tokens[:64])
    for count in PROMPTS:
        times = []
        for _ in range(2 if count > 96 else 3):
            model.reset()
            times.append(timed(model, tokens[:count]))
        print(f"prefill,{count},{statistics.median(times):.9f}")
    times = {context: [] for context in CONTEXTS}
    for _ in range(REPEATS):
        model.reset()
        done = 0
        for context in CONTEXTS:
            # Two decodes before the ones that count; all of them end at the context.
            model.eval(tokens[done: context - 6])
            for at in range(context - 6, context):
                seconds = timed(model, tokens[at: at + 1])
                if at >= context - 4:
                    times[context].append(seconds)
            done = context
    for context in CONTEXTS:
        print(f"decode,{context},{statistics.median(times[context]):.9f}")


main()
