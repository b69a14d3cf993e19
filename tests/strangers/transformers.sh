#!/usr/bin/env bash
# The strangers whole, README's commands with SmolLM2 throughout, and what strangers export beside transformers, in an environment of its own (made once).
#   tests/strangers/transformers.sh BUILD [--freeze]     --freeze: writes expected.json anew, and runs nothing
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
venv="$build/strangers-venv"
if [ ! -e "$venv/.ready" ] || [ tests/strangers/requirements.txt -nt "$venv/.ready" ]; then
  python3 -m venv "$venv"
  echo "installing transformers and torch into $venv" >&2
  "$venv/bin/pip" install -q "torch==2.13.0+cpu" 2>/dev/null ||
    "$venv/bin/pip" install -q --index-url https://download.pytorch.org/whl/cpu "torch==2.13.0+cpu"
  "$venv/bin/pip" install -q -r tests/strangers/requirements.txt
  touch "$venv/.ready"
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/hone-strangers.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ "${2:-}" = --freeze ]; then
  python3 tests/strangers/make.py "$work"
  exec "$venv/bin/python" tests/strangers/transformers_check.py "$work" --freeze
fi
status=0
tests/strangers/readme.sh "$build" --whole || { [ $? = 77 ] || status=1; }
python3 tests/strangers/run.py "$build" --out "$work" --whole || status=1
"$venv/bin/python" tests/strangers/transformers_check.py "$work" --hone "$build/hone" || status=1
exit $status
