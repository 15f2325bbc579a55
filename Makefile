# `make run` shows Ridgeline at work, `make test` checks it. Both set up a fresh Debian machine that has Swift.
# The rest is for developers.

RIDGELINE := .build/release/ridgeline
RESULTS := out/azure-conversation-requests.csv

# Where the public measured data lie; see Reports/Accuracy/README.md.
MEASURED := ../shared/data/measured
VALIDATE := $(RIDGELINE) validate --report Reports/Accuracy

.PHONY: claims run test build setup bench lint format reports accuracy studies clean

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

# Every table of Reports/Accuracy, with refits: some minutes. Needs the public data.
accuracy: build
	$(VALIDATE) --dataset llm-inference-bench --folds model \
	  $(MEASURED)/llm_inference_bench.csv $(MEASURED)/llm_inference_bench_ttft.csv > /dev/null
	$(VALIDATE) --dataset llm-inference-bench --folds device $(MEASURED)/llm_inference_bench.csv > /dev/null
	$(VALIDATE) --dataset llm-inference-bench-power --folds model $(MEASURED)/llm_inference_bench_power.csv > /dev/null
	$(VALIDATE) --dataset splitwise --folds batch $(MEASURED)/splitwise_llama2_70b.csv > /dev/null
	$(VALIDATE) --dataset silicon --folds models-in-four $(MEASURED)/silicon_aggregated.csv > /dev/null

# The committed studies: some minutes on two cores.
studies: build
	$(RIDGELINE) study Reports/Examples/policies/study.yaml
	$(RIDGELINE) study Reports/Examples/disaggregation/study.yaml

# Claims of publications and the maps of crossovers: half a minute.
claims: build
	$(RIDGELINE) claims > /dev/null
	$(RIDGELINE) crossovers

clean:
	rm -rf .build out
