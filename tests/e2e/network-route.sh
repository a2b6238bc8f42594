#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# corridor network route: shortest ways, cuts, folding, boards, stations, refusals.
. "$(dirname "$0")/common.sh"
cd "$work" || exit 1
sql() { python3 - "$1" "$2" <<'PY'
import sqlite3, sys
print("|".join(str(v) for v in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()))
PY
}
# Corridor NAME of FILE: its edges exist, follow each other from start_m to start_m + length_m.
consistent() {
  equal "$2: edges exist, lengths agree" "$(sql "$1" "SELECT count(*) FROM corridor_edges c
    JOIN corridors k USING (corridor) LEFT JOIN edges e ON e.fid = c.edge
    WHERE k.name = '$2' AND (e.fid IS NULL OR
      (NOT c.folded AND abs(e.length_m - (c.to_m - c.from_m)) > 0.001))")" 0
  equal "$2: no hole" "$(sql "$1" "SELECT abs(sum(to_m - from_m) - k.length_m) < 0.001,
    abs(min(from_m) - k.start_m) < 0.001, abs(max(to_m) - k.start_m - k.length_m) < 0.001
    FROM corridor_edges c JOIN corridors k USING (corridor) WHERE k.name = '$2' AND NOT folded")" "1|1|1"
}

# A motorway of two carriageways that end in one road, a shorter lane beside a hill, an island.
cat >map.geojson <<'END'
{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"highway":"primary","ref":"E4"},"geometry":{"type":"LineString","coordinates":[[15,60],[15.01,60]]}},
{"type":"Feature","properties":{"highway":"motorway","ref":"E4"},"geometry":{"type":"LineString","coordinates":[[15.01,60],[15.02,60.0001],[15.05,60.0001],[15.06,60]]}},
{"type":"Feature","properties":{"highway":"motorway","ref":"E4"},"geometry":{"type":"LineString","coordinates":[[15.06,60],[15.05,59.9999],[15.02,59.9999],[15.01,60]]}},
{"type":"Feature","properties":{"highway":"primary","ref":"E4"},"geometry":{"type":"LineString","coordinates":[[15.06,60],[15.07,60.01]]}},
{"type":"Feature","properties":{"highway":"residential"},"geometry":{"type":"LineString","coordinates":[[15.07,60.01],[15.06,60.01],[15.01,60]]}},
{"type":"Feature","properties":{"highway":"primary"},"geometry":{"type":"LineString","coordinates":[[15.03,60.02],[15.04,60.02]]}},
{"type":"Feature","properties":{"railway":"rail"},"geometry":{"type":"LineString","coordinates":[[15,60.03],[15.02,60.03]]}},
{"type":"Feature","properties":{"railway":"rail"},"geometry":{"type":"LineString","coordinates":[[15.02,60.03],[15.04,60.03]]}},
{"type":"Feature","properties":{"railway":"rail"},"geometry":{"type":"LineString","coordinates":[[15.02,60.03],[15.001,60.031]]}}]}
END
must build "$corridor" network build -o net.gpkg map.geojson >out
must shortest "$corridor" network route -o a.gpkg --name short --from 60,15.001 --to 60.01,15.07 net.gpkg >out
consistent a.gpkg short
equal "the shortest way takes the lane" "$(sql a.gpkg "SELECT count(*) FROM corridor_edges c JOIN edges e ON e.fid = c.edge WHERE e.class = 'residential'")" 1
equal "the edge it begins on was cut" "$(sql a.gpkg "SELECT count(*), count(DISTINCT id) FROM edges WHERE class = 'primary' AND id = '1'")" "2|1"
must ref "$corridor" network route -o a.gpkg --name "It's E4" --ref e4 --from 60,15.001 --to 60.01,15.07 --start-km 3.5 --fold 40 a.gpkg >out
consistent a.gpkg "It''s E4"
consistent a.gpkg short
equal "--ref follows the E4" "$(sql a.gpkg "SELECT k.ref, k.start_m, sum(e.class = 'residential') FROM corridors k JOIN corridor_edges c USING (corridor) JOIN edges e ON e.fid = c.edge WHERE k.name LIKE 'It%'")" "E4|3500.0|0"
equal "the other carriageway is folded, against the chainage" "$(sql a.gpkg "SELECT count(*), min(reversed), min(to_m - from_m) > 2700 FROM corridor_edges WHERE folded")" "1|1|1"
equal "lengths kept by cutting" "$(sql a.gpkg "SELECT round(sum(length_m), 2) FROM edges")" "$(sql net.gpkg "SELECT round(sum(length_m), 2) FROM edges")"
equal "spatial index kept" "$(sql a.gpkg "SELECT (SELECT count(*) FROM edges) = (SELECT count(*) FROM rtree_edges_geom)")" 1
must back "$corridor" network route -o b.gpkg --name back --ref E4 --from 60.01,15.07 --to 60,15 net.gpkg >out
equal "one-way: back by the other carriageway" "$(sql b.gpkg "SELECT count(*), sum(c.reversed) FROM corridor_edges c JOIN edges e ON e.fid = c.edge WHERE e.class = 'motorway'")" "1|0"
must via "$corridor" network route -o v.gpkg --name via --from 60,15.001 --via 60.0001,15.03 --to 60.01,15.07 net.gpkg >out
consistent v.gpkg via
equal "--via" "$(sql v.gpkg "SELECT count(*) FROM corridor_edges c JOIN edges e ON e.fid = c.edge WHERE e.class = 'motorway'")" 1

