#!/usr/bin/env python3
"""Fits step constants to measured static batches and writes calibration files.

Reads a table in the format of llm_inference_bench.csv (device, device_count, framework, model, input_tokens,
output_tokens, batch_size, latency_s, excluded_because), prices it with `ridgeline predict --cases`, and moves a few
constants for each device and runtime, and for each runtime over all devices of a class, until the logarithms of
predicted and measured latency agree best (soft L1). Rows that name a reason to be excluded are left out.

Every file states its error twice: on the rows it was fitted to, and with each model left out of the fit in turn.

    pip install scipy
    python3 Hardware/Calibrations/fit-static-batches.py llm_inference_bench.csv
"""
import argparse, csv, datetime, math, os, subprocess, tempfile
from pathlib import Path

from scipy.optimize import least_squares

ROOT = Path(__file__).resolve().parents[2]
CLASS = "tensor-core-gpu"

# Constant, start, bounds. The attention share of bandwidth moves with the GEMM's, the two-shot start with the one-shot's.
CONSTANTS = [
    ("gemm_compute", 0.7, 0.15, 1.0), ("gemm_memory", 0.75, 0.2, 1.0), ("step_overhead", 2e-3, 1e-5, 3e-2),
    ("step_per_sequence", 2e-5, 1e-7, 1e-3), ("collective_one_shot_start", 1.2e-5, 1e-6, 3e-4),
    ("collective_link", 0.5, 0.05, 1.0),
]


def expand(point):
    values = {name: value for (name, *_), value in zip(CONSTANTS, point)}
    values["decode_attention_memory"] = values["gemm_memory"]
    values["collective_two_shot_start"] = 1.4 * values["collective_one_shot_start"]
    return values


def spelled(name, value):
    timed = name.startswith("step_") or name.endswith("_start")
    return f"{value * 1e6:.4g} us" if timed else f"{value:.4g}"


def document(name, target, title, rows, point, error, source):
    lines = [
        f"name: {name}", f"title: {title}", f"applies_to: {{{target}}}", f"date: {datetime.date.today()}",
        f"data: >\n  {source}; {len(rows)} rows", "method: >",
        "  Least squares with soft L1 loss on log(predicted / measured) end-to-end latency, six constants,",
        "  by fit-static-batches.py", f"error: >\n  {error}", "valid: >",
        f"  batch {span(rows, 'batch_size')}, prompts {span(rows, 'input_tokens')}, answers "
        f"{span(rows, 'output_tokens')} tokens, {span(rows, 'device_count')} devices", "constants:",
    ]
    return "\n".join(lines + [f"  {k}: {spelled(k, v)}" for k, v in sorted(expand(point).items())]) + "\n"


def span(rows, column):
    values = [int(row[column]) for row in rows]
    return f"{min(values)} to {max(values)}"


class Pricer:
    """Runs the program on a copy of the data folder whose calibrations can be changed."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, Path(folder)
        (self.folder / "Hardware").mkdir()
        for name in ["Devices", "Links", "Systems", "Runtimes"]:
            os.symlink(ROOT / "Hardware" / name, self.folder / "Hardware" / name)
        os.symlink(ROOT / "Workloads", self.folder / "Workloads")
        self.calibrations = self.folder / "Hardware" / "Calibrations"
        self.calibrations.mkdir()
        for path in (ROOT / "Hardware" / "Calibrations").glob("*.yaml"):
            text = path.read_text()
            if "fit-static-batches.py" not in text:
                (self.calibrations / path.name).write_text(text)

    def write(self, rows):
        path = self.folder / "cases.csv"
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)

    def log_ratios(self, name, target, rows, point):
        text = document(name, target, name, rows, point, "being fitted", "rows")
        (self.calibrations / f"{name}.yaml").write_text(text)
        output = self.folder / "priced.csv"
        subprocess.run(
            [self.binary, "predict", "--cases", self.folder / "cases.csv", "--save", output], check=True,
            env={**os.environ, "RIDGELINE_DATA": str(self.folder)}, capture_output=True)
        with open(output, newline="") as file:
            priced = list(csv.DictReader(file))
        # A row that cannot be priced cannot move the constants.
        return [math.log(float(r["e2e_s"]) / float(r["latency_s"])) if r["e2e_s"] else 0.0 for r in priced]

    def fit(self, name, target, rows):
        self.write(rows)
        low, start, high = zip(*[(math.log(l), math.log(s), math.log(h)) for _, s, l, h in CONSTANTS])
        best = least_squares(
            lambda x: self.log_ratios(name, target, rows, [math.exp(v) for v in x]), start, bounds=(low, high),
            loss="soft_l1", f_scale=0.1, diff_step=0.02, max_nfev=25)
        return [math.exp(v) for v in best.x]

    def errors(self, name, target, rows, point):
        self.write(rows)
        return [abs(math.exp(value) - 1) for value in self.log_ratios(name, target, rows, point)]


def summary(errors):
    ranked = sorted(errors)
    return f"{100 * sum(errors) / len(errors):.1f} / {100 * ranked[len(ranked) // 2]:.1f} %"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--only", help="fit this calibration alone, for example gaudi-2-deepspeed")
    parser.add_argument("--ridgeline", default=str(ROOT / ".build/release/ridgeline"))
    arguments = parser.parse_args()
    with open(arguments.dataset, newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["excluded_because"]]
    names = {"A100": "a100-sxm-40gb", "H100": "h100-sxm", "MI250": "mi250", "Gaudi2": "gaudi-2"}
    runtimes = {"vLLM": "vllm-v0", "TensorRT-LLM": "tensorrt-llm", "Deepspeed": "deepspeed"}
    source = f"{Path(arguments.dataset).name} (argonne-lcf/LLM-Inference-Bench, BSD-3), rows without a reason to exclude"
    jobs = []
    for framework, runtime in runtimes.items():
        of_runtime = [row for row in rows if row["framework"] == framework]
        for key, device in names.items():
            own = [row for row in of_runtime if key in row["device"]]
            if own:
                jobs.append((f"{device}-{runtime}", f"device: {device}, runtime: {runtime}", own))
        shared = [row for row in of_runtime if "Nvidia" in row["device"]]
        if shared:
            jobs.append((f"{CLASS}-{runtime}", f"class: {CLASS}, runtime: {runtime}", shared))
    for name, target, own in jobs:
        if arguments.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            pricer = Pricer(arguments.ridgeline, folder)
            point = pricer.fit(name, target, own)
            fitted = pricer.errors(name, target, own, point)
            left_out = []
            for model in sorted({row["model"] for row in own}):
                rest = [row for row in own if row["model"] != model]
                if rest:
                    without = pricer.fit(name, target, rest)
                    left_out += pricer.errors(name, target, [r for r in own if r["model"] == model], without)
        error = f"mean / median absolute percentage error of end-to-end latency: fitted {summary(fitted)}"
        if left_out:
            error += f", leaving one model out {summary(left_out)}"
        title = f"{target.split(', ')[0].split(': ')[1]} under {target.split('runtime: ')[1]}, static batches"
        path = ROOT / "Hardware" / "Calibrations" / f"{name}.yaml"
        path.write_text(document(name, target, title, own, point, error, source))
        print(f"{name}: {error}", flush=True)


main()
