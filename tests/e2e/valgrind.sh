#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The commands under valgrind: no wrong access, nothing definitely lost.
. "$(dirname "$0")/common.sh"
command -v valgrind >/dev/null || skip "valgrind is needed"
run() {
  local name=$1
  shift
  G_SLICE=always-malloc G_DEBUG=gc-friendly valgrind --quiet --error-exitcode=99 --leak-check=full \
    --show-leak-kinds=definite --errors-for-leak-kinds=definite --trace-children=no \
    --log-file="$work/valgrind-$name" "$corridor" "$@" >"$work/out" 2>"$work/err"
  local got=$?
  [ $got != 99 ] || fail "$name: $(head -n 40 "$work/valgrind-$name")"
  echo "$name: exit $got, clean"
}
head -n 400 "$source/fixtures/demo/alfa.csv" >"$work/alfa.csv"
head -n 400 "$source/fixtures/demo/beta.csv" >"$work/beta.csv"
run import import --operator Alfa -o "$work/a.drive" "$work/alfa.csv"
run import-second import --operator Beta -o "$work/b.drive" "$work/beta.csv"
run info info "$work/a.drive"
run seal seal "$work/a.drive"
run sql sql "$work/a.drive" "SELECT rat, count(*) FROM samples GROUP BY rat"
run recover recover "$work/a.drive" "$work/r.drive"
run scrub scrub --near 57.7,12.0,500 --devices --cells "$work/a.drive" "$work/s.drive"
run verify verify "$work/a.drive"
run network network from-track -o "$work/line.gpkg" --name Line "$work/a.drive" "$work/b.drive"
run match match -n "$work/line.gpkg" --csv "$work/m.csv" "$work/a.drive"
run analyze analyze --jobs 2 -n "$work/line.gpkg" -o "$work/out.gpkg" "$work/a.drive" "$work/b.drive"
run report report -o "$work/report" "$work/out.gpkg"
run export export --format geojson -o "$work/a.geojson" "$work/a.drive"
printf '\x55\x55\x55' | dd of="$work/a.drive" bs=1 seek=9000 conv=notrunc status=none
run info-damaged info "$work/a.drive"
run recover-damaged recover "$work/a.drive" "$work/r2.drive"
echo ok
