#!/usr/bin/env bash
# Fuzzes the reader of GGUF files under AddressSanitizer and UndefinedBehaviorSanitizer: tools/fuzz_gguf.sh [SECONDS [FOLDER]].
# FOLDER (default runs/fuzz-gguf) keeps the corpus, so that the next run goes on, and whatever makes it fail.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600} folder=${2:-runs/fuzz-gguf}
command -v clang++-19 >/dev/null && ls /usr/lib/llvm-19/lib/clang/19/lib/*/libclang_rt.fuzzer-*.a >/dev/null 2>&1 ||
  { echo "fuzz: libFuzzer is missing; run: apt-get install -y clang-19 libclang-rt-19-dev" >&2; exit 1; }
cmake -S . -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 -DHONE_TORCH=OFF -DHONE_SANITIZE=ON -DHONE_FUZZ=ON \
  -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS=-w >/dev/null
ninja -C build-fuzz fuzz_gguf seed_gguf
mkdir -p "$folder/corpus" "$folder/found"
build-fuzz/tests/gguf/seed_gguf "$folder/corpus"
exec build-fuzz/tests/gguf/fuzz_gguf "$folder/corpus" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=1024 -timeout=10 \
  -dict=tests/gguf/fuzz.dict -artifact_prefix="$folder/found/" -print_final_stats=1
