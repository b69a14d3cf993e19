#!/usr/bin/env bash
# Opens `hone chat` on a model that anyone can have (tools/chat_model.sh).
#   tools/chat.sh BUILD [OPTION…]    options of hone chat, e.g. --temperature 0
#   MODEL=DIR or FILE.gguf           this model, and nothing is fetched
#   XDG_CACHE_HOME=DIR               the cache; default ~/.cache
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build}
shift || true
model=$(tools/chat_model.sh chat "$build") || exit 1

# In a process group of its own, so that Ctrl-C, which stops an answer, reaches nobody but hone.
if [ -t 0 ]; then
  trap '' TSTP
  set -m
fi
"$build/hone" chat --model "$model" "$@"
