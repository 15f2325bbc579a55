"""Greedy tokens and logits of llama.cpp, for comparison with the reference engine.

    python llama_tokens.py MODEL.gguf > SmolLM2Tokens.json

Needs llama-cpp-python. Keys and values are kept in f32 and flash attention is off, so that both engines round alike.
"""

import json
import sys

import llama_cpp
import numpy

PROMPTS = [
    "The capital of France is",
    "<|im_start|>user\nWrite a short poem about the sea.<|im_end|>\n<|im_start|>assistant\n",
    "def fibonacci(n):\n    if n < 2:\n        return n\n",
    "In 1969, two people walked on the Moon for the first time. They",
    "Question: what is 12 + 30? It's easy, we'll see.\nAnswer:",
    "Once upon a time there was a café in München, where naïve students  met every   evening;",
]
COUNT = 64
TOP = 8


def greedy(model, prompt):
    tokens = model.tokenize(prompt.encode(), add_bos=False, special=True)
    model.reset()
    model.eval(tokens)
    chosen, first = [], None
    for _ in range(COUNT):
        logits = numpy.ctypeslib.as_array(llama_cpp.llama_get_logits(model.ctx), shape=(model.n_vocab(),))
        if first is None:
            order = numpy.argsort(-logits, kind="stable")[:TOP]
            first = {"tokens": [int(t) for t in order], "logits": [round(float(logits[t]), 4) for t in order]}
        chosen.append(int(numpy.argmax(logits)))
        model.eval([chosen[-1]])
    return {"text": prompt, "tokens": tokens, "greedy": chosen, "first": first}


def main():
    model = llama_cpp.Llama(
        model_path=sys.argv[1], n_ctx=512, n_batch=512, n_threads=1, n_threads_batch=1, type_k=0, type_v=0,
        flash_attn=False, logits_all=False, verbose=False)
    result = {
        "engine": f"llama.cpp through llama-cpp-python {llama_cpp.__version__}, one thread, f32 cache",
        "prompts": [greedy(model, prompt) for prompt in PROMPTS],
    }
    json.dump(result, sys.stdout, indent=1)
    print()


main()
