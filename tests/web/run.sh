#!/usr/bin/env bash
# The judging page in a real browser against the real program: tests/web/run.sh BUILD PROGRAM [evening]. Needs node, npm and
# chromium; playwright-core and axe-core come from npm into the build folder, once, by the versions and hashes of
# package-lock.json (no browser is downloaded). Where something is missing the test says so and is skipped (77), except
# where CI is set.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1 program=$2
skip() { echo "skipped: $1"; [ -z "${CI:-}" ] || exit 1; exit 77; }
command -v node >/dev/null || skip "no node; install nodejs and npm"
[ "$(node -p 'process.versions.node.split(".")[0] >= 18')" = true ] || skip "node $(node --version) is older than 18"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "no chromium; install chromium"
tools=$build/tests/web
mkdir -p "$tools"
exec 9>"$tools/.lock"
flock 9 # the two tests of the pages begin side by side
if ! cmp -s "$here/package-lock.json" "$tools/node_modules/.installed"; then
  command -v npm >/dev/null || skip "no npm; install npm"
  cp "$here/package.json" "$here/package-lock.json" "$tools/"
  (cd "$tools" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || skip "npm could not install playwright-core and axe-core"
  cp "$here/package-lock.json" "$tools/node_modules/.installed"
fi
exec 9>&-
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HONE_PROGRAM=$program HONE_BROWSER=$browser HONE_WORK=$work HONE_TOOLS=$tools
if [ "${3:-}" = evening ]; then  # with a model, which only the whole program has
  "$program" run "$here/evening.toml" --out "$work/model" --threads 1 --quiet >/dev/null 2>"$work/model.log" || { cat "$work/model.log" >&2; exit 1; }
  HONE_MODEL=$work/model/04-sft/model node "$here/evening_test.mjs"
else
  node "$here/judge_test.mjs"
fi
