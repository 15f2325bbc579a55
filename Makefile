# `make run` shows Ridgeline at work, `make test` checks it. Both set up a fresh Debian machine that has Swift.
# The rest is for developers.

RIDGELINE := .build/release/ridgeline
RESULTS := out/azure-conversation-requests.csv

# Where the public measured data lie; see Reports/Accuracy/README.md.
MEASURED := ../shared/data/measured
VALIDATE := $(RIDGELINE) validate --report Reports/Accuracy
CALIBRATE := $(RIDGELINE) calibrate --date 2026-11-23
OPERATORS := gemm attention_generation attention_context moe comm alltoall_deepep_ll

.PHONY: run test build setup bench lint format reports accuracy calibrations studies platforms decisions claims host-check clean

run: build
	$(RIDGELINE) predict --model llama-3-8b --hardware h100-sxm --batch 16 --input 1024 --output 256 --explain
	@echo "Replaying 20,000 conversation requests on the same H100:"
	@echo
	$(RIDGELINE) simulate --model llama-3-8b --hardware h100-sxm --traffic azure-conversation --count 20000 \
	  --requests $(RESULTS)
	@echo "One row a request: $(RESULTS)"

test: setup
	swift build --build-tests
	swift test --skip-build --disable-xctest

build: setup
	swift build -c release --product ridgeline

setup:
	@sh Scripts/setup.sh

# Prints what was measured and writes it to Reports/Speed.md.
bench: setup
	swift build -c release
	.build/release/ridgeline-bench Reports/Speed.md

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

format:
	swift format --in-place --recursive Sources Tests Package.swift

# Reports that cost seconds; .ci/run regenerates them and fails when they differ.
reports: build
	sh Scripts/inventory.sh > Reports/Inventory.md

# Every table of Reports/Accuracy, with refits: a quarter of an hour. Needs the public data.
accuracy: build
	$(VALIDATE) --dataset llm-inference-bench --folds model \
	  $(MEASURED)/llm_inference_bench.csv $(MEASURED)/llm_inference_bench_ttft.csv > /dev/null
	$(VALIDATE) --dataset llm-inference-bench --folds device $(MEASURED)/llm_inference_bench.csv > /dev/null
	$(VALIDATE) --dataset llm-inference-bench-power --folds model $(MEASURED)/llm_inference_bench_power.csv > /dev/null
	$(VALIDATE) --dataset splitwise --folds batch $(MEASURED)/splitwise_llama2_70b.csv > /dev/null
	$(VALIDATE) --dataset silicon --folds models-in-four $(MEASURED)/silicon_aggregated.csv > /dev/null
	$(VALIDATE) --dataset silicon-served --folds models-in-four $(MEASURED)/silicon_aggregated.csv > /dev/null
	$(VALIDATE) --dataset llm-inference-bench-overflow $(MEASURED)/llm_inference_bench.csv > /dev/null
	$(VALIDATE) --dataset vllm-runs --folds run $(MEASURED)/vllm_runs.csv > /dev/null
	$(VALIDATE) --dataset vllm-log --serving Reports/Accuracy/vllm-replay-rtx-pro-6000.yaml \
	  $(MEASURED)/vllm_replay_rtxpro6000_llama31_8b/requests.jsonl > /dev/null

# Every fitted calibration file anew, from the public data; the same data, date and program give the same bytes.
# Operators take a quarter of an hour, the rest as long together.
calibrations: build
	$(CALIBRATE) --dataset operators $(OPERATORS:%=$(MEASURED)/operators/%.csv.gz)
	$(CALIBRATE) --dataset llm-inference-bench \
	  $(MEASURED)/llm_inference_bench.csv $(MEASURED)/llm_inference_bench_ttft.csv
	$(CALIBRATE) --dataset splitwise $(MEASURED)/splitwise_llama2_70b.csv
	$(CALIBRATE) --dataset silicon $(MEASURED)/silicon_aggregated.csv
	$(CALIBRATE) --dataset vllm-runs $(MEASURED)/vllm_runs.csv
	$(CALIBRATE) --dataset llm-inference-bench-power $(MEASURED)/llm_inference_bench_power.csv

# The committed studies: some minutes on two cores.
studies: build
	$(RIDGELINE) study Reports/Examples/policies/study.yaml
	$(RIDGELINE) study Reports/Examples/disaggregation/study.yaml

# Claims of publications and the maps of crossovers: half a minute.
claims: build
	$(RIDGELINE) claims > /dev/null
	$(RIDGELINE) crossovers

# Platforms of unlike devices, predicted beside published: seconds.
platforms: build
	$(RIDGELINE) platforms --report Reports/Examples/platforms

# The committed decisions, with their pages: a minute on two cores. See Reports/Examples.
EXAMPLES := Reports/Examples
decisions: build
	mkdir -p out
	rm -f out/decisions.sqlite
	$(RIDGELINE) size --model llama-3.1-70b --hardware h100-sxm,h200-sxm,b200-sxm,mi300x,l40s --traffic azure-conversation \
	  --rate 50 --ttft 2s@p99 --tpot 60ms@p95 --report $(EXAMPLES)/sizing-70b/report.html > $(EXAMPLES)/sizing-70b/answer.txt
	$(RIDGELINE) sweep $(EXAMPLES)/long-context/sweep.yaml --store out/decisions.sqlite \
	  --minimise usd_per_million_output_tokens > $(EXAMPLES)/long-context/answer.txt
	$(RIDGELINE) report long-context --store out/decisions.sqlite --output $(EXAMPLES)/long-context/report.html
	$(RIDGELINE) sweep $(EXAMPLES)/energy-or-latency/sweep.yaml --store out/decisions.sqlite \
	  --pareto energy_per_output_token_j,tpot_p99_s > $(EXAMPLES)/energy-or-latency/answer.txt
	$(RIDGELINE) report energy-or-latency --store out/decisions.sqlite --pareto energy_per_output_token_j,tpot_p99_s \
	  --output $(EXAMPLES)/energy-or-latency/report.html
	$(RIDGELINE) energy --model llama-3.1-70b --hardware h100-sxm --tp 4 --batch 64 --tpot 50ms --rate 50 \
	  --report $(EXAMPLES)/energy-or-latency/clock.html > $(EXAMPLES)/energy-or-latency/clock.txt
# Measures this machine, predicts it, and compares with engines that truly run: about half an hour the first time.
host-check: build
	sh Scripts/host-check.sh

clean:
	rm -rf .build out
