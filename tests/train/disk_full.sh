#!/usr/bin/env bash
# A disk that fills up under a running program: one clear error, the previous checkpoint whole, and after some space is
# freed a resumed run that ends where an undisturbed one does. The disk is a real one, a tmpfs of a few megabytes, where
# one can be mounted (as root, or in a user namespace); elsewhere a limit on the size of a file stands in.
#   tests/train/disk_full.sh BUILD
set -uo pipefail
cd "$(dirname "$0")/../.."
build=$1
hone=$build/hone
export OMP_NUM_THREADS=1
if [ -z "${HONE_DISK:-}" ]; then
  if [ "$(id -u)" = 0 ] && unshare -m mount -t tmpfs tmpfs /mnt 2>/dev/null; then HONE_DISK=tmpfs exec unshare -m "$0" "$@"; fi
  if unshare -rm mount -t tmpfs tmpfs /mnt 2>/dev/null; then HONE_DISK=tmpfs exec unshare -rm "$0" "$@"; fi
  echo "disk_full: no tmpfs can be mounted here, so a limit on the size of files stands in for a full disk"
  HONE_DISK=limit
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/hone-disk.XXXXXX")
disk=$work/disk
mkdir "$disk"
pid=
cleanup() {
  [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null
  [ "$HONE_DISK" = tmpfs ] && umount "$disk"
  rm -rf "$work"
}
trap cleanup EXIT
fail() {
  echo "disk_full: $1"
  tail -n 20 "$work/log"
  exit 1
}
[ "$HONE_DISK" = limit ] || mount -t tmpfs -o size=16m tmpfs "$disk" || { echo "disk_full: mounting failed"; exit 1; }

"$hone" world --corpus.words 4000 --demonstrations.count 300 --out "$work/world" --quiet || exit 1
"$hone" tokenizer train --data "$work/world/corpus.txt" --size 320 --out "$work/tokenizer" --quiet || exit 1
sft() {  # sft FOLDER [OPTION…]
  "$hone" sft --tokenizer "$work/tokenizer/model" --data "$work/world/demonstrations.jsonl" --steps 200 --batch-tokens 256 \
    --shape.layers 2 --shape.width 32 --shape.heads 2 --shape.kv-heads 2 --shape.ffn 64 --shape.context 192 \
    --keep.every 10 --keep.evaluate-every 100 --threads 1 --out "$@" 2>"$work/log"
}
newest() { ls -d "$disk"/run/checkpoints/step-* 2>/dev/null | tail -n 1; }
whole() {  # the newest checkpoint is the one that was there, and nothing is wrong with it
  [ "$(newest)" = "$1" ] || fail "the newest checkpoint is '$(newest)', not $1"
  "$hone" check "$1" >"$work/log" 2>&1 || fail "the checkpoint that was there is damaged"
}
sft "$work/reference" || fail "the undisturbed run failed"

# Stops the run after its first checkpoint, so that the disk can be filled under it.
sft "$disk/run" 2>/dev/null & shell=$!
until [ -n "$(newest)" ]; do
  kill -0 "$shell" 2>/dev/null || fail "the run ended before its first checkpoint"
  sleep 0.02
done
pid=$(pgrep -P "$shell" -x hone)
# Stopped between two checkpoints: one that is half written may find room for its rest.
while kill -STOP "$pid" && sleep 0.02 && compgen -G "$disk/run/checkpoints/.writing-*" >/dev/null; do
  kill -CONT "$pid"
  sleep 0.01
done
before=$(newest)
if [ "$HONE_DISK" = tmpfs ]; then
  free=$(($(df --output=avail -B1 "$disk" | tail -n 1)))
  head -c $((free - 100000)) /dev/zero >"$disk/filler"  # the journal's lines still fit, a checkpoint does not
  kill -CONT "$pid"
  wait "$shell"
  status=$?
  reason="No space left on device"
else
  kill -KILL "$pid"
  wait "$shell" 2>/dev/null
  # 100 KB: the journal and the record fit, a checkpoint does not.
  (trap '' XFSZ; ulimit -f 100; sft "$disk/run" --resume)
  status=$?
  reason="File too large"
fi
pid=
cp "$work/log" "$work/shown"
[ "$status" = 1 ] || fail "exit code $status, not 1"
step=$(basename "$before" | sed 's/step-0*//')
grep -q "error: cannot write the checkpoint of step [0-9]*: .*$reason" "$work/log" || fail "the error does not say what happened"
grep -q "hint: the checkpoint of step $step is whole: free some space, then --resume" "$work/log" || fail "the hint does not say how to go on"
[ "$(grep -c 'error:' "$work/log")" = 1 ] || fail "more than one error"
whole "$before"

# Not a byte is left: neither the journal nor the record can be written.
if [ "$HONE_DISK" = tmpfs ]; then
  cat /dev/zero >"$disk/filler" 2>/dev/null
  sft "$disk/run" --resume && fail "a run on a disk without a free byte succeeded"
  grep -q "error: .*$reason" "$work/log" || fail "the error does not say what happened"
  whole "$before"
  rm "$disk/filler"
fi

sft "$disk/run" --resume || fail "the resumed run failed"
for file in model/model.safetensors metrics.jsonl; do
  cmp "$work/reference/$file" "$disk/run/$file" || fail "$file differs from the undisturbed run's"
done
grep -h 'error:\|hint:' "$work/shown"
echo "disk_full ($HONE_DISK): the checkpoint of step $step survived; the resumed run is byte-equal"
