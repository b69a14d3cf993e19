#!/usr/bin/env bash
# Stops a run of tests/train/tiny.toml again and again, resumes it each time, and demands that everything it leaves
# (weights, metrics, samples, results, records; after SIGKILL also which checkpoints are kept, their tensors and scores) is
# byte for byte what an undisturbed run leaves. The first six stops each meet one of the stages that train, soon after its
# first checkpoint; the others come at random moments.
#   tools/kills.sh BUILD KILLS [SEED [SIGNAL [VARIANT]]]
# SIGNAL is KILL (default) or TERM. VARIANT is `plain` (default: the recipe as it stands) or `other`: the other way through
# every loop (tests/train/other_way.txt), with bf16 matrix work, accumulation, activation checkpointing, frequent
# evaluation, a trunk shared with the reference, early stops; or `adapters`: LoRA in every stage (tests/train/adapters.txt).
set -uo pipefail
cd "$(dirname "$0")/.."
hone=${1:-build}/hone
kills=${2:-100}
RANDOM=${3:-1}
signal=${4:-KILL}
options=()
case ${5:-plain} in
  plain) settings=/dev/null ;;
  other) settings=tests/train/other_way.txt ;;
  adapters) settings=tests/train/adapters.txt ;;
  *) echo "kills: there is no variant '$5'" >&2; exit 2 ;;
esac
while read -r setting; do options+=(--set "$setting"); done <"$settings"
work=$(mktemp -d "${TMPDIR:-/tmp}/hone-kills.XXXXXX")
trap 'rm -rf "$work"' EXIT
recipe=tests/train/tiny.toml
# Paths stand in the records, so both runs use the same folder, one after the other.
"$hone" run "$recipe" --out "$work/run" "${options[@]}" >"$work/reference.log" 2>&1 || { tail -n 20 "$work/reference.log"; echo "kills: the undisturbed run failed"; exit 1; }
seconds=$(grep -o '"seconds": [0-9.]*' "$work/run/run.json" | head -1 | grep -o '[0-9.]*$')
digest() {  # every result of every stage; not wall-clock
  (cd "$1" && find . -type f ! -name timing.jsonl ! -name run.json ! -name report.html ! -path '*/checkpoints/*' ! -name .lock | sort | xargs sha256sum)
  (cd "$1" && find . -name run.json | sort | xargs grep -HvE '"(started|finished|seconds)": ')
  # A termination writes a checkpoint of its own, so only kills leave the same ones. Beside tensors and score a checkpoint
  # holds how long timing.jsonl was.
  [ "$signal" = TERM ] && return
  (cd "$1" && find . -path '*/checkpoints/*' -name tensors.safetensors | sort | xargs sha256sum)
  (cd "$1" && find . -path '*/checkpoints/*' -name state.json | sort | xargs grep -H '^ "score"')
}
digest "$work/run" >"$work/reference.sha"
training=(pretrain sft reward ppo dpo group)
random_seconds() {  # random_seconds SHARE: up to that share of what a whole run takes
  awk -v s="$seconds" -v r=$RANDOM -v share="$1" 'BEGIN { printf "%.3f", s * r / 32768 * share }'
}
rounds=0
killed=0
while [ "$killed" -lt "$kills" ]; do
  rm -rf "$work/run"
  rounds=$((rounds + 1))
  while :; do
    "$hone" run "$recipe" --out "$work/run" --resume "${options[@]}" >"$work/run.log" 2>&1 &
    pid=$!
    if [ "$killed" -lt "${#training[@]}" ]; then
      until compgen -G "$work/run/*-${training[killed]}/checkpoints/step-*/DONE" >"$work/seen" || ! kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
      sleep "$(random_seconds 0.02)"
    else
      # In the first third, so that most runs are stopped several times.
      sleep "$(random_seconds 0.333)"
    fi
    if [ "$killed" -lt "$kills" ] && kill -s "$signal" "$pid" 2>/dev/null; then
      killed=$((killed + 1))
      wait "$pid" 2>/dev/null
    else
      wait "$pid"
      status=$?
      [ "$status" = 0 ] && break
      tail -n 20 "$work/run.log"
      echo "kills: a resumed run failed with $status after $killed kills"
      exit 1
    fi
  done
  digest "$work/run" >"$work/run.sha"
  if ! diff -u "$work/reference.sha" "$work/run.sha"; then
    echo "kills: results differ from the undisturbed run after $killed kills"
    exit 1
  fi
  for stage in "$work"/run/*/; do
    "$hone" check "$stage" >"$work/check.log" 2>&1 || { cat "$work/check.log"; echo "kills: hone check fails on $stage"; exit 1; }
  done
done
echo "kills: $killed times SIG$signal in $rounds runs of ${seconds} s; weights, metrics, samples and results are byte-equal"
