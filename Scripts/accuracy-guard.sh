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

measured=../shared/data/measured/llm_inference_bench.csv
if [ ! -e "$measured" ]; then
  echo "accuracy guard: $measured is absent, so errors against measurements are not checked" >&2
  exit 0
fi
"$ridgeline" validate --dataset llm-inference-bench "$measured" --format csv | awk -F, '
  $1 == "e2e" && $2 == "all" {
    if ($5 > 0.045) { printf "mean error of static batches is %.1f %%, above 4.5 %%\n", 100 * $5; exit 1 }
  }' >&2
