#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# corridor verify on folders of drives as a box left them: changed, missing, reordered, foreign.
. "$(dirname "$0")/common.sh"
command -v openssl >/dev/null || skip "openssl is needed"
maker=$build/tests/e2e/make-evidence
[ -x "$maker" ] || skip "make-evidence is not built"

openssl genpkey -algorithm ed25519 -out "$work/box.pem" 2>/dev/null || fail "no key"
openssl pkey -in "$work/box.pem" -pubout -out "$work/box.pub" || fail "no public key"
openssl genpkey -algorithm ed25519 -out "$work/thief.pem" 2>/dev/null
mkdir "$work/box"
for n in 1 2 3 4 5; do
  "$corridor" import -o "$work/box/$n.drive" "$source/fixtures/import/plain.in" >/dev/null || fail "import"
  must "evidence" "$maker" "$work/box/$n.drive" "$work/box.pem"
done

must "sound" "$corridor" verify --key "$work/box.pub" "$work/box" >"$work/out"
equal "lines" "$(grep -c "as it was closed" "$work/out")" 5
hash=$(sha256sum "$work/box/3.drive" | cut -d' ' -f1)
grep -q "3.drive: .*$hash.*number 3 .*signed with" "$work/out" || fail "no hash of drive 3: $(cat "$work/out")"

# changes WHAT PATTERN COMMAND…: after the command on a copy, verify says PATTERN and fails
changes() {
  local what=$1 pattern=$2
  shift 2
  rm -rf "$work/copy"
  cp -r "$work/box" "$work/copy"
  (cd "$work/copy" && "$@") || fail "$what: cannot be made"
  "$corridor" verify --key "$work/box.pub" "$work/copy" >/dev/null 2>"$work/err"
  equal "$what: exit status" $? 1
  grep -qE -- "$pattern" "$work/err" || fail "$what: $(cat "$work/err")"
}
flip() { printf '\x55' | dd of="$1" bs=1 seek=9000 conv=notrunc status=none; }
swap() { mv 2.drive t && mv 3.drive 2.drive && mv t 3.drive; }
swap_all() { swap && mv 2.drive.evidence t && mv 3.drive.evidence 2.drive.evidence && mv t 3.drive.evidence; }
again() { cp 3.drive 6.drive && cp 3.drive.evidence 6.drive.evidence; }
# another sixth drive, made by who has the key, from a copy of the folder when it held four
fork_off() {
  sed -i 's/^number=5/number=4/; s/^link=.*/link='"$(printf '0%.0s' {1..64})"'/' evidence.chain
  cp 5.drive 6.drive && mv 5.drive.evidence t && "$maker" 6.drive "$work/box.pem" && mv t 5.drive.evidence
}
cut_off() { sed -i 's/^link=.*/link='"$(printf 'f%.0s' {1..64})"'/' evidence.chain && cp 5.drive 6.drive && "$maker" 6.drive "$work/box.pem"; }
unsign() { sed -i '/^key=/d; /^signature=/d' 4.drive.evidence; }
renumber() { sed -i 's/^number=4/number=9/' 4.drive.evidence; }
resign() { rm evidence.chain 4.drive.evidence; "$maker" 4.drive "$work/thief.pem"; }
changes "a changed byte" "3.drive: was changed" flip 3.drive
changes "a lost drive" "drive number 3 is missing" rm 3.drive 3.drive.evidence
changes "two lost drives" "drives number 2 to 3 are missing" rm 2.drive 3.drive
changes "the first drive lost" "drive number 1 is missing" rm 1.drive
changes "the newest drive lost" "drive number 5 is missing" rm 5.drive 5.drive.evidence
changes "the newest two lost" "drives number 4 to 5 are missing" rm 4.drive 4.drive.evidence 5.drive 5.drive.evidence
changes "a drive cut short" "5.drive: was changed" truncate -s -4096 5.drive
changes "a drive lengthened" "5.drive: was changed" truncate -s +1 5.drive
changes "a drive given twice" "6.drive: its evidence is that of 3.drive" again
changes "a second fifth drive" "has the number of .*/[56].drive in the chain" fork_off
changes "a drive that follows none" "6.drive: does not follow .*5.drive" cut_off
changes "the signature taken off" "4.drive: is not signed" unsign
changes "another number" "4.drive: the signature is wrong" renumber
changes "drives swapped" "2.drive: was changed|its evidence is that of" swap
changes "drives and evidence swapped" "2.drive: its evidence is that of 3.drive" swap_all
changes "evidence lost" "4.drive: there is no" rm 4.drive.evidence
changes "another key" "4.drive: is signed with another key" resign
# without a key given, a signature that is there has still to be right
"$corridor" verify "$work/copy" >/dev/null 2>"$work/err"
equal "another key in the chain: exit status" $? 1
grep -q "is not signed with the key of the drive before it\|is missing" "$work/err" || fail "$(cat "$work/err")"
must "some of them" "$corridor" verify --partial "$work/box/2.drive" "$work/box/5.drive" >/dev/null
must_fail 1 "drive number 1 is missing" "$corridor" verify "$work/box/2.drive"
must_fail 1 "is no public Ed25519 key" "$corridor" verify --key "$work/box.pem" "$work/box/1.drive"
must_fail 1 "9.drive: there is no such file; is the name right" "$corridor" verify "$work/box/9.drive"

# the report names the very files that it rests on
must "import" "$corridor" import -o "$work/box/6.drive" "$source/fixtures/demo/alfa.csv" >/dev/null
must "evidence" "$maker" "$work/box/6.drive" "$work/box.pem"
must "verify" "$corridor" verify --key "$work/box.pub" "$work/box" >"$work/out"
hash=$(sed -n 's/.*6.drive: .*sha256 \([0-9a-f]*\),.*/\1/p' "$work/out")
equal "hash" "$hash" "$(sha256sum "$work/box/6.drive" | cut -d' ' -f1)"
must "network" "$corridor" network from-track -o "$work/line.gpkg" --name L "$work/box/6.drive" >/dev/null
must "analyze" "$corridor" analyze -n "$work/line.gpkg" -o "$work/results.gpkg" "$work/box/6.drive" >/dev/null
must "report" "$corridor" report -o "$work/report" "$work/results.gpkg" >/dev/null
grep -rq "$hash" "$work/report" || fail "the report does not list the hash of its drive"
echo ok
