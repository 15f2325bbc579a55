"""A Llama forward pass in NumPy, written apart from the engine: what its tests compare with.

    python3 forward.py FOLDER dense|tied|mixture

Draws a small model, writes it as safetensors with config.json and as GGUF in several formats, and writes the logits of
every position of one token sequence, computed in float64 over the same quantised weights, for each format.
"""

import json
import pathlib
import struct
import sys

import numpy as np

HIDDEN, HEADS, KV_HEADS, WIDTH, NETWORK, LAYERS, VOCABULARY = 64, 4, 2, 16, 96, 2, 83
EXPERTS, CHOSEN = 4, 2
EPSILON, THETA, TOKENS = 1e-5, 10000.0, 19
# Activations that are rounded to whole numbers keep this far from where rounding turns: two engines that differ in the
# last bits then round alike, and a comparison can be strict.
MARGIN = 6e-5
FORMATS = ["f32", "bf16", "int8", "q8_0", "q4_0", "q4_1"]


# Formats of weights. Each returns what the engine must hold: values for plain formats, (scale, whole, offset) by block
# for integers.


def bf16(x):
    bits = x.astype(np.float32).view(np.uint32).astype(np.uint64)
    return (((bits + 0x7FFF + (bits >> 16 & 1)) >> 16) << 16).astype(np.uint32).view(np.float32)


def half(x):
    return x.astype(np.float16).astype(np.float64)


def blocks(x):
    return x.astype(np.float32).reshape(x.shape[0], -1, 32)


