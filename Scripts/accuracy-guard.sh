#!/bin/sh
# Recomputes a fixed sample of predictions and fails when one moved by more than 2 %, naming those that did.
# Where the public measured data lie beside the repository, the errors of the calibrations as they stand are checked too.
#
#   sh Scripts/accuracy-guard.sh            checks
#   sh Scripts/accuracy-guard.sh --record   writes the sample anew, after a change that was meant
set -eu
cd "$(dirname "$0")/.."
ridgeline=.build/release/ridgeline
sample=Reports/Accuracy/sample.csv
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cut -d, -f1-7 "$sample" > "$scratch/cases.csv"
"$ridgeline" predict --cases "$scratch/cases.csv" --save "$scratch/priced.csv" 2> /dev/null
column() { head -n 1 "$scratch/priced.csv" | tr , '\n' | grep -nx "$1" | cut -d: -f1; }
cut -d, -f1-7,"$(column ttft_s)","$(column e2e_s)" "$scratch/priced.csv" > "$scratch/now.csv"
if [ "${1:-}" = --record ]; then
  cp "$scratch/now.csv" "$sample"
  exit 0
fi
paste -d, "$sample" "$scratch/now.csv" | awk -F, '
  NR > 1 {
    for (i = 8; i <= 9; i++) {
      change = ($(i + 9) - $i) / $i
      if (change > 0.02 || change < -0.02) {
        printf "%s x %s, %s, %s, %s+%s tokens, batch %s: %s moved by %+.1f %%\n", $1, $2, $3, $4, $5, $6, $7, \
          i == 8 ? "TTFT" : "end to end", 100 * change
        moved++
      }
    }
  }
  END {
    if (moved) { print moved " predictions moved by more than 2 %; if that was meant, record the sample anew"; exit 1 }
  }' >&2

measured=../shared/data/measured
if [ ! -e "$measured" ]; then
  echo "accuracy guard: $measured is absent, so errors against measurements are not checked" >&2
  exit 0
fi
# What is checked: the name, the limit of the mean error, the metric, and how to compare.
check() {
  name=$1 limit=$2 metric=$3
  shift 3
  "$ridgeline" validate --format csv "$@" | awk -F, -v name="$name" -v limit="$limit" -v metric="$metric" '
    $1 == metric && $2 == "all" {
      if ($5 > limit) { printf "mean error of %s is %.1f %%, above %.1f %%\n", name, 100 * $5, 100 * limit; exit 1 }
    }' >&2
}
check "static batches" 0.045 e2e --dataset llm-inference-bench "$measured/llm_inference_bench.csv"
check "batches that overflow the cache" 0.095 e2e --dataset llm-inference-bench-overflow \
  "$measured/llm_inference_bench.csv"
check "a vLLM log" 0.055 e2e --dataset vllm-log --serving Reports/Accuracy/vllm-replay-rtx-pro-6000.yaml \
  "$measured/vllm_replay_rtxpro6000_llama31_8b/requests.jsonl"
check "staged vLLM runs" 0.06 e2e --dataset vllm-runs "$measured/vllm_runs.csv"
