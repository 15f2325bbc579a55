#!/usr/bin/env python3
"""Compares operator prices with measured operators and writes Markdown to stdout.

    python3 Scripts/operator-accuracy.py ../shared/data/measured/operators > Reports/Accuracy/operators.md

Reads the operator tables of that folder (ai-dynamo/aiconfigurator silicon sample) through
`.build/release/ridgeline validate --dataset operators`.
"""
import csv, io, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLES = [
    "gemm", "attention_generation", "attention_context", "mla", "moe", "comm", "alltoall_deepep_ll",
]
# Reached by medians on the own fit, and by the 90th percentile where one is named.
TARGETS = {
    "gemm": (6, 18), "decode attention": (7, None), "prefill attention": (7, None), "all-reduce": (4, None),
    "mixture of experts": (12, None),
}
REFERENCE = {
    ("gemm", "bfloat16"), ("decode attention", "bfloat16"), ("prefill attention", "bfloat16"),
    ("mixture of experts", "bfloat16"), ("all-reduce", "bytes"),
}
INTRODUCTION = """# Operators: predicted against measured

Written by `Scripts/operator-accuracy.py` from the operator tables of the aiconfigurator silicon sample (ai-dynamo,
Apache-2.0): single operators replayed on A100 and H100. Median / 90th percentile of absolute percentage errors.

- *As calibrated*: with the calibration files that name no runtime. Only bf16 products and attention, Triton experts,
  captured all-reduces and expert exchanges gave them their constants; all other rows are priced with the same ones.
- *Own fit*: the same formulas fitted to the very rows, by device, format and kernel.
- *Five folds*: each fifth of the shapes (columns and inner dimension; head layout and length; model and split; message
  size) predicted from a fit to the other four.
- *Other devices*: predicted from a fit to the other devices' rows, with the device's specification. Two devices are
  few: each is predicted from one other, of another generation and another version of the kernels.
"""


def validate(files, *options):
    command = [ROOT / ".build/release/ridgeline", "validate", "--dataset", "operators", "--format", "csv", *options]
    done = subprocess.run([*command, *files], check=True, cwd=ROOT, capture_output=True, text=True)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def error(row):
    return f"{100 * float(row['median_absolute_error']):.1f} / {100 * float(row['p90_absolute_error']):.1f}"


def verdict(key, row):
    operator, form = key[:2]
    if (operator, form) not in REFERENCE or operator not in TARGETS:
        return ""
    if operator == "mixture of experts" and key[2] != "triton" or operator == "all-reduce" and "captured" not in key[2]:
        return ""
    median, ninetieth = TARGETS[operator]
    met = 100 * float(row["median_absolute_error"]) <= median
    met = met and (ninetieth is None or 100 * float(row["p90_absolute_error"]) <= ninetieth)
    return f"{median}{f' / {ninetieth}' if ninetieth else ''}: {'reached' if met else 'missed'}"


def main():
    folder = Path(sys.argv[1]).resolve()
    files = [folder / f"{name}.csv.gz" for name in TABLES]
    cells, order = {}, []
    for folds in ["none", "model", "device"]:
        for row in validate(files, "--folds", folds):
            key = row["operator"], row["format"], row["source"], row["device"]
            if key not in cells:
                cells[key] = {}
                order.append(key)
            cells[key][row["basis"]] = row
    print(INTRODUCTION)
    bases = ["as calibrated", "own fit", "five folds", "other devices"]
    print(f"| operator | format | kernel | device | rows | {' | '.join(bases)} | bias of own fit | target of own fit |")
    print("| --- | --- | --- | --- | ---: |" + " ---: |" * 5 + " --- |")
    for key in order:
        found = cells[key]
        own = found["own fit"]
        errors = " | ".join(error(found[basis]) if basis in found else "" for basis in bases)
        print(
            f"| {' | '.join(key)} | {own['rows']} | {errors} | {100 * float(own['bias']):+.1f} % | {verdict(key, own)} |")
    print("\n## A device without measurements: H200 by its specification and its class\n")
    print("| operator | format | rows | median / P90 | bias | refitted |\n| --- | --- | ---: | ---: | ---: | ---: |")
    power = [folder / "gemm_power_h200.csv.gz", folder / "attention_generation_power_h200.csv.gz"]
    rows = validate(power, "--device", "h200-sxm")
    refitted = {(r["operator"], r["format"]): error(r) for r in rows if r["basis"] == "own fit"}
    for row in rows:
        if row["basis"] == "as calibrated":
            again = refitted[row["operator"], row["format"]]
            print(
                f"| {row['operator']} | {row['format']} | {row['rows']} | {error(row)} | "
                f"{100 * float(row['bias']):+.1f} % | {again} |")
    print((ROOT / "Scripts/operator-accuracy-notes.md").read_text().rstrip())


main()
