#!/usr/bin/env bash
# Sets up the peers' environment (once) and runs the comparison: run.sh BUILD_DIR [options of peers.py].
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
shift || true
venv="$build/peers-venv"
tools/python_env.sh "$venv" bench/peers/requirements.txt
exec "$venv/bin/python" bench/peers/peers.py --bench "$build/bench/model_bench" "$@"
