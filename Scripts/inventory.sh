#!/bin/sh
# Writes the lists of what ships with Ridgeline, as Markdown, to stdout.
set -eu
cd "$(dirname "$0")/.."
ridgeline=.build/release/ridgeline
echo "# What ships with Ridgeline"
echo
echo "Written by \`make reports\` from the data files; sources of every number are in the files themselves."
for kind in devices systems links runtimes models traffic sites calibrations; do
  echo
  echo "## $(echo "$kind" | cut -c1 | tr '[:lower:]' '[:upper:]')$(echo "$kind" | cut -c2-)"
  echo
  $ridgeline list "$kind" --format markdown
done
