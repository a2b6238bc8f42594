#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# search.sh FUZZER SEED…: searches with libFuzzer from the seeds (files and folders), for
# CORRIDOR_FUZZ_SECONDS (10), or until CORRIDOR_FUZZ_RUNS inputs have been tried: fewer in that time
# fail. What is found stands in the log, as base64, and fails. A line "NAME EXECUTIONS SECONDS FINDS"
# goes to the file CORRIDOR_FUZZ_RECORD.
set -u
fuzzer=$1
shift
runs=${CORRIDOR_FUZZ_RUNS:--1}
seconds=${CORRIDOR_FUZZ_SECONDS:-10}
# In memory: a target that writes files would otherwise measure the disk.
if [ -z "${TMPDIR-}" ] && [ -w /dev/shm ]; then
  TMPDIR=/dev/shm
  export TMPDIR
fi
# What is freed is kept from reuse for 8 MB, not 256: new pages cost more than the rest of a run.
ASAN_OPTIONS="${ASAN_OPTIONS-}:quarantine_size_mb=8:malloc_context_size=5:max_malloc_fill_size=0"
export ASAN_OPTIONS
# UBSan by itself tells and goes on.
UBSAN_OPTIONS="${UBSAN_OPTIONS-}:halt_on_error=1:print_stacktrace=1"
G_DEBUG=${G_DEBUG:-fatal-criticals}
export UBSAN_OPTIONS G_DEBUG
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/corpus" "$folder/found"
for seed in "$@"; do
  if [ -d "$seed" ]; then find "$seed" -maxdepth 1 -type f; else echo "$seed"; fi
done | while IFS= read -r file; do
  cp "$file" "$folder/corpus/" || exit 1
done
case $fuzzer in
*/fuzz-import-*) set -- "-dict=$(dirname "$0")/import.dict" ;;
*) set -- ;;
esac
# The seed is fixed: what fails on one machine can be looked for on another. -timeout and slow units
# are by the clock on the wall, for an input that waits for ever; one that works for ever is found by
# watch.c.
began=$(date +%s)
"$fuzzer" -seed=1 -runs="$runs" -max_total_time="$seconds" -max_len=4096 -timeout=1200 -report_slow_units=1200 \
  -rss_limit_mb=3072 -print_final_stats=1 -verbosity=0 -artifact_prefix="$folder/found/" "$@" \
  "$folder/corpus" >"$folder/log" 2>&1
status=$?
took=$(($(date +%s) - began))
tail -n 60 "$folder/log"
finds=0
for file in "$folder"/found/*; do
  [ -f "$file" ] || continue
  finds=$((finds + 1))
  echo "input that fails, $(basename "$file"), base64:"
  base64 "$file"
done
done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/log")
[ -z "${CORRIDOR_FUZZ_RECORD-}" ] ||
  echo "$(basename "$fuzzer" | sed 's/^fuzz-//') ${done:-0} $took $finds" >>"$CORRIDOR_FUZZ_RECORD"
if [ $status = 0 ] && [ "$runs" -gt "${done:-0}" ]; then
  echo "only ${done:-0} of $runs inputs in $took s; CORRIDOR_FUZZ_SECONDS gives more time"
  status=1
fi
exit $status
