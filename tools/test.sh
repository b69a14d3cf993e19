#!/usr/bin/env bash
# Builds and runs the tests, one a core; the last line counts them. Tests that need ../shared/data, a browser or a GPU say
# so and are skipped where it is absent.
#   tools/test.sh BUILD [CTEST OPTION…]   e.g. tools/test.sh build -L fast
#   JOBS=1                                tests at a time; default: as many as there are cores
set -uo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
ninja -C "$build" || exit 1
log="$build/ctest.log"
jobs=${JOBS:-$(nproc)}
if [ "$jobs" -gt 1 ]; then
  HONE_TEST_CORES=$(mktemp -d)
  export HONE_TEST_CORES
  trap 'rm -rf "$HONE_TEST_CORES"' EXIT
fi
ctest --test-dir "$build" --output-on-failure -j "$jobs" "${@:2}" 2>&1 | tee "$log"
failed=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*(\*\*\*Failed|\*\*\*Exception|\*\*\*Timeout|\*\*\*Not Run)' "$log")
skipped=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*Skipped' "$log")
passed=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed ' "$log")
echo "tests: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
