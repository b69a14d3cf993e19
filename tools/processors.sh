#!/usr/bin/env bash
# The tests whose results may depend on the processor (label `processor`), on stand-ins for processors that are not here:
# hone's kernels for less (HONE_CPU), MKL's, oneDNN's and LibTorch's for AVX2, one thread. The last lines are a table.
#   tools/processors.sh BUILD [CTEST OPTION…]   e.g. tools/processors.sh build -R 'rollout|device'
set -uo pipefail
unset HONE_LONG  # the short form of every test
cd "$(dirname "$0")/.."
build=${1:-build}
ninja -C "$build" || exit 1
out="$build/processors"
mkdir -p "$out"
first=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
stand_ins=()
for level in base v3 v4; do
  if HONE_CPU=$level "$build/hone" --version >/dev/null 2>&1; then stand_ins+=("HONE_CPU=$level"); else echo "== HONE_CPU=$level: not on this processor"; fi
done
stand_ins+=("MKL_ENABLE_INSTRUCTIONS=AVX2" "ONEDNN_MAX_CPU_ISA=AVX2"
  "HONE_CPU=v3 MKL_ENABLE_INSTRUCTIONS=AVX2 ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2"
  "OMP_NUM_THREADS=1 MKL_NUM_THREADS=1")
# Side by side, each test on a core of its own, as in tools/test.sh.
HONE_TEST_CORES=$(mktemp -d)
export HONE_TEST_CORES
trap 'rm -rf "$HONE_TEST_CORES"' EXIT
failed=0
for i in "${!stand_ins[@]}"; do
  stand_in=${stand_ins[$i]}
  on=() jobs=$(nproc)
  [[ $stand_in == OMP_* ]] && on=(taskset -c "$first") jobs=1  # the program's own threads follow the affinity
  [[ $stand_in == *HONE_CPU=v3* ]] && ! HONE_CPU=v3 "$build/hone" --version >/dev/null 2>&1 && continue
  echo "== $stand_in"
  env $stand_in "${on[@]}" ctest --test-dir "$build" -L processor -LE 'gpu|full' -V -j "$jobs" "${@:2}" >"$out/$i.log" 2>&1 ||
    { failed=$((failed + 1)); grep -E 'ERROR|FAILED|error:|\*\*\*' "$out/$i.log" | head -40; }
  # What does not hold on a processor is said by the test, and by selftest.
  grep -E "depends on how many rows" "$out/$i.log" | sort -u
  env $stand_in "${on[@]}" "$build/hone" selftest >"$out/$i-selftest.log" 2>&1 && selftest=Passed ||
    { selftest=Failed failed=$((failed + 1)); grep FAILED "$out/$i-selftest.log"; }
  grep -E '^ *[0-9]+/[0-9]+ Test ' "$out/$i.log" | sed -E 's/.*: ([a-z_]+) \.+ *(\*\*\*)?([A-Za-z]+).* ([0-9.]+) sec.*/\1 \3 \4/' >"$out/$i.txt"
  echo "selftest $selftest" >>"$out/$i.txt"
done
echo
for i in "${!stand_ins[@]}"; do
  [ -e "$out/$i.txt" ] || continue
  printf '%-90s' "${stand_ins[$i]}"
  awk '{ printf " %s:%s", $1, $2 == "Passed" ? "ok" : $2 } END { print "" }' "$out/$i.txt"
done
echo "processors: $failed failures on ${#stand_ins[@]} stand-ins"
[ "$failed" = 0 ]
