#!/usr/bin/env python3
"""Compares predictions with measured static batches and mean board powers, and writes Markdown to stdout.

    python3 Scripts/accuracy.py ../shared/data/measured > Reports/Accuracy/static-batches.md

Reads llm_inference_bench.csv and llm_inference_bench_power.csv of that folder (argonne-lcf/LLM-Inference-Bench) and
prices them with `.build/release/ridgeline predict --cases`. Rows that name a reason to be excluded are left out.
"""
import csv, statistics, subprocess, sys, tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def priced(rows):
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "cases.csv", Path(folder) / "priced.csv"
        with open(source, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        command = [ROOT / ".build/release/ridgeline", "predict", "--cases", source, "--save", result]
        subprocess.run(command, check=True, cwd=ROOT, stderr=subprocess.DEVNULL)
        with open(result, newline="") as file:
            return [row for row in csv.DictReader(file) if row["e2e_s"]]


def table(title, rows, predicted, measured):
    groups = {"all": rows}
    for row in rows:
        groups.setdefault(f"{row['device']}, {row['framework']}", []).append(row)
    print(f"\n## {title}\n\n| rows of | rows | mean | median | P90 | bias |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, group in sorted(groups.items()):
        errors = [100 * (float(row[predicted]) / measured(row) - 1) for row in group]
        sizes = sorted(map(abs, errors))
        print(
            f"| {name} | {len(sizes)} | {statistics.mean(sizes):.1f} % | {statistics.median(sizes):.1f} % | "
            f"{sizes[int(0.9 * len(sizes))]:.1f} % | {statistics.mean(errors):+.1f} % |")


def main():
    folder = Path(sys.argv[1])
    with open(folder / "llm_inference_bench.csv", newline="") as file:
        batches = [row for row in csv.DictReader(file) if not row["excluded_because"]]
    with open(folder / "llm_inference_bench_power.csv", newline="") as file:
        powers = [
            {"device": row["Hardware"], "device_count": row["Num of Hardware"], "framework": row["Framework"],
             "model": row["Model"], "input_tokens": row["Input Output Length"],
             "output_tokens": row["Input Output Length"], "batch_size": row["Batch Size"],
             "measured_mw": row["avg_power"]} for row in csv.DictReader(file)]
    print("# Static batches: predicted against measured\n")
    print("Written by `Scripts/accuracy.py` from LLM-Inference-Bench (argonne-lcf, BSD-3). Absolute percentage errors.")
    print("These are rows of the fits; errors with each model left out stand in the calibration files and Inventory.md.")
    table("End-to-end latency", priced(batches), "e2e_s", lambda row: float(row["latency_s"]))
    table("Mean board power", priced(powers), "power_w", lambda row: float(row["measured_mw"]) / 1000)


main()