printf 'km,lat,lon\n12,60.03,15.005\n13,60.0301,15.03\n99,61,15\n' >boards.csv
printf 'name,lat,lon,kind\nÅby,60.0302,15.01,halt\nFar,60.5,15.01,station\n' >stations.csv
must rail "$corridor" network route -o r.gpkg --name rail --mode rail --from 60.03,15 --to 60.03,15.04 --boards boards.csv --stations stations.csv net.gpkg >out
equal boards "$(sql r.gpkg "SELECT count(*), min(km), round(min(at_m)) FROM km_boards")" "2|12|279.0"
equal stations "$(sql r.gpkg "SELECT count(*), name, kind, abs(at_m - 557.5) < 1 FROM stations")" "1|Åby|halt|1"
# Two tracks 5 m apart, with a crossover: one line.
cat >tracks.geojson <<'END'
{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"railway":"rail"},"geometry":{"type":"LineString","coordinates":[[15,60],[15.01,60]]}},
{"type":"Feature","properties":{"railway":"rail"},"geometry":{"type":"LineString","coordinates":[[15.01,60],[15.04,60]]}},
{"type":"Feature","properties":{"railway":"rail"},"geometry":{"type":"LineString","coordinates":[[15,60.000045],[15.012,60.000045]]}},
{"type":"Feature","properties":{"railway":"rail"},"geometry":{"type":"LineString","coordinates":[[15.012,60.000045],[15.04,60.000045]]}},
{"type":"Feature","properties":{"railway":"rail","service":"crossover"},"geometry":{"type":"LineString","coordinates":[[15.01,60],[15.012,60.000045]]}},
{"type":"Feature","properties":{"railway":"rail"},"geometry":{"type":"LineString","coordinates":[[15,60.002],[15.04,60.002]]}}]}
END
must tracks "$corridor" network build -o tracks.gpkg tracks.geojson >out
must fold "$corridor" network route -o f.gpkg --name line --mode rail --from 60,15 --to 60,15.04 --fold 15 tracks.gpkg >out
consistent f.gpkg line
equal "the parallel track and the crossover are folded, the other line is not" "$(sql f.gpkg "SELECT count(*), round(sum(to_m - from_m) / 100) FROM corridor_edges WHERE folded")" "3|23.0"
must_fail 1 'no way from' "$corridor" network route -o x.gpkg --name x --mode rail --from 60.031,15.001 --to 60.03,15.001 net.gpkg
must_fail 1 'no way from' "$corridor" network route -o x.gpkg --name x --from 60,15 --to 60.02,15.035 net.gpkg
must_fail 1 'within 2 km|do not meet' "$corridor" network route -o x.gpkg --name x --from 10,10 --to 60.01,15.07 net.gpkg
must_fail 1 'do not meet: .* km apart' "$corridor" network route -o x.gpkg --name x --from 10,10 --to 11,11 net.gpkg
must_fail 1 'one place' "$corridor" network route -o x.gpkg --name x --from 60,15.005 --to 60,15.005 net.gpkg
must_fail 1 'not a network file' "$corridor" network route -o x.gpkg --name x --from 60,15 --to 60,15.01 map.geojson
must_fail 1 "no field" "$corridor" network route -o x.gpkg --name x --from 60,15 --to 60,15.01 --boards stations.csv net.gpkg
must_fail 2 'is no place' "$corridor" network route -o x.gpkg --name x --from 60 --to 60,15.01 net.gpkg
must_fail 2 'are needed' "$corridor" network route -o x.gpkg --from 60,15 --to 60,15.01 net.gpkg
[ ! -e x.gpkg ] || fail "a failed route left a file"

if [ -n "$data" ]; then
  must li "$corridor" network build -o li.gpkg "$data/osm/liechtenstein.osm.pbf" >out
  must rail "$corridor" network route -o li.gpkg --name "Feldkirch–Buchs" --mode rail --from 47.2119,9.5270 \
    --to 47.1665,9.4880 --stations "$data/osm/liechtenstein.osm.pbf" --fold 30 li.gpkg >out 2>err
  consistent li.gpkg "Feldkirch–Buchs"
  equal "line number, length" "$(sql li.gpkg "SELECT ref, round(length_m / 100) FROM corridors")" "303 01|66.0"
  equal "stations in their order" "$(sql li.gpkg "SELECT group_concat(name, ', ') FROM (SELECT name FROM stations ORDER BY at_m)")" "$(sql li.gpkg "SELECT group_concat(name, ', ') FROM stations")"
fi
echo "network route: ok"
