"""Measures one GPU with PyTorch: products, attention, a decoder layer, decode steps and board power.

    python gpu.py --system h100-sxm --output measured        # under ten minutes
    python gpu.py --system h100-sxm --output measured --dry-run

Writes CSV files of the columns that `ridgeline calibrate --dataset operators` and `ridgeline validate --dataset operators`
read, so that a card of your own can be fitted:

    gemm.csv                  system,framework,dtype,m,n,k,latency_us
    attention_generation.csv  system,batch_size,num_heads,num_key_value_heads,head_dim,kv_len,kv_cache_dtype,latency_us
    attention_context.csv     system,batch_size,num_heads,kv_heads,head_dim,isl,kv_cache_dtype,latency_us

and, for comparison with `ridgeline predict --explain`, three that nothing is fitted to:

    layers.csv                system,what,hidden,heads,kv_heads,intermediate,batch,context,latency_us
    steps.csv                 system,hidden,layers,heads,kv_heads,intermediate,vocabulary,batch,context,latency_us
    power.csv                 system,what,seconds,mean_watts

The grid: products of 1 to 8192 rows by the shapes of models of 1 to 70 billion parameters in bf16; attention of batches
1 to 64 over contexts 128 to 32768 with 128-wide heads; one decoder layer of Llama 3 8B and 70B for prompts and decodes;
whole decode steps of Llama 3 8B, table and head included, where its 16 GB of weights and the cache fit.
Times are medians of replays of a CUDA graph, after a warm-up; weights are cycled so that caches do not hold them.
--dry-run does the same steps on tiny shapes on the CPU, without graphs: it checks the script, its numbers mean nothing.
"""

import argparse
import csv
import pathlib
import statistics
import subprocess
import threading
import time

import torch
import torch.nn.functional as functional

BUDGET_SECONDS = 540
WEIGHTS = [
    (2048, 2048), (8192, 2048), (2048, 8192), (4096, 4096), (6144, 4096), (28672, 4096), (4096, 14336), (128256, 4096),
    (8192, 8192), (10240, 8192), (57344, 8192), (8192, 28672),
]
ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
HEADS = [(32, 8), (32, 32), (64, 8)]
BATCHES = [1, 4, 16, 64]
CONTEXTS = [128, 512, 2048, 8192, 32768]
PROMPTS = [128, 512, 2048, 8192]
# Hidden width, query heads, KV heads, width of the feed-forward network.
LAYERS = [(4096, 32, 8, 14336), (8192, 64, 8, 28672)]
# A whole model: the layer's shape, how many there are, and the vocabulary.
MODEL = (LAYERS[0], 32, 128256)
MOST_ELEMENTS = 1 << 32


class Bench:
    def __init__(self, dry):
        self.dry = dry
        self.device = "cpu" if dry else "cuda"
        self.dtype = torch.float32 if dry else torch.bfloat16
        self.started = time.monotonic()

    @property
    def out_of_time(self):
        return time.monotonic() - self.started > BUDGET_SECONDS

    def tensor(self, *shape):
        return torch.randn(*shape, device=self.device, dtype=self.dtype)

    def microseconds(self, body, repeats=7):
        """Median time of a call: replays of a graph of several calls on a GPU."""
        if self.dry:
            start = time.perf_counter()
            body(0)
            return max(0.001, 1e6 * (time.perf_counter() - start))
        calls = 8
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for i in range(3):
                body(i)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for i in range(calls):
                body(i)
        times = []
        for _ in range(repeats + 1):
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            graph.replay()
            end.record()
            end.synchronize()
            times.append(1e3 * begin.elapsed_time(end) / calls)
        return statistics.median(times[1:])


