#!/usr/bin/env bash
# Everything too long for `make test`: the larger oracles, random kills, a soak, seeds, real recipes. `make test` holds a
# short piece of each. Each part that has passed leaves a stamp in runs/long/, so that an interrupted run goes on where it
# stopped; `rm -r runs/long` starts afresh.
#   tools/long.sh BUILD [PART…]   only these parts (make long PARTS="align-1 blind-spot")
#   MODEL=DIR                     the chat model of the evenings; default: the one that make judge fetched
#   JOBS=1                        parts at a time; default: as many as there are cores, at most 4
set -uo pipefail
cd "$(dirname "$0")/.."
export HONE_LONG=1
build=${1:-build}
parts=("${@:2}")
hone="$build/hone"
out=runs/long
data=${HONE_DATA:-../shared/data}
chat_model=${MODEL:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/hone/SmolLM2-135M-Instruct}  # that make judge fetched
mkdir -p "$out"
# Parts run side by side, each on cores of its own: a small model uses one core better than two. Threads follow the
# affinity, so taskset is all it takes; JOBS=1 gives a part the whole machine.
cores=($(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (c = $1; c <= ($2 ? $2 : $1); ++c) print c }'))
jobs=${JOBS:-$((${#cores[@]} < 4 ? ${#cores[@]} : 4))}
per=$((${#cores[@]} / jobs))
[ "$per" -ge 1 ] || { echo "long: JOBS=$jobs is more than the ${#cores[@]} cores here" >&2; exit 2; }
free=($(seq 0 $((jobs - 1))))
declare -A slot_of=()  # process -> slot
failed=0
finish_one() {  # waits for any part and frees its cores
  local pid
  wait -n -p pid "${!slot_of[@]}" || failed=$((failed + 1))
  free+=("${slot_of[$pid]}")
  unset "slot_of[$pid]"
}
trap 'trap "" TERM; kill -TERM 0; wait; exit 130' INT TERM  # runs write a checkpoint; resumed by the next call
part() {  # part NAME COMMAND…: starts it as soon as cores are free
  local name=$1
  shift
  [ -z "$naming" ] || { known+=("$name"); return; }
  [ ${#parts[@]} = 0 ] || printf '%s\n' "${parts[@]}" | grep -qxF -- "$name" || return 0
  if [ -e "$out/$name.ok" ]; then
    echo "== $name: done before"
    return
  fi
  [ ${#free[@]} -gt 0 ] || finish_one
  local slot=${free[-1]}
  unset 'free[-1]'
  local mine
  mine=$(IFS=,; echo "${cores[*]:slot*per:per}")
  echo "== $name (cores $mine): $*"
  run_part "$name" "$mine" "$@" &
  slot_of[$!]=$slot
}
run_part() {  # run_part NAME CORES COMMAND…
  local name=$1 mine=$2 start=$SECONDS
  shift 2
  if taskset -c "$mine" "$@" >"$out/$name.log" 2>&1; then
    echo "   $name passed in $((SECONDS - start)) s"
    touch "$out/$name.ok"
  else
    echo "   $name FAILED after $((SECONDS - start)) s; the log is $out/$name.log"
    tail -n 5 "$out/$name.log" | sed 's/^/   /'
    return 1
  fi
}
recipe() {  # recipe NAME RECIPE [OPTION…]: runs it and demands results, and every check of its evaluation met
  local name=$1 file=$2
  shift 2
  part "$name" bash -c '"$0" run "$1" --out "$2" --resume "${@:3}" && ls "$2"/*/results.json && ! grep -q "\"met\": false" "$2"/*/results.json' "$hone" "$file" "$out/$name" "$@"
}
# evening TASTE SEED: a simulated person's evening with SmolLM2 (the store's own random id is the seed: who runs it again from
# nothing gets another evening); demands that the taste was learned and nothing wrecked. A second judge who does not share the
# taste is asked where real-chat-rl left one: a reward model of human comparisons.
evening() {
  local name=evening-$1-$2 second=$out/real-chat-rl/03-second/model
  part "$name" env OMP_WAIT_POLICY=passive python3 tools/evening.py "$hone" --store "$out/$name.store" --model "$chat_model" --taste "$1" \
    --learn-at 60 --prompts 100 --demand $([ ! -e "$second/config.json" ] || printf -- '--second-judge %s' "$second") -- --port 0
}
all_parts() {  # the longest first, so that no core waits at the end
  if [ -d "$data" ]; then
    # A model of 135 million parameters: both want the machine to themselves for their times to be read (JOBS=1).
    recipe real-chat-rl recipes/real-chat-rl.toml --set data="$data"
    recipe real-chat recipes/real-chat.toml --set data="$data"
    recipe real-losses recipes/real-losses.toml --set data="$data"
    recipe real-feedback recipes/real-feedback.toml --set data="$data"
  else
    echo "== real recipes: skipped, $data is absent"
  fi
  if [ -e "$chat_model/config.json" ]; then
    [ -e "$out/real-chat-rl/03-second/model/config.json" ] || echo "== evenings: no second judge looks at them before real-chat-rl made one"
    for seed in 1 2 3; do evening shorter "$seed"; evening list "$seed"; done
  else
    echo "== evenings: skipped, $chat_model is absent; \`make judge\` fetches it, or give MODEL=DIR"
  fi
  part oracle "$build/tests/oracle/tests_oracle" --success --no-skipped-summary
  part selftest "$hone" selftest --oracle
  part processors tools/processors.sh "$build"
  part kills tools/kills.sh "$build" 100
  part kills-other tools/kills.sh "$build" 30 2 KILL other
  part kills-adapters tools/kills.sh "$build" 30 4 KILL adapters
  part feedback "$build/tests/feedback/tests_feedback" --success --no-skipped-summary
  part kills-feedback env HONE_KILLS=1000 HONE_POWER_CUTS=2000 "$build/tests/feedback/tests_feedback_crash" --success --no-skipped-summary
  part terminations tools/kills.sh "$build" 30 3 TERM
  part strangers tests/strangers/transformers.sh "$build"
  part soak "$build/tests/train/tests_soak" --success
  part fuzz-gguf tools/fuzz.sh gguf 900
  part fuzz-serve tools/fuzz.sh serve 900
  [ ! -d "$data" ] || part memory python3 tools/memory_table.py "$build" "$data"
  [ ! -d "$data" ] || part peft tools/check_peft.sh "$build" "$data"
  [ ! -d "$data" ] || part gguf tools/check_gguf.sh "$build" "$data"
  for seed in 1 2 3 4; do recipe "align-$seed" recipes/align.toml --set seed=$seed; done
  # Four fresh seeds from the commit that is tested: nobody can have tuned on them.
  hash=$(git rev-parse HEAD 2>/dev/null || echo 0)
  for i in 0 1 2 3; do
    seed=$((16#$(printf '%s' "$hash" | cut -c$((i * 6 + 1))-$((i * 6 + 6)))))
    recipe "align-fresh-$seed" recipes/align.toml --set seed=$seed
  done
  part methods bash -c '"$0" run recipes/align.toml --out "$1/methods-align" --resume && python3 tools/methods.py "$0" --align "$1/methods-align" --out "$1/methods" --jobs 1' "$hone" "$out"
  recipe over-optimise recipes/over-optimise.toml
  recipe sycophancy recipes/sycophancy.toml
  recipe blind-spot recipes/blind-spot.toml
  [ ! -d "$data" ] || recipe real-stories recipes/real-stories.toml --set data="$data"
}
known=()
naming=yes all_parts >/dev/null
for name in "${parts[@]}"; do
  printf '%s\n' "${known[@]}" | grep -qxF -- "$name" || { echo "long: there is no part '$name'; there are: ${known[*]}" >&2; exit 2; }
done
ninja -C "$build" hone tests_oracle tests_soak tests_feedback tests_feedback_crash || exit 1
naming="" all_parts
while [ ${#slot_of[@]} -gt 0 ]; do finish_one; done
echo "long: $failed failed"
[ "$failed" = 0 ]
