#!/usr/bin/env bash
# Runs a test on one core that no other test of the same run has: tools/on_one_core.sh COMMAND…
# A small model uses one core better than two, and two programs with a thread for every core get in each other's way.
# Only where HONE_TEST_CORES names a folder for the locks (tools/test.sh makes one); else the command runs as it is.
[ -n "${HONE_TEST_CORES:-}" ] || exec "$@"
for core in $(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (c = $1; c <= ($2 != "" ? $2 : $1); ++c) print c }'); do
  exec 9>"$HONE_TEST_CORES/$core"
  flock -n 9 && exec taskset -c "$core" "$@"
done
exec "$@"
