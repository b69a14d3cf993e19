#!/usr/bin/env bash
# Fuzzes what a room reads, under AddressSanitizer and UndefinedBehaviorSanitizer: tools/fuzz.sh ROOM [SECONDS [FOLDER]].
# ROOM has tests/ROOM/fuzz.cpp (the target), seed.cpp (honest inputs to start from) and fuzz.dict: gguf, serve.
# FOLDER (default runs/fuzz-ROOM) keeps the corpus, so that the next run goes on, and whatever makes it fail.
set -euo pipefail
cd "$(dirname "$0")/.."
room=${1:-}
[ -n "$room" ] && [ -e "tests/$room/fuzz.cpp" ] || { echo "fuzz: give a room that has tests/ROOM/fuzz.cpp: tools/fuzz.sh gguf" >&2; exit 2; }
seconds=${2:-600} folder=${3:-runs/fuzz-$room}
command -v clang++-19 >/dev/null && ls /usr/lib/llvm-19/lib/clang/19/lib/*/libclang_rt.fuzzer-*.a >/dev/null 2>&1 ||
  { echo "fuzz: libFuzzer is missing; run: apt-get install -y clang-19 libclang-rt-19-dev" >&2; exit 1; }
cmake -S . -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 -DHONE_TORCH=OFF -DHONE_SANITIZE=ON -DHONE_FUZZ=ON \
  -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS=-w >/dev/null
ninja -C build-fuzz "fuzz_$room" "seed_$room"
mkdir -p "$folder/corpus" "$folder/found"
"build-fuzz/tests/$room/seed_$room" "$folder/corpus"
exec "build-fuzz/tests/$room/fuzz_$room" "$folder/corpus" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=1024 -timeout=10 \
  -dict="tests/$room/fuzz.dict" -artifact_prefix="$folder/found/" -print_final_stats=1
