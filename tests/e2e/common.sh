# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the end-to-end tests.
#   $corridor      the command under test        $work   an empty folder, removed at the end
#   $data          reference data, "" if absent  $source the source tree
set -u
source=${CORRIDOR_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${CORRIDOR_BUILD:-$source/build}
# shellcheck disable=SC2034 # used by those who source this
corridor=$build/analyzer/corridor
data=${CORRIDOR_DATA:-$source/../shared/data}
[ -d "$data" ] || data=
work=$(mktemp -d "${TMPDIR:-/tmp}/corridor-e2e.XXXXXX")
trap 'rm -rf "$work"' EXIT
export LC_ALL=${E2E_LOCALE:-C.UTF-8} TZ=UTC

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
skip() {
  echo "SKIPPED: $*"
  exit 77
}
need_data() {
  [ -n "$data" ] || skip "no reference data; set CORRIDOR_DATA"
}
# must WHAT COMMAND…: exit status 0
must() {
  local what=$1
  shift
  "$@" || fail "$what: exit $?: $*"
}
# must_fail STATUS PATTERN COMMAND…: that exit status, one line on stderr that matches, no output
must_fail() {
  local status=$1 pattern=$2 got
  shift 2
  "$@" >"$work/.out" 2>"$work/.err"
  got=$?
  [ $got = "$status" ] || fail "exit $got, not $status: $* ($(cat "$work/.err"))"
  [ "$(wc -l <"$work/.err")" = 1 ] || fail "not one line on stderr: $*: $(cat "$work/.err")"
  grep -qE -- "$pattern" "$work/.err" || fail "$*: $(cat "$work/.err") does not match $pattern"
}
# equal WHAT GOT WANTED
equal() {
  [ "$2" = "$3" ] || fail "$1: $2, not $3"
}
