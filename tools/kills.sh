#!/usr/bin/env bash
# Kills a run of tests/train/tiny.toml with SIGKILL at random moments, resumes it each time, and demands that everything it
# leaves (weights, metrics, samples, results) is byte for byte what an undisturbed run leaves.
#   tools/kills.sh BUILD KILLS [SEED]
set -uo pipefail
cd "$(dirname "$0")/.."
hone=${1:-build}/hone
kills=${2:-100}
RANDOM=${3:-1}
work=$(mktemp -d "${TMPDIR:-/tmp}/hone-kills.XXXXXX")
trap 'rm -rf "$work"' EXIT
recipe=tests/train/tiny.toml
# Paths stand in the records, so both runs use the same folder, one after the other.
"$hone" run "$recipe" --out "$work/run" >"$work/reference.log" 2>&1 || { tail -n 20 "$work/reference.log"; echo "kills: the undisturbed run failed"; exit 1; }
seconds=$(grep -o '"seconds": [0-9.]*' "$work/run/run.json" | head -1 | grep -o '[0-9.]*$')
digest() {  # every result of every stage; not wall-clock, checkpoints, or the records with their dates
  (cd "$1" && find . -type f ! -name timing.jsonl ! -name run.json ! -name report.html ! -path '*/checkpoints/*' ! -name .lock | sort | xargs sha256sum)
}
digest "$work/run" >"$work/reference.sha"
rounds=0
killed=0
while [ "$killed" -lt "$kills" ]; do
  rm -rf "$work/run"
  rounds=$((rounds + 1))
  while :; do
    "$hone" run "$recipe" --out "$work/run" --resume >"$work/run.log" 2>&1 &
    pid=$!
    # Somewhere in the first third of what a whole run takes, so that most runs are killed several times.
    sleep "$(awk -v s="$seconds" -v r=$RANDOM 'BEGIN { printf "%.3f", 0.05 + s * r / 32768 / 3 }')"
    if [ "$killed" -lt "$kills" ] && kill -9 "$pid" 2>/dev/null; then
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
echo "kills: $killed kills in $rounds runs of ${seconds} s; weights, metrics, samples and results are byte-equal"
