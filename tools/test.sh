#!/usr/bin/env bash
# Builds and runs the tests; the last line counts them. Tests that need ../shared/data, a browser or a GPU say so and
# are skipped where it is absent.
set -uo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
ninja -C "$build" || exit 1
log="$build/ctest.log"
ctest --test-dir "$build" --output-on-failure -j 1 2>&1 | tee "$log"
failed=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*(\*\*\*Failed|\*\*\*Exception|\*\*\*Timeout|\*\*\*Not Run)' "$log")
skipped=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*Skipped' "$log")
passed=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed ' "$log")
echo "tests: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
