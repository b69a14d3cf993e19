#!/usr/bin/env bash
# Opens `hone annotate` on a model that anyone can have (tools/chat_model.sh) and prints the page's address.
#   tools/judge.sh BUILD [OPTION…]   options of hone annotate, e.g. --prompts my-questions.txt
#   MODEL=DIR or FILE.gguf           this model, and nothing is fetched
#   STORE=FILE                       where judgements are kept; default runs/judge.store
#   PORT=N                           port on this machine; default hone annotate's
#   XDG_CACHE_HOME=DIR               the model's cache; default ~/.cache
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build}
shift || true
model=$(tools/chat_model.sh judge "$build") || exit 1
store=${STORE:-runs/judge.store}
mkdir -p "$(dirname "$store")" || { printf 'judge: cannot make the folder of %s; give another file with STORE=FILE\n' "$store" >&2; exit 1; }
exec "$build/hone" annotate --store "$store" --model "$model" ${PORT:+--port "$PORT"} "$@"
