#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The main job on the made journey: import, learn the line, analyze, report. The same bytes whatever
# the number of jobs and the order of drives; kilometres by verdict add up; QGIS finds its styles.
. "$(dirname "$0")/common.sh"
cd "$work" || exit 1
ask() { sqlite3 out.gpkg "$1"; }

for operator in alfa beta gamma; do
  must "import $operator" "$corridor" import -o $operator.drive "$source/fixtures/demo/$operator.csv" >/dev/null
done
must "from-track" "$corridor" network from-track -o line.gpkg --name Line ./*.drive >/dev/null
must "analyze" "$corridor" analyze -n line.gpkg -o out.gpkg alfa.drive beta.drive gamma.drive >/dev/null
must "analyze again" "$corridor" analyze -n line.gpkg -o again.gpkg --jobs 2 gamma.drive alfa.drive beta.drive >/dev/null
cmp -s out.gpkg again.gpkg || fail "two jobs and another order give other bytes"

equal "sums by verdict that differ from the corridor" "$(ask "SELECT count(*) FROM summary
  WHERE abs(km_covered + km_not_covered + km_uncertain + km_not_measured - length_km) > 0.001 * length_km")" 0
equal "segments that every sample calls without service but no verdict" "$(ask "SELECT count(*) FROM segments
  WHERE n > 0 AND n_no_service = n AND any_service_verdict <> 'not covered'")" 0
equal "services without a style" "$(ask "SELECT count(DISTINCT service) - (SELECT count(*) FROM layer_styles
  WHERE f_table_name = 'segments') FROM services")" 0
equal "default styles of segments" "$(ask "SELECT count(*) FROM layer_styles
  WHERE f_table_name = 'segments' AND useAsDefault = 1")" 1
equal "columns that styles ask for and segments lack" "$(ask "SELECT count(*) FROM services s
  WHERE NOT EXISTS (SELECT 1 FROM pragma_table_info('segments') WHERE name = s.service || '_verdict')")" 0
equal "stations without a place" "$(ask "SELECT count(*) FROM sqlite_master WHERE name = 'stations'")" 0

# names along the line, from a CSV file: one far off is left out
{
  echo "name,lat,lon,kind"
  tail -n +2 "$source/fixtures/demo/alfa.csv" | awk -F, 'NR == 300 { print "Björkby," $2 "," $3 ",halt" }
    NR == 900 { print "\"Älvsund, norra\"," $2 "," $3 ",station" }'
  echo "Far away,10,10,station"
} >stations.csv
must "from-track with stations" "$corridor" network from-track -o named.gpkg --name Line --stations stations.csv ./*.drive >/dev/null
must "analyze with stations" "$corridor" analyze -n named.gpkg -o named-out.gpkg alfa.drive >/dev/null
equal "stations" "$(sqlite3 named-out.gpkg "SELECT group_concat(name || ' ' || kind, '; ') FROM (SELECT * FROM stations ORDER BY name)")" "Björkby halt; Älvsund, norra station"
equal "stations beside their kilometre" "$(sqlite3 named-out.gpkg "SELECT count(*) FROM stations s
  WHERE NOT EXISTS (SELECT 1 FROM segments g WHERE g.corridor = s.corridor AND s.km BETWEEN g.km_from AND g.km_to)")" 0
must "report with stations" "$corridor" report -o named-report named-out.gpkg >/dev/null
grep -q 'Älvsund, norra' named-report/plots/corridor-1.svg || fail "the chart does not name a station"
must_fail 1 "nosuch.csv" "$corridor" network from-track -o x.gpkg --name Line --stations nosuch.csv alfa.drive
must "report" "$corridor" report -o report out.gpkg >/dev/null
[ -s report/index.html ] || fail "no page"

must_fail 1 "there is no such file|cannot be opened|No such file" "$corridor" analyze -n line.gpkg -o x.gpkg nosuch.drive
must_fail 2 "missing" "$corridor" analyze -n line.gpkg -o x.gpkg
[ ! -e x.gpkg ] || fail "a failed run left x.gpkg"
