#!/bin/sh
# Builds the engine's kernels for 64-bit ARM and compares NEON with plain C under an emulator. Debian packages:
# qemu-user, libc6-dev-arm64-cross, libgcc-12-dev-arm64-cross, binutils-aarch64-linux-gnu. Skips, and says so, without
# them; on an ARM machine nothing needs emulating.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sources="Sources/CKernels/*.c Tests/CrossKernels/agree.c"

check() { # name, runner, flags of the compiler
  name=$1 runner=$2
  shift 2
  # shellcheck disable=SC2086
  clang -std=gnu11 -O2 -Wall -Werror -ISources/CKernels/include "$@" $sources -o "$work/agree" -lm -lpthread
  echo "kernels, $name:" >&2
  $runner "$work/agree" > "$work/out" || { cat "$work/out" >&2; exit 1; }
  tail -n 1 "$work/out" >&2
}

command -v clang > /dev/null 2>&1 || { echo "neon-check: no clang; skipped" >&2; exit 0; }
check "this machine" ""
[ "$(uname -m)" != aarch64 ] || exit 0
if ! command -v qemu-aarch64 > /dev/null 2>&1 || [ ! -d /usr/aarch64-linux-gnu/include ]; then
  echo "neon-check: no emulator or no ARM headers (qemu-user, libc6-dev-arm64-cross); NEON is not checked" >&2
  exit 0
fi
# Once with multiplications of bytes alone, once with the dot products of newer processors.
for extra in "" "+dotprod"; do
  check "armv8.2-a$extra" "qemu-aarch64 -L /usr/aarch64-linux-gnu" --target=aarch64-linux-gnu \
    -march="armv8.2-a$extra" -isystem /usr/aarch64-linux-gnu/include -fuse-ld=/usr/bin/aarch64-linux-gnu-ld \
    -B/usr/aarch64-linux-gnu/lib -L/usr/aarch64-linux-gnu/lib -L/usr/lib/gcc-cross/aarch64-linux-gnu/12
done
