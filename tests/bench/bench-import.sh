#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Importing a plain CSV file against sqlite3's .import of the same file into one table (both with
# every row, in turns, the best of three each). Rows: first argument, 1,000,000 if not given.
set -eu
corridor=${CORRIDOR_BUILD:?}/analyzer/corridor
rows=${1:-1000000}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/corridor-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

awk -v rows="$rows" -f "$here/made-plain.awk" >in.csv

seconds() {
  local start end
  start=$(date +%s%N)
  "$@" >/dev/null
  end=$(date +%s%N)
  echo $(((end - start) / 1000000))
}
best_a=999999999
best_b=999999999
for _ in 1 2 3; do
  rm -f out.drive out.sqlite
  ms=$(seconds "$corridor" import -o out.drive in.csv)
  [ "$ms" -lt "$best_a" ] && best_a=$ms
  ms=$(seconds sqlite3 out.sqlite ".mode csv" ".import in.csv t")
  [ "$ms" -lt "$best_b" ] && best_b=$ms
done
read -r peak < <({ /usr/bin/time -f %M "$corridor" import -o peak.drive in.csv >/dev/null; } 2>&1) || peak=
awk -v rows="$rows" -v a="$best_a" -v b="$best_b" -v peak="${peak:-}" -v x="$(stat -c %s out.drive)" -v y="$(stat -c %s out.sqlite)" 'BEGIN {
  printf "corridor import   %8.0f rows/s, %.1f MB\n", rows / a * 1000, x / 1e6
  printf "sqlite3 .import   %8.0f rows/s, %.1f MB\n", rows / b * 1000, y / 1e6
  printf "ratio %.2f (at least 0.5)\n", b / a
  if (peak ~ /^[0-9]+$/) printf "peak memory of import %.0f MB\n", peak / 1024
}'
