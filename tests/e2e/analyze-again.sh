#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Matched positions and passes kept beside a drive: a second run, with another profile or segments of
# another length, gives the bytes of a run that matches and reads all samples; a changed drive,
# another network or a damaged file are worked out again.
. "$(dirname "$0")/common.sh"
cd "$work" || exit 1
stamp() { stat -c '%i %Y' ./*.match | sha256sum; }
analyze() { "$corridor" analyze -n "$1" -o "$2" "${@:3}" alfa.drive beta.drive >/dev/null; }
# fresh NETWORK OUT OPTION…: without anything kept
fresh() {
  mkdir -p aside && mv ./*.match ./*.passes aside/ 2>/dev/null
  must "analyze afresh" analyze "$@"
}

for operator in alfa beta; do
  must "import $operator" "$corridor" import -o $operator.drive "$source/fixtures/demo/$operator.csv" >/dev/null
  touch -d '2025-06-01 12:00' $operator.drive
done
must "from-track" "$corridor" network from-track -o line.gpkg --name Line ./*.drive >/dev/null
must "from-track" "$corridor" network from-track -o other.gpkg --name Other alfa.drive >/dev/null

must "analyze" analyze line.gpkg first.gpkg
[ -s alfa.drive.match ] && [ -s beta.drive.match ] || fail "nothing is kept beside the drives"
equal "rights of what is kept" "$(stat -c %a alfa.drive.match)" "$(stat -c %a alfa.drive)"
[ -s alfa.drive.passes ] && [ -s beta.drive.passes ] || fail "no passes are kept beside the drives"
equal "rights of the passes" "$(stat -c %a alfa.drive.passes)" "$(stat -c %a alfa.drive)"
kept=$(stamp)
must "analyze again" analyze line.gpkg again.gpkg
must "other segments" analyze line.gpkg short.gpkg --segment 25
must "another profile" analyze line.gpkg profile.gpkg --profile ofcom-2025
must "two jobs" analyze line.gpkg jobs.gpkg --jobs 2 --pool
equal "the kept files after runs that use them" "$(stamp)" "$kept"
cmp -s first.gpkg again.gpkg || fail "a run that does not match gives other bytes"
fresh line.gpkg fresh.gpkg --segment 25
cmp -s short.gpkg fresh.gpkg || fail "other segments: other bytes than afresh"
fresh line.gpkg fresh.gpkg --profile ofcom-2025
cmp -s profile.gpkg fresh.gpkg || fail "another profile: other bytes than afresh"
fresh line.gpkg fresh.gpkg --pool
cmp -s jobs.gpkg fresh.gpkg || fail "two jobs: other bytes than afresh"

# passes are kept for one way of counting; without positions beside them they must be what was used
must "passes" analyze line.gpkg first.gpkg
mv ./*.match aside/
must "another profile from passes" analyze line.gpkg profile2.gpkg --profile ofcom-2025
cmp -s profile.gpkg profile2.gpkg || fail "another profile, from passes: other bytes than afresh"
must "pooled from passes" analyze line.gpkg pool2.gpkg --pool
cmp -s jobs.gpkg pool2.gpkg || fail "pooled, from passes: other bytes than afresh"
[ -e alfa.drive.match ] && fail "the passes were not used"
must "outdoor" analyze line.gpkg outdoor.gpkg --outdoor
[ -e alfa.drive.match ] || fail "passes were used for levels counted otherwise"
fresh line.gpkg fresh.gpkg --outdoor
cmp -s outdoor.gpkg fresh.gpkg || fail "outdoor: other bytes than afresh"
must "samples wanted" analyze line.gpkg samples1.gpkg --samples
fresh line.gpkg samples2.gpkg --samples
cmp -s samples1.gpkg samples2.gpkg || fail "samples: other bytes than afresh"
# in the other order: what is kept does not depend on the drive's place among others
must "both" analyze line.gpkg first.gpkg
must "one alone" "$corridor" analyze -n line.gpkg -o alone1.gpkg beta.drive >/dev/null
mv ./*.match ./*.passes aside/
must "one alone afresh" "$corridor" analyze -n line.gpkg -o alone2.gpkg beta.drive >/dev/null
cmp -s alone1.gpkg alone2.gpkg || fail "a drive alone: other bytes than afresh"

must "analyze" analyze line.gpkg first.gpkg
kept=$(stamp)
must "another network" analyze other.gpkg other1.gpkg
[ "$(stamp)" != "$kept" ] || fail "positions on another network were used"
fresh other.gpkg other2.gpkg
cmp -s other1.gpkg other2.gpkg || fail "another network: other bytes than afresh"

must "analyze" analyze line.gpkg before.gpkg
must "import gamma" "$corridor" import -o gamma.drive "$source/fixtures/demo/gamma.csv" >/dev/null
cp gamma.drive alfa.drive
touch -d '2025-06-01 12:00:01' alfa.drive
must "changed drive" analyze line.gpkg changed1.gpkg
fresh line.gpkg changed2.gpkg
cmp -s changed1.gpkg changed2.gpkg || fail "a changed drive: other bytes than afresh"
cmp -s before.gpkg changed1.gpkg && fail "the changed drive gives the same bytes"

for damage in "truncate -s 200" "truncate -s -3" "truncate -s 0" "truncate -s +10"; do
  for kept in match passes; do
    $damage alfa.drive.$kept
    must "damaged $kept: $damage" analyze line.gpkg damaged.gpkg
    cmp -s damaged.gpkg changed2.gpkg || fail "$kept, $damage: other bytes than afresh"
  done
done
rm ./*.match ./*.passes
for kept in alfa.drive.match beta.drive.match alfa.drive.passes beta.drive.passes; do
  mkdir $kept # stands for a place that cannot be written, also for root
  touch $kept/x
done
must "no place to keep anything" analyze line.gpkg nowhere.gpkg
cmp -s nowhere.gpkg changed2.gpkg || fail "nothing kept: other bytes"
find . -name '.*match*' -o -name '.*passes*' | grep -q . && fail "half a file was left"
exit 0
