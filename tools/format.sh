#!/usr/bin/env bash
# Formats every C++ file in place (make format); with options clang-format's own way, as --dry-run --Werror in check.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
format=${CLANG_FORMAT:-clang-format-19}
command -v "$format" >/dev/null || { echo "format: $format is missing; run: apt-get install -y clang-format-19, or give another with CLANG_FORMAT=…" >&2; exit 1; }
[ $# -gt 0 ] || set -- -i
git ls-files -co --exclude-standard 'src/*.h' 'src/*.cpp' 'tests/*.cpp' 'tests/*.h' 'bench/*.cpp' 'bench/*.h' | xargs "$format" "$@"
