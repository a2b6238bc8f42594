#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# corridor import and info on made files: whole or not at all, adding, duplicates, wrong usage.
. "$(dirname "$0")/common.sh"
in=$source/fixtures/import
cd "$work" || exit 1
count() {
  "$corridor" sql --no-header "$1" "SELECT count(*) FROM $2"
}

must "import plain" "$corridor" import -o plain.drive "$in/plain.in" >out
grep -q "plain, 4 rows: 4 samples (1 without service), 4 fixes" out || fail "summary: $(cat out)"
equal "samples" "$(count plain.drive samples)" 4
equal "sources" "$(count plain.drive sources)" 3
must "info" "$corridor" info plain.drive >out
equal "files, also after a reader" "$(echo plain.drive*)" plain.drive

# the same again: refused, the drive as it was
"$corridor" info plain.drive >before
cp "$in/plain.in" other-name.csv
must_fail 1 'imported already' "$corridor" import -o plain.drive other-name.csv
"$corridor" info plain.drive >after
cmp before after || fail "a refused file changed the drive: $(diff before after)"

# a bad file among good ones: nothing is written, nothing is left
must_fail 1 'plain-width.in:3: 7 fields, but the header has 6' \
  "$corridor" import -o new.drive "$in/plain-tabs.in" "$in/plain-width.in"
equal "left behind" "$(echo new.drive*)" 'new.drive*'
must_fail 1 'plain-width.in:3' "$corridor" import -o plain.drive "$in/plain-tabs.in" "$in/plain-width.in"
equal "samples after a refused file" "$(count plain.drive samples)" 4

# adding
must "add" "$corridor" import -o plain.drive "$in/plain-tabs.in" >out
grep -q "added to plain.drive" out || fail "$(cat out)"
equal "samples after adding" "$(count plain.drive samples)" 5

# name made from the first file; out of range told; time zone missed
must "default name" "$corridor" import "$in/breitband-range.in" >out 2>err
grep -q "5 values out of range.*RSRP 1 RSRQ 1 PCI 1" out || fail "$(cat out)"
grep -q "read as UTC; give --timezone" err || fail "no word of the time zone: $(cat err)"
[ -f breitband-range.drive ] || fail "no breitband-range.drive"
must "info" "$corridor" info breitband-range.drive >out
grep -q "5 values out of range, stored as unknown: RSRP 1 RSRQ 1 PCI 1" out || fail "$(cat out)"
grep -q "2 samples" out || fail "$(cat out)"

# a raw log brings its tests and events
cp "$in/gnettrack-raw.in" log.txt
cp "$in/gnettrack-tests.in" log_datatest.txt
cp "$in/gnettrack-events.in" log_events.txt
must "raw log" "$corridor" import --timezone Africa/Dakar -o raw.drive log.txt >out
equal "latencies" "$(count raw.drive latencies)" 1
equal "events" "$(count raw.drive events)" 4

# a log of round trips belongs to the one phone of its operator; of two phones it is its own
must "a phone" "$corridor" import --timezone Europe/Berlin -o phone.drive "$in/breitband.in" >out
phones=$(count phone.drive "sources WHERE operator_label = 'Telekom'")
printf 'when,lat,lon,ping_a\n2025-05-26 12:00:00,52.1,8.1,20\n2025-05-26 12:00:10,52.2,8.2,30\n' >ping.csv
map=(--map time=when --map lat=lat --map lon=lon --map 'rtt_ms=ping_*')
must "its round trips" "$corridor" import "${map[@]}" --operator Telekom -o phone.drive ping.csv >out
equal "phones of the operator" "$(count phone.drive "sources WHERE operator_label = 'Telekom'")" \
  $((phones == 1 ? 1 : phones + 1))
equal "round trips of a phone with samples" \
  "$(count phone.drive "latencies WHERE source IN (SELECT source FROM samples)")" $((phones == 1 ? 2 : 0))
printf 'when,lat,lon,ping_a\n2025-05-26 13:00:00,52.1,8.1,20\n' >other.csv
must "of another operator" "$corridor" import "${map[@]}" --operator Nobody -o phone.drive other.csv >out
equal "its own source" "$(count phone.drive "sources WHERE operator_label = 'Nobody'")" 1

# wrong usage
must_fail 2 'FILE' "$corridor" import
must_fail 2 'there is no format nosuch' "$corridor" import --format nosuch -o x.drive "$in/plain.in"
must_fail 2 'there is no time zone Mars' "$corridor" import --timezone Mars -o x.drive "$in/plain.in"
must_fail 2 'no field height' "$corridor" import --map time=time --map height=lat -o x.drive "$in/plain.in"
must_fail 2 'roof or cabin, not hood' "$corridor" import --antenna hood -o x.drive "$in/plain.in"
must_fail 2 'nonsense' "$corridor" import --nonsense "$in/plain.in"
must_fail 1 'cannot be read' "$corridor" import -o x.drive no-such-file.csv
must_fail 1 'no known format; say which column is what with --map' "$corridor" import -o x.drive "$in/unknown.in"
must_fail 1 'plain.in' "$corridor" info "$in/plain.in"
must_fail 1 'no-such.drive' "$corridor" info no-such.drive
equal "left behind" "$(echo x.drive*)" 'x.drive*'

# interrupted: nothing is left
awk 'BEGIN { print "time,lat,lon,rsrp"; for (i = 0; i < 3000000; i++) printf "%d,47.1,9.%07d,-90\n", 1778220000 + i, i }' >long.csv
"$corridor" import -o x.drive long.csv >out 2>&1 &
running=$!
sleep 0.3
kill -TERM $running
wait $running
equal "status after SIGTERM" $? 143
equal "left behind after SIGTERM" "$(echo x.drive*)" 'x.drive*'
rm long.csv

mkfifo pipe
must_fail 1 'no plain file' "$corridor" import -o x.drive pipe
must_fail 1 'no plain file' "$corridor" import -o x.drive "$work"

# what is exported can be imported again, and is the same
must "export" "$corridor" export --format csv -o again.csv raw.drive >out
must "import again" "$corridor" import -o again.drive again.csv >out
columns="rat, coalesce(service, 'unknown'), plmn, tac, cell_id, pci, arfcn, band, rsrp_dbm, rsrq_db, rscp_dbm, cqi"
for d in raw again; do
  "$corridor" sql "$d.drive" "SELECT time_ns, $columns FROM samples ORDER BY time_ns, cell_id, rsrp_dbm" >$d.txt
done
cmp raw.txt again.txt || fail "export and import do not give the same samples"
echo ok
