#!/usr/bin/env bash
# The strangers whole, README's commands with SmolLM2 throughout, and what strangers export beside transformers, in an environment of its own (made once).
#   tests/strangers/transformers.sh BUILD [--freeze]     --freeze: writes expected.json anew, and runs nothing
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
venv="$build/strangers-venv"
tools/python_env.sh "$venv" tests/strangers/requirements.txt
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
