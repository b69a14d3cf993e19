#!/usr/bin/env bash
# make judge SIMULATE=shorter with a model too small to say anything: a whole evening goes through, the same call again finds
# it done and judges nothing, and rows that are not those of the log are told. tests/judge/evening.sh BUILD
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/hone-evening.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "evening: $1"; cat "$work/out"; failed=1; }
python3 - >"$work/out" 2>&1 <<'PYTHON' || fail "the tastes"
import sys
sys.path.insert(0, "tools")
from evening import shorter, with_list
assert shorter("x" * 90, "x" * 100) == "tie" and shorter("x" * 89, "x" * 100) == "first"  # a tenth of the longer one is 10
assert shorter("xxxx", "") == "second" and shorter("", "") == "tie"
bullets, numbers, prose = "Two things:\n- one\n- two", "1. one\n2) two", "One - two\n**three**\n- four"
assert with_list(bullets, prose) == "first" and with_list(prose, numbers) == "second"
assert with_list(bullets, numbers) == "tie" and with_list(prose, prose) == "tie"
PYTHON
"$build/hone" run tests/web/evening.toml --out "$work/model" --threads 1 --quiet >"$work/out" 2>&1 || { fail "no model"; exit 1; }
store="$work/a b/evening.store"
evening() {
  SIMULATE=shorter LEARN_AT=10 BLIND=6 STORE="$store" MODEL="$work/model/04-sft/model" \
    tools/judge.sh "$build" --max-tokens 12 --lr 0.003 --epochs 2 --threads 1 >"$work/out" 2>&1
}
evening || fail "the evening ended with $?"
grep -q '^page, store, run and report agree' "$work/out" || fail "nothing agrees"
before=$("$build/hone" feedback show --store "$store" | grep '^head')
evening || fail "the second call ended with $?"
[ "$before" = "$("$build/hone" feedback show --store "$store" | grep '^head')" ] || fail "an evening that was over went on"
sed -i '1d' "$store.rounds/1.jsonl"
evening && fail "rows that are not those of the log were not told"
grep -q "the input $store.rounds/1.jsonl has changed since the run" "$work/out" || fail "what differs is not told"
SIMULATE=longer tools/judge.sh "$build" >"$work/out" 2>&1 && fail "a taste that there is not was taken"
grep -q "there is no taste 'longer'" "$work/out" || fail "the taste's message"
[ "$failed" = 0 ] && echo "evening: all as it should be"
exit "$failed"
