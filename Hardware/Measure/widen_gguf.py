"""Writes a GGUF file again with all quantised tensors as f32, so that engines that round activations differently for
quantised weights can be compared on the same weights.

    python widen_gguf.py IN.gguf OUT.gguf

Needs NumPy. Reads F32, F16, BF16, Q8_0, Q4_0 and Q4_1.
"""

import mmap
import struct
import sys

import numpy as np

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
ALIGNMENT = 32


class Reader:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.at = 0

    def number(self, format):
        value = struct.unpack_from("<" + format, self.data, self.at)[0]
        self.at += struct.calcsize(format)
        return value

    def text(self):
        count = self.number("Q")
        self.at += count
        return self.data[self.at - count: self.at]

    def skip(self, type):
        if type == 8:
            self.text()
        elif type == 9:
            inner, count = self.number("I"), self.number("Q")
            for _ in range(count):
                self.skip(inner)
        else:
            self.at += SIZES[type]


def values(data, type, count):
    """f32 values of a tensor's bytes."""
    if type == 0:
        return np.frombuffer(data, "<f4", count)
    if type == 1:
        return np.frombuffer(data, "<f2", count).astype("<f4")
    if type == 30:
        return (np.frombuffer(data, "<u2", count).astype("<u4") << 16).view("<f4")
    width = {8: 34, 2: 18, 3: 20}[type]
    blocks = np.frombuffer(data, np.uint8, count // 32 * width).reshape(-1, width)
    scale = blocks[:, :2].copy().view("<f2").astype("<f4")
    if type == 8:
        return (scale * blocks[:, 2:].view(np.int8)).astype("<f4").ravel()
    nibbles = blocks[:, width - 16:]
    whole = np.concatenate([nibbles & 15, nibbles >> 4], 1).astype("<f4")
    if type == 2:
        return (scale * (whole - 8)).astype("<f4").ravel()
    return (scale * whole + blocks[:, 2:4].copy().view("<f2").astype("<f4")).astype("<f4").ravel()


def tensor_bytes(type, count):
    return {0: 4 * count, 1: 2 * count, 30: 2 * count, 8: count // 32 * 34, 2: count // 32 * 18, 3: count // 32 * 20}[type]


def main():
    reader = Reader(sys.argv[1])
    assert reader.data[:4] == b"GGUF"
    reader.at = 8
    tensors, entries = reader.number("Q"), reader.number("Q")
    for _ in range(entries):
        reader.text()
        reader.skip(reader.number("I"))
    head_end = reader.at
    infos = []
    for _ in range(tensors):
        name, shape = reader.text(), []
        for _ in range(reader.number("I")):
            shape.append(reader.number("Q"))
        infos.append((name, shape, reader.number("I"), reader.number("Q")))
    start = -(-reader.at // ALIGNMENT) * ALIGNMENT
    with open(sys.argv[2], "wb") as out:
        out.write(reader.data[:head_end])
        offset = 0
        for name, shape, _, _ in infos:
            out.write(struct.pack("<Q", len(name)) + name + struct.pack("<I", len(shape)))
            out.write(b"".join(struct.pack("<Q", d) for d in shape) + struct.pack("<IQ", 0, offset))
            offset += -(-4 * int(np.prod(shape)) // ALIGNMENT) * ALIGNMENT
        out.write(bytes(-out.tell() % ALIGNMENT))
        for _, shape, type, place in infos:
            count = int(np.prod(shape))
            data = reader.data[start + place: start + place + tensor_bytes(type, count)]
            out.write(values(data, type, count).tobytes())
            out.write(bytes(-out.tell() % ALIGNMENT))


main()
