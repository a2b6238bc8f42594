#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Importing a plain CSV file against sqlite3's .import of the same file into one table (both with
# every row, in turns, the best of three each). Rows: first argument, 1,000,000 if not given.
set -eu
corridor=${CORRIDOR_BUILD:?}/analyzer/corridor
rows=${1:-1000000}
work=$(mktemp -d "${TMPDIR:-/tmp}/corridor-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

# Three operators, a row each second and operator, positions and levels that wander.
awk -v rows="$rows" 'BEGIN {
  srand(7)
  print "time,lat,lon,speed_kmh,operator,mcc,mnc,rat,cell_id,pci,arfcn,rsrp,rsrq,sinr"
  split("Alfa Beta Gamma", name, " ")
  lat = 47.2; lon = 9.5
  for (i = 0; i < rows; i++) {
    o = i % 3 + 1; t = int(i / 3)
    if (o == 1) { lat += (rand() - 0.49) / 5000; lon += (rand() - 0.49) / 5000; v = 60 + 40 * rand() }
    printf "2026-%02d-%02dT%02d:%02d:%02d.000Z,%.7f,%.7f,%.1f,%s,295,%d,lte,%d,%d,1300,%d,%d,%.1f\n", \
      1 + int(t / 2419200) % 12, 1 + int(t / 86400) % 28, int(t / 3600) % 24, int(t / 60) % 60, t % 60, \
      lat, lon, v, name[o], o, 1000 * o + int(t / 97), int(t / 97) % 504, -80 - 40 * rand(), -7 - 8 * rand(), 25 - 30 * rand()
  }
}' >in.csv

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
