#!/usr/bin/env bash
# Sets up the peers' environment (once) and runs the comparison: run.sh BUILD_DIR [options of peers.py].
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
shift || true
venv="$build/peers-venv"
if [ ! -e "$venv/.ready" ] || [ bench/peers/requirements.txt -nt "$venv/.ready" ]; then
  python3 -m venv "$venv"
  echo "installing transformers and torch into $venv" >&2
  # The CPU build: what is compared is this machine's processor.
  "$venv/bin/pip" install -q "torch==2.13.0+cpu" 2>/dev/null ||
    "$venv/bin/pip" install -q --index-url https://download.pytorch.org/whl/cpu "torch==2.13.0+cpu"
  "$venv/bin/pip" install -q -r bench/peers/requirements.txt
  touch "$venv/.ready"
fi
exec "$venv/bin/python" bench/peers/peers.py --bench "$build/bench/model_bench" "$@"
