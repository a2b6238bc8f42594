#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What holds for every command: help, wrong usage in one line, a man page that knows its options,
# completion.
. "$(dirname "$0")/common.sh"

must "help" "$corridor" --help >"$work/help"
must "version" "$corridor" --version | grep -qE '^corridor [0-9]+\.[0-9]+' || fail "no version"
must_fail 2 'a command is missing' "$corridor"
must_fail 2 'no command nonsense' "$corridor" nonsense
must_fail 2 'say what: ' "$corridor" network
must "help of a group" "$corridor" network --help >"$work/group"
grep -q '^  network route ' "$work/group" || fail "corridor network --help does not list route"

n=0
while IFS= read -r command; do
  n=$((n + 1))
  grep -qE "^  $command " "$work/help" || fail "corridor --help has no $command"
  # shellcheck disable=SC2086 # a command may be two words
  must "$command --help" "$corridor" $command --help >"$work/options"
  [ "$(wc -L <"$work/options")" -le 80 ] || fail "$command --help has lines of more than 80 columns"
  # shellcheck disable=SC2086
  must_fail 2 'nonsense' "$corridor" $command --nonsense
  page=$source/docs/corridor-${command// /-}.1.scd
  [ -f "$page" ] || page=$source/docs/corridor-${command%% *}.1.scd
  if [ ! -f "$page" ]; then
    echo "no page docs/corridor-${command// /-}.1.scd" >>"$work/missing"
    continue
  fi
  for option in $(sed -nE 's/^  (-., )?(--[a-z-]+).*/\2/p' "$work/options"); do
    [ "$option" = --help ] || grep -qF -- "$option" "$page" || fail "$page does not tell of $option"
  done
done < <("$corridor" --commands)
[ $n -ge 5 ] || fail "only $n commands"

# what is read is never overwritten, whatever its name is; what is no map of areas is no claim
cd "$work" || exit 1
fixture=$source/fixtures/demo/alfa.csv
must import "$corridor" import -o a.drive "$fixture" >/dev/null
must from-track "$corridor" network from-track -o line.gpkg --name L a.drive >/dev/null
must analyze "$corridor" analyze -n line.gpkg -o results.gpkg a.drive >/dev/null
cp results.gpkg before.gpkg
ln -s a.drive link.drive
kept=$(sha256sum a.drive line.gpkg results.gpkg before.gpkg)
spares() { must_fail 2 'is to be read and would be overwritten' "$corridor" "$@"; }
spares analyze -n line.gpkg -o line.gpkg a.drive
spares analyze -n line.gpkg -o ./link.drive a.drive
spares match -n line.gpkg --csv a.drive a.drive
spares match -n line.gpkg --csv o.csv --events line.gpkg a.drive
spares network build -o line.gpkg line.gpkg
spares network from-track --name L -o a.drive link.drive
spares import -o a.drive "$fixture" ./link.drive
spares export --format csv -o a.drive a.drive
spares diff -o before.gpkg before.gpkg results.gpkg
spares compare --map Alfa=line.gpkg,layer=x -o line.gpkg results.gpkg
spares compare --map Alfa=none.gpkg --areas line.gpkg,name=x -o ./line.gpkg results.gpkg
for map in a.drive line.gpkg "$fixture"; do
  must_fail 1 'holds no area' "$corridor" compare --map "Alfa=$map" -o o.gpkg results.gpkg
done
mkdir folder
: >empty.gpkg
must_fail 1 'empty.gpkg: not a map file that can be read \(it is empty\)' \
  "$corridor" compare --map Alfa=empty.gpkg -o o.gpkg results.gpkg
must_fail 1 'folder: not a map file that can be read \(it is a folder' \
  "$corridor" compare --map Alfa=folder -o o.gpkg results.gpkg
must_fail 1 'folder: is a folder; name one drive' "$corridor" recover folder o.drive
must_fail 1 'empty.gpkg: holds no row of a drive' "$corridor" recover empty.gpkg o.drive
must_fail 1 'none.drive: there is no such file' "$corridor" recover none.drive o.drive
must_fail 1 'a.drive: is there already' "$corridor" recover a.drive a.drive
must_fail 1 'no/o.drive: cannot be written: No such file' "$corridor" recover a.drive no/o.drive
must_fail 1 'no/o.drive: cannot be written: No such file' "$corridor" import -o no/o.drive "$fixture"
equal "nothing is changed" "$(sha256sum a.drive line.gpkg results.gpkg before.gpkg)" "$kept"
equal "nothing is left" "$(find . -name 'o.*' -o -name '.o.*' -o -name '*.tmp')" ""

# what a stranger's drive says is shown, not obeyed
cp a.drive stranger.drive
sqlite3 stranger.drive "UPDATE sources SET label = char(27) || '[2J';
  UPDATE imports SET refused_values = 1, detail = replace(hex(zeroblob(500000)), '0', '[')"
must "info of a stranger's drive" "$corridor" info stranger.drive >info
grep -qF ': ?[2J' info || fail "the label is not shown"
grep -q $'\e' info && fail "a label reaches the terminal as an order"

# completion
# shellcheck source=contrib/completion/corridor.bash disable=SC1091
. "$source/contrib/completion/corridor.bash"
complete_words() {
  COMP_WORDS=("$corridor" "$@")
  COMP_CWORD=$#
  _corridor
  echo "${COMPREPLY[*]}"
}
equal "complete imp" "$(complete_words imp)" import
equal "complete network f" "$(complete_words network f)" from-track
equal "complete import --map" "$(complete_words import --map)" "--map --map-file"
case " $(complete_words "") " in *" info "*) ;; *) fail "no commands offered" ;; esac

if [ -f "$work/missing" ]; then
  cat "$work/missing"
  [ "${CORRIDOR_PAGES:-}" != all ] || fail "man pages are missing"
fi
echo ok
