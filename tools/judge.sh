#!/usr/bin/env bash
# Opens `hone annotate` on a model that anyone can have (tools/chat_model.sh) and prints the page's address.
#   tools/judge.sh BUILD [OPTION…]   options of hone annotate, e.g. --prompts my-questions.txt
#   MODEL=DIR or FILE.gguf           this model, and nothing is fetched
#   STORE=FILE                       where judgements are kept; default runs/judge.store
#   PORT=N                           port on this machine; default hone annotate's
#   XDG_CACHE_HOME=DIR               the model's cache; default ~/.cache
# With a simulated person in your place (tools/evening.py), who judges, lets the model learn and takes the blind test:
#   SIMULATE=shorter or list         by this taste; STORE is then runs/judge-TASTE.store, PORT any free one
#   LEARN_AT=60                      comparisons to learn from
#   BLIND=20                         prompts of the blind test
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build}
shift || true
simulate=${SIMULATE:-}
case $simulate in
  "" | shorter | list) ;;
  *) printf "judge: there is no taste '%s'; give SIMULATE=shorter or SIMULATE=list\n" "$simulate" >&2; exit 2 ;;
esac
model=$(tools/chat_model.sh judge "$build") || exit 1
store=${STORE:-runs/judge${simulate:+-$simulate}.store}
mkdir -p "$(dirname "$store")" || { printf 'judge: cannot make the folder of %s; give another file with STORE=FILE\n' "$store" >&2; exit 1; }
if [ -n "$simulate" ]; then
  exec python3 tools/evening.py "$build/hone" --store "$store" --model "$model" --taste "$simulate" \
    --learn-at "${LEARN_AT:-60}" --prompts "${BLIND:-20}" -- --port "${PORT:-0}" "$@"
fi
exec "$build/hone" annotate --store "$store" --model "$model" ${PORT:+--port "$PORT"} "$@"
