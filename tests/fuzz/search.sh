#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# search.sh FUZZER SEED…: searches with libFuzzer from the seeds (files and folders), for
# CORRIDOR_FUZZ_SECONDS (10). What is found stands in the log, as base64, and fails.
set -u
fuzzer=$1
shift
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/corpus" "$folder/found"
for seed in "$@"; do
  if [ -d "$seed" ]; then find "$seed" -maxdepth 1 -type f; else echo "$seed"; fi
done | while IFS= read -r file; do
  cp "$file" "$folder/corpus/" || exit 1
done
# The seed is fixed: what fails on one machine can be looked for on another.
"$fuzzer" -seed=1 -max_total_time="${CORRIDOR_FUZZ_SECONDS:-10}" -timeout=60 -rss_limit_mb=3072 \
  -print_final_stats=1 -verbosity=0 -artifact_prefix="$folder/found/" "$folder/corpus" \
  >"$folder/log" 2>&1
status=$?
tail -n 60 "$folder/log"
for file in "$folder"/found/*; do
  [ -f "$file" ] || continue
  echo "input that fails, $(basename "$file"), base64:"
  base64 "$file"
done
exit $status
