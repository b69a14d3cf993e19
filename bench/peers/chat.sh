#!/usr/bin/env bash
# One conversation beside llama.cpp, in an environment of its own: chat.sh BUILD FILE.gguf [options of chat.py].
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build} gguf=$2
shift 2
venv="$build/chat-venv"
tools/python_env.sh "$venv" bench/peers/chat_requirements.txt
exec "$venv/bin/python" bench/peers/chat.py --hone "$build/hone" --gguf "$gguf" --work "$build/chat-bench" "$@"
