#!/usr/bin/env python3
"""Measures a trace and prints the YAML blocks of a traffic file: arrivals, token tables, rank correlation.

    python3 derive-quantiles.py AzureLLMInferenceTrace_conv.csv [--points 80] [--pause 5]

Reads the Azure LLM inference CSV (TIMESTAMP, ContextTokens, GeneratedTokens). Standard library only.

A table's points lie on the trace's cumulative distribution: [share, tokens] says that this share of requests has at
most so many tokens. The median and the 0.1, 1, 5, 10, 25, 75, 90, 95, 99 and 99.9 % quantiles are always in; then
points are added where the area between the table and the trace is largest.
"""
import argparse
import csv
from bisect import bisect_left
from datetime import datetime
from math import ceil
from statistics import mean, pstdev

KEPT = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)


def read(path):
    """Arrivals in seconds since the first, input tokens, output tokens."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    times = [nanoseconds(row["TIMESTAMP"]) for row in rows]
    seconds = [(time - times[0]) / 1e9 for time in times]
    return seconds, [int(row["ContextTokens"]) for row in rows], [int(row["GeneratedTokens"]) for row in rows]


def nanoseconds(timestamp):
    whole, fraction = timestamp.split(".")
    since = datetime.fromisoformat(whole) - datetime(1970, 1, 1)
    return (since.days * 86400 + since.seconds) * 10**9 + int(fraction.ljust(9, "0"))


def cumulative(tokens):
    """Every step of the cumulative distribution, from (0, just below the smallest)."""
    ordered = sorted(tokens)
    steps = [(0.0, ordered[0] - 1)]
    for index, value in enumerate(ordered, 1):
        if index == len(ordered) or ordered[index] != value:
            steps.append((index / len(ordered), value))
    return steps


def area(steps, low, high):
    """Token-weighted gap between the steps and the line from low to high, and where it is widest."""
    (share0, tokens0), (share1, tokens1) = steps[low], steps[high]
    total, widest, at = 0.0, -1.0, None
    for index in range(low + 1, high):
        share, tokens = steps[index]
        line = tokens0 + (share - share0) / (share1 - share0) * (tokens1 - tokens0)
        gap = abs(tokens - line)
        total += gap * (steps[index + 1][0] - steps[index - 1][0]) / 2
        if gap > widest:
            widest, at = gap, index
    return total, at


def table(tokens, size):
    """The cumulative distribution reduced to about `size` points."""
    steps = cumulative(tokens)
    shares = [share for share, _ in steps]
    chosen = {0, len(steps) - 1}
    for share in KEPT:
        index = bisect_left(shares, share)
        chosen |= {max(index - 1, 0), index}
    while len(chosen) < min(size, len(steps)):
        order = sorted(chosen)
        worst, at = max((area(steps, low, high) for low, high in zip(order, order[1:])), key=lambda found: found[0])
        if at is None:
            break
        chosen.add(at)
    return [steps[index] for index in sorted(chosen)]


def ranks(values):
    """Ranks from 1, equal values sharing their mean rank."""
    order = sorted(values)
    first = {}
    last = {}
    for index, value in enumerate(order, 1):
        first.setdefault(value, index)
        last[value] = index
    return [(first[value] + last[value]) / 2 for value in values]


def rank_correlation(left, right):
    a, b = ranks(left), ranks(right)
    middle = mean(a)
    product = sum((x - middle) * (y - middle) for x, y in zip(a, b))
    return product / (sum((x - middle) ** 2 for x in a) * sum((y - middle) ** 2 for y in b)) ** 0.5


def print_table(name, tokens, size):
    points = table(tokens, size)
    print(f"{name}:  # mean {mean(tokens):.2f}, {len(points)} points")
    print("  distribution: quantiles")
    print("  source: trace")
    print("  points:")
    for start in range(0, len(points), 6):
        print("    " + ("[" if start == 0 else " ") + ", ".join(f"[{s:.6g}, {t}]" for s, t in points[start : start + 6])
              + ("]" if start + 6 >= len(points) else ","))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("trace")
    options.add_argument("--points", type=int, default=80)
    options.add_argument("--pause", type=float, default=5, help="gap in seconds that ends a burst (on-off phases)")
    given = options.parse_args()
    seconds, inputs, outputs = read(given.trace)
    gaps = [later - earlier for earlier, later in zip(seconds, seconds[1:])]
    pauses = [gap for gap in gaps if gap > given.pause]
    print(f"# {len(seconds)} requests in {seconds[-1]:.3f} s; gaps: rate_per_s {len(gaps) / seconds[-1]:.4f},"
          f" cv {pstdev(gaps) / mean(gaps):.4f}")
    if pauses:
        bursts = len(pauses) + 1  # both phases per burst, which keeps the trace's mean rate
        on = seconds[-1] - sum(pauses)
        print(f"# bursts split at pauses above {given.pause:g} s: rate_on_per_s {len(seconds) / on:.4f},"
              f" on_s {on / bursts:.3f}, off_s {sum(pauses) / bursts:.3f},"
              f" cv of pauses {pstdev(pauses) / mean(pauses):.3f}")
    print_table("input_tokens", inputs, given.points)
    print_table("output_tokens", outputs, given.points)
    print(f"dependence: {{rank_correlation: {rank_correlation(inputs, outputs):.4f}, source: trace}}")


if __name__ == "__main__":
    main()
