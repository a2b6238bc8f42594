#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How the programs were built, and what systemd thinks of the services' sandbox.
. "$(dirname "$0")/common.sh"
command -v readelf >/dev/null || skip "readelf is needed"

python3 - "$build/meson-info/intro-buildoptions.json" <<'END' || skip "built with sanitizers or without optimisation"
import json, sys
options = {o["name"]: o["value"] for o in json.load(open(sys.argv[1], encoding="utf-8"))}
sys.exit(options["b_sanitize"] != "none" or options["optimization"] in ("0", "g"))
END

n=0
for program in analyzer/corridor logger/corridor-logger logger/corridor-reflector formats/corridordrive.so; do
  file=$build/$program
  [ -e "$file" ] || continue
  n=$((n + 1))
  readelf -W -l -d -h "$file" >"$work/elf" || fail "$program: readelf"
  readelf -W --dyn-syms "$file" >"$work/symbols"
  grep -qE 'Type: +DYN' "$work/elf" || fail "$program: not position independent"
  grep -q GNU_RELRO "$work/elf" || fail "$program: no RELRO"
  grep -qE 'BIND_NOW|Flags:.* NOW' "$work/elf" || fail "$program: RELRO is not full"
  grep -qE 'GNU_STACK .* RW ' "$work/elf" || fail "$program: the stack can be executed"
  grep -qE '(RPATH|RUNPATH)' "$work/elf" && fail "$program: has an RPATH"
  grep -q __stack_chk_fail "$work/symbols" || fail "$program: no stack protector"
  # the extension calls nothing that could be fortified
  [ "${program##*.}" = so ] ||
    grep -qE '__[a-z]+_chk' <(grep -v __stack_chk_fail "$work/symbols") || fail "$program: not fortified"
done
[ $n -ge 1 ] || skip "nothing is built"
echo "$n files: PIE, full RELRO, no executable stack, stack protector, fortified"

# The exposure level times ten; 3.0 and better reads "OK" at most.
if command -v systemd-analyze >/dev/null; then
  for unit in "$source"/contrib/systemd/*.service; do
    sed -E 's|^ExecStart=corridor|ExecStart=/bin/corridor|' "$unit" >"$work/$(basename "$unit")"
    systemd-analyze security --offline=yes --no-pager --threshold=30 "$work/$(basename "$unit")" >"$work/out" 2>&1
    status=$?
    grep -q 'Overall exposure level' "$work/out" || { echo "systemd-analyze cannot look at units here"; continue; }
    [ $status = 0 ] || fail "$(basename "$unit"): $(tail -n 1 "$work/out")"
    tail -n 1 "$work/out" | sed 's/^[^O]*//'
    grep -qE '^(User=[a-z]|DynamicUser=yes)' "$unit" || fail "$unit runs as root"
    grep -qE '^NoNewPrivileges=yes' "$unit" || fail "$unit may gain privileges"
    if grep -q '^StateDirectory=' "$unit"; then
      for setting in User=corridor Group=corridor StateDirectoryMode=0750 RuntimeDirectoryMode=0750 UMask=0027; do
        grep -qx "$setting" "$unit" || fail "$unit: not $setting"
      done
    fi
    equal "capabilities of $unit" "$(sed -n 's/^CapabilityBoundingSet=//p' "$unit")" \
      "$(sed -n 's/^AmbientCapabilities=//p' "$unit")"
  done
fi
# What the unit's sandbox takes away with ~@privileged and ~@resources, and the logger needs.
for call in capset setpriority ioprio_set; do
  grep -qE "^SystemCallFilter=.*\\b$call\\b" "$source/contrib/systemd/corridor-logger.service" ||
    fail "corridor-logger.service does not allow $call"
done
echo ok
