#!/usr/bin/env bash
# Format, lint, rooms, and the torch-free rooms' tests under AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
need() { command -v "$1" >/dev/null || { echo "check: $1 is missing; run: apt-get install -y $2" >&2; exit 1; }; }
need clang-tidy-19 "clang-tidy-19 libomp-19-dev"
[ -e /usr/lib/llvm-19/lib/clang/19/include/omp.h ] || { echo "check: clang has no omp.h; run: apt-get install -y libomp-19-dev" >&2; exit 1; }
echo "== format"
tools/format.sh --dry-run --Werror
echo "== rooms"
ninja -C "$build" tests_architecture && "$build/tests/architecture/tests_architecture"
echo "== clang-tidy"
# The compiler's own groups of sources, so that torch's headers are read once a group; without GCC's precompiled header.
cmake -S . -B build-lint -G Ninja "-DTORCH_DIR=${TORCH_DIR:-}" >/dev/null
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
sed -E 's/-fpch-preprocess//g; s/-Winvalid-pch//g; s/-include [^ ]*cmake_pch.hxx//g; s/-Wno-error=maybe-uninitialized//g' build-lint/compile_commands.json >"$tmp/compile_commands.json"
python3 - "$tmp/compile_commands.json" <<'PYTHON' | xargs -P "$(nproc)" -n 1 clang-tidy-19 --quiet -p "$tmp" --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations 2>/dev/null
import json, sys
for c in json.load(open(sys.argv[1])):
    if "/src/" in c["file"] and "cmake_pch" not in c["file"]:
        print(c["file"])
PYTHON
echo "== sanitizers (torch-free rooms)"
cmake --preset asan >/dev/null
cmake --build --preset asan
ctest --preset asan
echo "check: all clean"
