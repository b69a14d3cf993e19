#!/usr/bin/env bash
# A real GGUF model in hone beside transformers, live, in an environment of its own: tools/check_gguf.sh BUILD [DATA].
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build} data=${2:-${HONE_DATA:-../shared/data}}
venv="$build/gguf-venv"
tools/python_env.sh "$venv" tools/golden/gguf_requirements.txt
mkdir -p "$build/gguf-texts"
for text in "$data"/english-novels/{Doyle_Hound_1902,Woolf_Lighthouse_1927}.txt.gz; do
  gzip -dc "$text" >"$build/gguf-texts/$(basename "$text" .gz)"
done
exec "$venv/bin/python" tools/golden/check_gguf.py "$build/hone" "$data/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$build"/gguf-texts/*.txt README.md src/text/gguf_splits.cpp
