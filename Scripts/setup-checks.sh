#!/bin/sh
# Installs what only checks need: a browser for the pages, a Slurm of one node, a program that draws PNG files, an emulator
# of ARM processors. Where that cannot be done the checks that need them skip and say so, so this never fails.
set -u

[ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null 2>&1 || {
  echo "not installing a browser and Slurm for the checks: that needs root and apt-get" >&2
  exit 0
}
missing=""
[ -x /usr/bin/chromium ] || missing="$missing chromium"
[ -x /usr/bin/rsvg-convert ] || missing="$missing librsvg2-bin"
[ -x /usr/sbin/slurmctld ] || missing="$missing slurm-wlm munge"
if [ "$(uname -m)" != aarch64 ]; then
  command -v qemu-aarch64 > /dev/null 2>&1 || missing="$missing qemu-user"
  [ -d /usr/aarch64-linux-gnu/include ] || missing="$missing libc6-dev-arm64-cross"
  [ -d /usr/lib/gcc-cross/aarch64-linux-gnu ] || missing="$missing libgcc-12-dev-arm64-cross"
  command -v aarch64-linux-gnu-ld > /dev/null 2>&1 || missing="$missing binutils-aarch64-linux-gnu"
fi
[ -n "$missing" ] || exit 0
# shellcheck disable=SC2086
apt-get update -qq && DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq --no-install-recommends $missing \
  > /dev/null 2>&1 || echo "could not install:$missing; the checks that need them will skip" >&2
exit 0
