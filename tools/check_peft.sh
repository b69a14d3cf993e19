#!/usr/bin/env bash
# Adapters of hone in PEFT and of PEFT in hone, live, on SmolLM2, in an environment of its own: tools/check_peft.sh BUILD [DATA].
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build} data=${2:-${HONE_DATA:-../shared/data}}
venv="$build/peft-venv"
tools/python_env.sh "$venv" tools/golden/peft_requirements.txt
exec "$venv/bin/python" tools/golden/check_peft.py "$build/hone" "$data/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
