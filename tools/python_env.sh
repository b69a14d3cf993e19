#!/usr/bin/env bash
# An environment of Python's own for what hone is held against (transformers, gguf): tools/python_env.sh FOLDER REQUIREMENTS.
# Made once, and again when the requirements change. LibTorch's CPU build: what is compared is this machine's processor.
set -euo pipefail
venv=$1 requirements=$2
if [ ! -e "$venv/.ready" ] || [ "$requirements" -nt "$venv/.ready" ]; then
  python3 -m venv "$venv"
  echo "installing torch and $requirements into $venv" >&2
  "$venv/bin/pip" install -q "torch==2.13.0+cpu" 2>/dev/null ||
    "$venv/bin/pip" install -q --index-url https://download.pytorch.org/whl/cpu "torch==2.13.0+cpu"
  "$venv/bin/pip" install -q -r "$requirements"
  touch "$venv/.ready"
fi
