#!/bin/sh
# Checks for Swift and installs the Debian packages that building needs and that are missing.
set -eu

if ! command -v swift >/dev/null 2>&1; then
  echo "Swift is not installed, or not on the PATH. Ridgeline needs Swift 6.1 or newer: https://www.swift.org/install" >&2
  exit 1
fi
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
case "$version" in
  [0-5].* | 6.0 | "")
    echo "Swift ${version:-of unknown version} was found; Ridgeline needs Swift 6.1 or newer: https://www.swift.org/install" >&2
    exit 1
    ;;
esac

# The compiler links with these; git fetches the packages in Package.swift.
missing=""
command -v git >/dev/null 2>&1 || missing="$missing git"
command -v c++ >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 || missing="$missing g++"
[ -e /usr/include/stdio.h ] || [ "$(uname)" != Linux ] || missing="$missing libc6-dev"
# The GNU Scientific Library: fits and statistics.
command -v pkg-config >/dev/null 2>&1 || missing="$missing pkg-config"
pkg-config --exists gsl 2>/dev/null || missing="$missing libgsl-dev"
# Stores of runs.
pkg-config --exists sqlite3 2>/dev/null || missing="$missing libsqlite3-dev"
# Compressed tables of measurements.
[ -e /usr/include/zlib.h ] || [ "$(uname)" != Linux ] || missing="$missing zlib1g-dev"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing:$missing. Install them with your system's package manager." >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || { echo "Missing:$missing. Run as root: apt-get install$missing" >&2; exit 1; }
  as_root=sudo
fi
echo "Installing:$missing" >&2
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing ca-certificates
