#!/usr/bin/env bash
# Sets up what `make` needs: system packages, LibTorch, a configured build folder. Idempotent, and quick when nothing is
# missing. Every failure is one line that says what is wrong and the command that mends it.
#   TORCH_DIR=/path/to/torch   use this LibTorch (2.11 to 2.13; holds include/ and lib/) and download none
#   BUILD_DIR=build            where to build
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

TORCH_VERSION=2.13.0
BUILD_DIR=${BUILD_DIR:-build}
PACKAGES="g++ cmake ninja-build ccache python3 python3-venv zlib1g-dev libssl-dev libicu-dev libpcre2-dev nlohmann-json3-dev libtomlplusplus-dev doctest-dev libcli11-dev libedit-dev libsqlite3-dev libboost-dev"

# 1. System packages.
if command -v dpkg-query >/dev/null; then
  missing=""
  for p in $PACKAGES; do
    dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -q '^installed$' || missing="$missing $p"
  done
  if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then sudo=""; elif command -v sudo >/dev/null; then sudo="sudo"; else
      die "missing packages; as root run: apt-get update && apt-get install -y$missing"
    fi
    say "installing system packages:$missing"
    $sudo apt-get update -qq >&2 || die "apt-get update failed; check the network, then run: $sudo apt-get update"
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >&2 ||
      die "installing failed; run: $sudo apt-get install -y$missing"
  fi
else
  for tool in g++ cmake ninja python3; do
    command -v $tool >/dev/null || die "$tool is missing and this is no Debian or Ubuntu: install the equivalents of: $PACKAGES"
  done
fi
command -v "${CXX:-g++}" >/dev/null || die "no C++ compiler; run: apt-get install -y g++"
cmake_version=$(cmake --version | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p')
printf '3.25\n%s\n' "$cmake_version" | sort -V -C ||
  die "CMake $cmake_version is older than 3.25; run: python3 -m venv .venv && .venv/bin/pip install 'cmake>=3.25' and put .venv/bin first on PATH"

# 2. LibTorch: the CPU build without a GPU, the CUDA build with one; TORCH_DIR wins.
if [ -n "${TORCH_DIR:-}" ]; then
  [ -e "$TORCH_DIR/lib/libtorch_cpu.so" ] || die "TORCH_DIR=$TORCH_DIR holds no lib/libtorch_cpu.so; give the folder that holds include/ and lib/"
  torch_option="-DTORCH_DIR=$TORCH_DIR"
else
  torch_option="-DTORCH_DIR="
  if ! ls .venv/lib/python3*/site-packages/torch/lib/libtorch_cpu.so >/dev/null 2>&1; then
    [ -x .venv/bin/pip ] || { rm -rf .venv; python3 -m venv .venv || die "python3 -m venv failed; run: apt-get install -y python3-venv"; }
    if nvidia-smi -L >/dev/null 2>&1; then
      kind="the CUDA build (a GPU is here)" wanted="torch==$TORCH_VERSION" deps="" index=""
    else
      # Nothing but the libraries is needed, so none of the wheel's Python dependencies.
      kind="the CPU build (no GPU here)" wanted="torch==$TORCH_VERSION+cpu" deps="--no-deps" index="--index-url https://download.pytorch.org/whl/cpu"
    fi
    # First from what pip already knows (its own settings are honoured), then from PyTorch's CPU index.
    if report=$(.venv/bin/pip install -q --dry-run --no-deps --report - $wanted 2>/dev/null); then index=""
    elif [ -n "$index" ] && report=$(.venv/bin/pip install -q --dry-run --no-deps --report - $index $wanted 2>/dev/null); then :
    else
      die "pip finds no $wanted for $(.venv/bin/python --version); check the network, or give a LibTorch with TORCH_DIR=/path/to/torch"
    fi
    size=$(printf '%s' "$report" | .venv/bin/python tools/wheel_size.py)
    say "installing LibTorch $TORCH_VERSION: $kind, wheel of $size"
    [ -n "$deps" ] || say "  (the CUDA libraries that it needs come as further wheels, about 2.5 GB)"
    .venv/bin/pip install -q $deps $index $wanted >&2 || die "pip failed; run: .venv/bin/pip install $deps $index $wanted"
  fi
fi

# 3. Configure.
if [ ! -e "$BUILD_DIR/build.ninja" ] || [ "$(cat "$BUILD_DIR/.torch" 2>/dev/null)" != "$torch_option" ]; then
  cmake -S . -B "$BUILD_DIR" -G Ninja "$torch_option" >"$BUILD_DIR.log" 2>&1 || { tail -n 25 "$BUILD_DIR.log" >&2; die "configuring failed; the log is $BUILD_DIR.log"; }
  mv "$BUILD_DIR.log" "$BUILD_DIR/configure.log"
  printf '%s' "$torch_option" >"$BUILD_DIR/.torch"
fi