def int8(x):
    scale = (np.abs(x).max(1) / np.float32(127)).astype(np.float32)
    whole = np.rint(x * (np.float32(1) / scale)[:, None])
    return scale[:, None, None].astype(np.float64) * np.ones((1, x.shape[1] // 32, 1)), blocks(whole), None


def q8_0(x):
    x = blocks(x)
    scale = np.abs(x).max(2, keepdims=True) / np.float32(127)
    return half(scale), np.rint(x * (np.float32(1) / scale)), None


def q4_0(x):
    x = blocks(x)
    extreme = np.take_along_axis(x, np.abs(x).argmax(2)[..., None], 2)
    scale = extreme / np.float32(-8)
    whole = np.clip(np.floor(x * (np.float32(1) / scale) + np.float32(8.5)), 0, 15)
    return half(scale), whole - 8, None


def q4_1(x):
    x = blocks(x)
    low, high = x.min(2, keepdims=True), x.max(2, keepdims=True)
    scale = (high - low) / np.float32(15)
    whole = np.clip(np.floor((x - low) * (np.float32(1) / scale) + np.float32(0.5)), 0, 15)
    return half(scale), whole, half(low)


class Matrix:
    """Weights in a format, and products with activations that the integer formats round to 8 bits first."""

    nearest = 1.0  # How close any rounded activation came to an edge.

    def __init__(self, x, format):
        self.format = format
        if format in ("f32", "bf16"):
            self.values = (bf16(x) if format == "bf16" else x).astype(np.float64)
            return
        self.scale, self.whole, self.offset = {"int8": int8, "q8_0": q8_0, "q4_0": q4_0, "q4_1": q4_1}[format](x)
        offset = 0 if self.offset is None else self.offset
        self.values = (self.scale * self.whole + offset).reshape(x.shape)

    def __call__(self, x):
        if self.format in ("f32", "bf16"):
            return x @ self.values.T
        x = blocks(x)
        scale = np.abs(x).max(2, keepdims=True) / np.float32(127)
        inverse = np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale > 0)
        whole = np.rint(x * inverse).astype(np.float64)
        Matrix.nearest = min(Matrix.nearest, 0.5 - np.abs(x * inverse - whole).max())
        product = np.einsum("rbk,cbk->rcb", whole, self.whole.astype(np.float64))
        total = np.einsum("rcb,rb,cb->rc", product, half(scale)[..., 0], self.scale[..., 0])
        if self.offset is not None:
            sums = half(scale * whole.sum(2, keepdims=True).astype(np.float32))[..., 0]
            total += sums @ self.offset[..., 0].T
        return total


# The model.


def draw(kind):
    random = np.random.default_rng({"dense": 1, "tied": 2, "mixture": 3}[kind])

    def matrix(rows, inner):
        return (random.standard_normal((rows, inner)) / np.sqrt(inner)).astype(np.float32)

    def norm():
        return (1 + 0.1 * random.standard_normal(HIDDEN)).astype(np.float32)

    weights = {"tokens": matrix(VOCABULARY, HIDDEN) * np.float32(3), "norm": norm()}
    if kind != "tied":
        weights["head"] = matrix(VOCABULARY, HIDDEN)
    for layer in range(LAYERS):
        part = {
            "attn_norm": norm(), "ffn_norm": norm(), "q": matrix(HEADS * WIDTH, HIDDEN),
            "k": matrix(KV_HEADS * WIDTH, HIDDEN), "v": matrix(KV_HEADS * WIDTH, HIDDEN),
            "o": matrix(HIDDEN, HEADS * WIDTH)}
        if kind == "mixture":
            part["router"] = matrix(EXPERTS, HIDDEN) * np.float32(2)
        for expert in range(EXPERTS if kind == "mixture" else 1):
            part[f"gate{expert}"] = matrix(NETWORK, HIDDEN)
            part[f"up{expert}"] = matrix(NETWORK, HIDDEN)
            part[f"down{expert}"] = matrix(HIDDEN, NETWORK)
        weights[layer] = part
    return weights


def rms(x, weight):
    return x / np.sqrt((x * x).mean(1, keepdims=True) + EPSILON) * weight


def rotate(x):
    """Halves of heads: x is [tokens, heads, width]."""
    angle = np.arange(x.shape[0])[:, None] * THETA ** (-2 * np.arange(WIDTH // 2) / WIDTH)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    a, b = x[..., : WIDTH // 2], x[..., WIDTH // 2:]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], 2)


def attention(x, part, product):
    count = x.shape[0]
    q = rotate(product("q", x).reshape(count, HEADS, WIDTH))
    k = rotate(product("k", x).reshape(count, KV_HEADS, WIDTH)).repeat(HEADS // KV_HEADS, 1)
    v = product("v", x).reshape(count, KV_HEADS, WIDTH).repeat(HEADS // KV_HEADS, 1)
    scores = np.einsum("qhw,khw->hqk", q, k) / np.sqrt(WIDTH)
    scores = np.where(np.tril(np.ones((count, count), bool)), scores, -np.inf)
    weights = np.exp(scores - scores.max(2, keepdims=True))
    weights /= weights.sum(2, keepdims=True)
    return product("o", np.einsum("hqk,khw->qhw", weights, v).reshape(count, -1))


def network(x, expert, product):
    gate, up = product(f"gate{expert}", x), product(f"up{expert}", x)
    return product(f"down{expert}", gate / (1 + np.exp(-gate)) * up)


def mixture(x, part, product):
    logits = x @ part["router"].astype(np.float64).T
    result = np.zeros_like(x)
    for row in range(x.shape[0]):
        chosen = np.argsort(-logits[row], kind="stable")[:CHOSEN]
        weight = np.exp(logits[row][chosen] - logits[row].max())
        for expert, share in zip(chosen, weight / weight.sum()):
            result[row] += share * network(x[row: row + 1], expert, product)[0]
    return result


def forward(weights, tokens, format):
    table = Matrix(weights["tokens"], format)
    x = table.values[tokens]
    for layer in range(LAYERS):
        part = weights[layer]
        cache = part.setdefault("packed", {})

        def product(name, x):
            if (format, name) not in cache:
                cache[format, name] = Matrix(part[name], format)
            return cache[format, name](x)

        x = x + attention(rms(x, part["attn_norm"]), part, product)
        normed = rms(x, part["ffn_norm"])
        x = x + (mixture(normed, part, product) if "router" in part else network(normed, 0, product))
    head = Matrix(weights["head"], format) if "head" in weights else table
    return head(rms(x, weights["norm"]))


# Files.


def named(weights):
    """Names of the transformers library."""
    yield "model.embed_tokens.weight", weights["tokens"]
    yield "model.norm.weight", weights["norm"]
    if "head" in weights:
        yield "lm_head.weight", weights["head"]
    for layer in range(LAYERS):
        part, prefix = weights[layer], f"model.layers.{layer}."
        for ours, theirs in [("q", "q_proj"), ("k", "k_proj"), ("v", "v_proj"), ("o", "o_proj")]:
            yield f"{prefix}self_attn.{theirs}.weight", part[ours]
        yield prefix + "input_layernorm.weight", part["attn_norm"]
        yield prefix + "post_attention_layernorm.weight", part["ffn_norm"]
        if "router" not in part:
            for name in ["gate", "up", "down"]:
                yield f"{prefix}mlp.{name}_proj.weight", part[name + "0"]
            continue
        yield prefix + "block_sparse_moe.gate.weight", part["router"]
        for expert in range(EXPERTS):
            for ours, theirs in [("gate", "w1"), ("down", "w2"), ("up", "w3")]:
                yield f"{prefix}block_sparse_moe.experts.{expert}.{theirs}.weight", part[f"{ours}{expert}"]


def write_safetensors(path, weights):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, x in named(weights):
        header[name] = {"dtype": "F32", "shape": list(x.shape), "data_offsets": [len(data), len(data) + x.nbytes]}
        data += x.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def configuration(weights, kind):
    return {
        "model_type": "mixtral" if kind == "mixture" else "llama", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "intermediate_size": NETWORK,
        "vocab_size": VOCABULARY, "max_position_embeddings": 256, "rms_norm_eps": EPSILON, "rope_theta": THETA,
        "tie_word_embeddings": kind == "tied", "hidden_act": "silu", "torch_dtype": "float32",
        "num_local_experts": EXPERTS, "num_experts_per_tok": CHOSEN}


def pack(x, format):
    """Bytes of a tensor as GGUF holds them."""
    rows = x.reshape(-1, x.shape[-1])
    if format == "f32":
        return x.astype("<f4").tobytes()
    if format == "bf16":
        return (bf16(x).view(np.uint32) >> 16).astype("<u2").tobytes()
    scale, whole, offset = {"q8_0": q8_0, "q4_0": q4_0, "q4_1": q4_1}[format](rows)
    parts = [scale.astype("<f2").view(np.uint8)]
    if offset is not None:
        parts.append(offset.astype("<f2").view(np.uint8))
    if format == "q8_0":
        parts.append(whole.astype(np.int8).view(np.uint8))
    else:
        nibbles = (whole + (8 if format == "q4_0" else 0)).astype(np.uint8)
        parts.append(nibbles[..., :16] | nibbles[..., 16:] << 4)
    return np.concatenate(parts, 2).tobytes()


def paired(x):
    """Rows of a head in the order in which neighbours turn together."""
    return x.reshape(-1, 2, WIDTH // 2, HIDDEN).swapaxes(1, 2).reshape(x.shape)


def gguf_tensors(weights):
    yield "token_embd.weight", weights["tokens"]
    yield "output_norm.weight", weights["norm"]
    if "head" in weights:
        yield "output.weight", weights["head"]
    for layer in range(LAYERS):
        part, prefix = weights[layer], f"blk.{layer}."
        yield prefix + "attn_norm.weight", part["attn_norm"]
        yield prefix + "ffn_norm.weight", part["ffn_norm"]
        yield prefix + "attn_q.weight", paired(part["q"])
        yield prefix + "attn_k.weight", paired(part["k"])
        yield prefix + "attn_v.weight", part["v"]
        yield prefix + "attn_output.weight", part["o"]
        for name in ["gate", "up", "down"]:
            if "router" in part:
                yield f"{prefix}ffn_{name}_exps.weight", np.stack([part[f"{name}{e}"] for e in range(EXPERTS)])
            else:
                yield f"{prefix}ffn_{name}.weight", part[name + "0"]
        if "router" in part:
            yield prefix + "ffn_gate_inp.weight", part["router"]


def write_gguf(path, weights, format, version, kind):
    def text(x):
        x = x.encode()
        return struct.pack("<Q", len(x)) + x

    def entry(key, type, value):
        if type == 8:
            return text(key) + struct.pack("<I", 8) + text(value)
        if type == 9:
            return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
        return text(key) + struct.pack("<I", type) + struct.pack("<" + {4: "I", 6: "f"}[type], value)

    letters = [chr(33 + i) for i in range(VOCABULARY - 1)] + ["!\""]
    entries = [
        entry("general.architecture", 8, "llama"), entry("llama.embedding_length", 4, HIDDEN),
        entry("llama.block_count", 4, LAYERS), entry("llama.feed_forward_length", 4, NETWORK),
        entry("llama.attention.head_count", 4, HEADS), entry("llama.attention.head_count_kv", 4, KV_HEADS),
        entry("llama.context_length", 4, 256), entry("llama.attention.layer_norm_rms_epsilon", 6, EPSILON),
        entry("llama.rope.freq_base", 6, THETA), entry("tokenizer.ggml.model", 8, "gpt2"),
        entry("tokenizer.ggml.pre", 8, "gpt-2"), entry("tokenizer.ggml.tokens", 9, letters),
        entry("tokenizer.ggml.merges", 9, ["! \""])]
    if kind == "mixture":
        entries += [entry("llama.expert_count", 4, EXPERTS), entry("llama.expert_used_count", 4, CHOSEN)]
    infos, data = b"", b""
    tensors = list(gguf_tensors(weights))
    for name, x in tensors:
        plain = x.ndim == 1 or "gate_inp" in name
        dims = struct.pack("<I", x.ndim) + b"".join(struct.pack("<Q", d) for d in reversed(x.shape))
        type = {"f32": 0, "bf16": 30, "q4_0": 2, "q4_1": 3, "q8_0": 8}["f32" if plain else format]
        infos += text(name) + dims + struct.pack("<IQ", type, len(data))
        data += pack(x, "f32" if plain else format)
        data += bytes(-len(data) % 32)
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(entries)) + b"".join(entries) + infos
    path.write_bytes(head + bytes(-len(head) % 32) + data)


def robust(weights, format):
    """Tokens, and their logits, of which no activation lies on the edge."""
    for seed in range(1000):
        tokens = np.random.default_rng(seed).integers(0, VOCABULARY, TOKENS)
        Matrix.nearest = 1.0
        logits = forward(weights, tokens, format)
        if Matrix.nearest > MARGIN:
            return tokens, logits
    sys.exit("no tokens keep clear of the edges")


def main():
    folder, kind = pathlib.Path(sys.argv[1]), sys.argv[2]
    weights = draw(kind)
    write_safetensors(folder / "model.safetensors", weights)
    (folder / "config.json").write_text(json.dumps(configuration(weights, kind)))
    for format in FORMATS:
        tokens, logits = robust(weights, format)
        (folder / f"tokens-{format}.json").write_text(json.dumps(tokens.tolist()))
        logits.astype("<f4").tofile(folder / f"logits-{format}.bin")
        if format != "int8":
            write_gguf(folder / f"{format}.gguf", weights, format, 2 if format == "q8_0" else 3, kind)


main()
