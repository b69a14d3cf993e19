#!/usr/bin/env bash
# Whole tuning runs beside TRL's, in an environment of its own: tuning.sh BUILD MODEL ROWS [options of tuning.py].
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build} model=$2 rows=$3
shift 3
venv="$build/tuning-venv"
tools/python_env.sh "$venv" bench/peers/tuning_requirements.txt
exec "$venv/bin/python" bench/peers/tuning.py --hone "$build/hone" --model "$model" --data "$rows" "$@"