class Power:
    """Mean board power while a block runs, from nvidia-smi every 50 ms; nothing where that is not installed."""

    def __enter__(self):
        self.watts, self.ending = [], threading.Event()
        self.thread = threading.Thread(target=self.sample)
        self.begun = time.monotonic()
        self.thread.start()
        return self

    def sample(self):
        command = ["nvidia-smi", "--query-gpu=power.draw", "--format=csv,noheader,nounits", "-i", "0"]
        while not self.ending.wait(0.05):
            try:
                self.watts.append(float(subprocess.run(command, capture_output=True, text=True).stdout.split()[0]))
            except (OSError, ValueError, IndexError):
                return

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()
        self.seconds = time.monotonic() - self.begun

    @property
    def mean(self):
        # The first samples still show what came before.
        kept = self.watts[len(self.watts) // 4:]
        return statistics.fmean(kept) if kept else None


def gemm(bench, write):
    for columns, inner in WEIGHTS:
        # Enough copies to exceed the cache; one where a copy does already.
        copies = max(1, min(8, (256 << 20) // (2 * columns * inner)))
        weights = [bench.tensor(columns, inner) for _ in range(copies)]
        for rows in ROWS:
            if bench.out_of_time:
                return
            x = bench.tensor(rows, inner)
            latency = bench.microseconds(lambda i: functional.linear(x, weights[i % copies]))
            write(["torch", "bfloat16", rows, columns, inner, f"{latency:.3f}"])


def attend(q, k, v, causal):
    group = q.shape[1] // k.shape[1]
    if group > 1:
        k, v = (x[:, :, None].expand(-1, -1, group, -1, -1).flatten(1, 2) for x in (k, v))
    return functional.scaled_dot_product_attention(q, k, v, is_causal=causal)


def grouped(q, k, v):
    """Decode attention without copies of shared heads: the queries of a group are rows of one product."""
    batch, heads, _, width = q.shape
    q = q.view(batch, k.shape[1], heads // k.shape[1], width)
    return functional.scaled_dot_product_attention(q, k, v).view(batch, heads, 1, width)


def generation(bench, write):
    width = 128
    for heads, kv_heads in HEADS:
        for batch in BATCHES:
            for context in CONTEXTS:
                if bench.out_of_time or batch * context * kv_heads * width * 2 > MOST_ELEMENTS:
                    continue
                q = bench.tensor(batch, heads, 1, width)
                k, v = (bench.tensor(batch, kv_heads, context, width) for _ in range(2))
                latency = bench.microseconds(lambda i: grouped(q, k, v))
                write([batch, heads, kv_heads, width, context, "bfloat16", f"{latency:.3f}"])


def context(bench, write):
    width = 128
    for heads, kv_heads in HEADS:
        for batch in [1, 4, 16]:
            for tokens in PROMPTS:
                if bench.out_of_time or batch * tokens > 32768:
                    continue
                q = bench.tensor(batch, heads, tokens, width)
                k, v = (bench.tensor(batch, kv_heads, tokens, width) for _ in range(2))
                latency = bench.microseconds(lambda i: attend(q, k, v, True))
                write([batch, heads, kv_heads, width, tokens, "bfloat16", f"{latency:.3f}"])


class Layer:
    """A Llama layer without rotary embedding, which is a thousandth of its time."""

    def __init__(self, bench, hidden, heads, kv_heads, network):
        self.heads, self.kv_heads, self.width = heads, kv_heads, hidden // heads
        self.norm = bench.tensor(hidden)
        self.qkv = bench.tensor((heads + 2 * kv_heads) * self.width, hidden)
        self.out = bench.tensor(hidden, hidden)
        self.gate_up, self.down = bench.tensor(2 * network, hidden), bench.tensor(hidden, network)

    def __call__(self, x, k_cache, v_cache):
        batch, tokens, hidden = x.shape
        normed = functional.rms_norm(x, (hidden,), self.norm)
        parts = functional.linear(normed, self.qkv).view(batch, tokens, -1, self.width).transpose(1, 2)
        q, k, v = parts.split([self.heads, self.kv_heads, self.kv_heads], 1)
        if k_cache is None:
            mixed = attend(q, k, v, True)
        else:
            mixed = grouped(q, k_cache, v_cache)
        x = x + functional.linear(mixed.transpose(1, 2).reshape(batch, tokens, hidden), self.out)
        gate, up = functional.linear(functional.rms_norm(x, (hidden,), self.norm), self.gate_up).chunk(2, -1)
        return x + functional.linear(functional.silu(gate) * up, self.down)


def layers(bench, write, power):
    for hidden, heads, kv_heads, network in LAYERS:
        copies = 1 if bench.dry else 2
        stack = [Layer(bench, hidden, heads, kv_heads, network) for _ in range(copies)]
        cases = [("prefill", 1, tokens) for tokens in PROMPTS[:3]]
        cases += [("decode", batch, tokens) for batch in BATCHES for tokens in CONTEXTS[:4]]
        for what, batch, tokens in cases:
            if bench.out_of_time or batch * tokens * kv_heads * hidden // heads * 2 > MOST_ELEMENTS:
                continue
            x = bench.tensor(batch, tokens if what == "prefill" else 1, hidden)
            k = v = None
            if what == "decode":
                k, v = (bench.tensor(batch, kv_heads, tokens, hidden // heads) for _ in range(2))

            def body(i):
                stack[i % copies](x, k, v)

            latency = bench.microseconds(body)
            write([what, hidden, heads, kv_heads, network, batch, tokens, f"{latency:.3f}"])
            if tokens == 2048 or bench.dry:
                measure_power(bench, power, f"layer {hidden} {what} batch {batch} at {tokens}", body, latency)


def steps(bench, write, power):
    """Whole decode steps: table, layers, norm, head and the choice of the likeliest token."""
    (hidden, heads, kv_heads, network), depth, vocabulary = MODEL
    width = hidden // heads
    layer_elements = 2 * hidden * (heads + kv_heads) * width + 3 * hidden * network
    weights = 2 * (depth * layer_elements + vocabulary * hidden)
    if not bench.dry and weights > 0.9 * torch.cuda.mem_get_info()[0]:
        return
    table, norm = bench.tensor(vocabulary, hidden), bench.tensor(hidden)
    stack = [Layer(bench, hidden, heads, kv_heads, network) for _ in range(depth)]
    for batch in BATCHES:
        for tokens in CONTEXTS[1:4]:
            cache = 4 * depth * batch * kv_heads * tokens * width
            if bench.out_of_time or not bench.dry and cache > 0.8 * torch.cuda.mem_get_info()[0]:
                continue
            caches = [[bench.tensor(batch, kv_heads, tokens, width) for _ in range(2)] for _ in range(depth)]
            ids = torch.arange(batch, device=bench.device)

            def body(_):
                x = functional.embedding(ids, table)[:, None]
                for layer, (k, v) in zip(stack, caches):
                    x = layer(x, k, v)
                return functional.linear(functional.rms_norm(x, (hidden,), norm), table).argmax(-1)

            latency = bench.microseconds(body, repeats=3)
            write([hidden, depth, heads, kv_heads, network, vocabulary, batch, tokens, f"{latency:.3f}"])
            if tokens == 2048 or bench.dry:
                measure_power(bench, power, f"step batch {batch} at {tokens}", body, latency)


def measure_power(bench, write, what, body, microseconds):
    """Runs a body for two seconds, so that the board's own average settles."""
    count = 1 if bench.dry else int(2e6 / microseconds) + 1
    with Power() as power, torch.no_grad():
        for i in range(count):
            body(i)
            if not bench.dry and i % 256 == 255:
                torch.cuda.synchronize()
        if not bench.dry:
            torch.cuda.synchronize()
    if power.mean is not None:
        write([what, f"{power.seconds:.3f}", f"{power.mean:.1f}"])


def shrink():
    """Shapes for a dry run."""
    global WEIGHTS, ROWS, HEADS, BATCHES, CONTEXTS, PROMPTS, LAYERS, MODEL
    WEIGHTS, ROWS, HEADS, BATCHES = [(64, 32)], [1, 4], [(4, 2)], [1, 2]
    CONTEXTS, PROMPTS, LAYERS = [16, 32, 48, 64], [16, 32, 64], [(64, 4, 2, 96)]
    MODEL = (LAYERS[0], 3, 160)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--system", required=True, help="the device's name in Hardware/Devices")
    parser.add_argument("--output", required=True, help="folder for the CSV files")
    parser.add_argument("--dry-run", action="store_true", help="tiny shapes on the CPU, to check the script")
    options = parser.parse_args()
    if not options.dry_run and not torch.cuda.is_available():
        parser.error("no CUDA device is visible; --dry-run checks the script without one")
    if options.dry_run:
        shrink()
    bench = Bench(options.dry_run)
    folder = pathlib.Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    files = []

    def table(name, columns):
        file = open(folder / name, "w", newline="")
        files.append(file)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["system"] + columns)
        return lambda row: writer.writerow([options.system] + row)

    power = table("power.csv", ["what", "seconds", "mean_watts"])
    with torch.no_grad():
        layers(
            bench, table("layers.csv", [
                "what", "hidden", "heads", "kv_heads", "intermediate", "batch", "context", "latency_us"]), power)
        steps(
            bench, table("steps.csv", [
                "hidden", "layers", "heads", "kv_heads", "intermediate", "vocabulary", "batch", "context",
                "latency_us"]), power)
        gemm(bench, table("gemm.csv", ["framework", "dtype", "m", "n", "k", "latency_us"]))
        generation(
            bench, table("attention_generation.csv", [
                "batch_size", "num_heads", "num_key_value_heads", "head_dim", "kv_len", "kv_cache_dtype",
                "latency_us"]))
        context(
            bench, table("attention_context.csv", [
                "batch_size", "num_heads", "kv_heads", "head_dim", "isl", "kv_cache_dtype", "latency_us"]))
    for file in files:
        file.close()
    print(f"measured in {time.monotonic() - bench.started:.0f} s")


main()
