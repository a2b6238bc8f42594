#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# corridor network build: made maps, refusals, and real maps where there are.
. "$(dirname "$0")/common.sh"
cd "$work" || exit 1
sql() { python3 - "$1" "$2" <<'PY'
import sqlite3, sys
print("|".join(str(v) for v in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()))
PY
}

# Two streets that cross at a shared vertex, the second one-way; a footway; a railway on a bridge.
cat >map.geojson <<'END'
{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"highway":"residential","name":"Långgatan","code":"007"},
 "geometry":{"type":"LineString","coordinates":[[15,60],[15.001,60],[15.002,60]]}},
{"type":"Feature","properties":{"highway":"primary","ref":"E4","oneway":"yes","code":"b"},
 "geometry":{"type":"LineString","coordinates":[[15.001,59.999],[15.001,60],[15.001,60.001]]}},
{"type":"Feature","properties":{"highway":"footway","code":"c"},
 "geometry":{"type":"LineString","coordinates":[[15,60],[15,60.001]]}},
{"type":"Feature","properties":{"railway":"rail","bridge":"yes","layer":"1","code":"d"},
 "geometry":{"type":"LineString","coordinates":[[15,60.0005],[15.002,60.0005]]}},
{"type":"Feature","properties":{"highway":"residential","code":"e"},
 "geometry":{"type":"LineString","coordinates":[[15,60],[15,60]]}},
{"type":"Feature","properties":{"highway":"residential","code":"f"},
 "geometry":{"type":"LineString","coordinates":[[500000,60],[15,60]]}}]}
END
must build "$corridor" network build -o net.gpkg --id-field code --split map.geojson >out 2>err
grep -q 'net.gpkg: 5 edges between 7 nodes' out || fail "report: $(cat out)"
grep -q '1 lines without length' out || fail "no word of the line without length: $(cat out)"
grep -q '1 features with coordinates' err || fail "no word of the damaged one: $(cat err)"
equal "ids are text" "$(sql net.gpkg "SELECT id, count(*), sum(id_offset_m) > 55 FROM edges WHERE id = '007'")" "007|2|1"
equal "one-way kept" "$(sql net.gpkg "SELECT count(*) FROM edges WHERE way = 'forward' AND ref = 'E4'")" 2
equal "rail kept" "$(sql net.gpkg "SELECT kind, class, bridge, layer FROM edges WHERE id = 'd'")" "rail|rail|1|1"
equal "geodesic" "$(sql net.gpkg "SELECT round(sum(length_m), 1) FROM edges WHERE id = 'd'")" 111.6
must ends "$corridor" network build -o ends.gpkg --mode road map.geojson >out 2>err
equal "without --split" "$(sql ends.gpkg 'SELECT count(*) FROM edges')" 2
must where "$corridor" network build -o where.gpkg --where "ref = 'E4'" map.geojson >out 2>err
equal "--where" "$(sql where.gpkg 'SELECT count(*) FROM edges')" 1

# The same map in SWEREF 99 TM gives the same network to the millimetre.
cat >sweref.geojson <<'END'
{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::3006"}},
"features":[{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":
[[356083.438,6097106.672],[452024.069,6095048.642]]}}]}
END
must sweref "$corridor" network build -o sweref.gpkg --mode rail sweref.geojson >out
equal "length on the ellipsoid" "$(sql sweref.gpkg 'SELECT round(length_m), kind FROM edges')" "95989.0|rail"

printf 'a,WKT\n1,"LINESTRING(500000 6500000,500000 6500100)"\n' >nocrs.csv
must_fail 1 'does not say its coordinate system; give it with --crs' "$corridor" network build -o x.gpkg nocrs.csv
must crs "$corridor" network build -o crs.gpkg --crs EPSG:3006 nocrs.csv >out
must_fail 1 'no such file' "$corridor" network build -o x.gpkg nothing.osm.pbf
must_fail 1 'no line in it is a railway' "$corridor" network build -o x.gpkg --mode rail where.gpkg
must_fail 1 'has no field "nr"; it has:' "$corridor" network build -o x.gpkg --id-field nr map.geojson
must_fail 1 'has no layer "roads"; it has: map' "$corridor" network build -o x.gpkg --layer roads map.geojson
must_fail 2 'none of road, rail, all' "$corridor" network build -o x.gpkg --mode water map.geojson
must_fail 2 'what file to make' "$corridor" network build map.geojson
must_fail 2 '' "$corridor" network build -o x.gpkg
must_fail 1 'cannot be written' "$corridor" network build -o no/such/folder/x.gpkg map.geojson
[ ! -e x.gpkg ] || fail "a failed build left a file"
[ -z "$(find . -name '.*.gpkg')" ] || fail "something was left beside: $(ls -A)"

if [ -n "$data" ]; then
  must li "$corridor" network build -o li.gpkg "$data/osm/liechtenstein.osm.pbf" >out
  equal "rail of Liechtenstein" "$(sql li.gpkg "SELECT count(*) BETWEEN 40 AND 60, round(sum(length_m) / 1000) FROM edges WHERE kind = 'rail'")" "1|11.0"
  equal "each edge ends at nodes" "$(sql li.gpkg "SELECT count(*) FROM edges WHERE from_node NOT IN (SELECT node FROM nodes) OR to_node NOT IN (SELECT node FROM nodes)")" 0
  must ids "$corridor" network build -o dli.gpkg --id-field id "$data/drive-li/edges.geojson" >out
  equal "ids kept" "$(sql dli.gpkg "SELECT count(*), count(DISTINCT id), max(id_offset_m) FROM edges")" "2680|2680|0.0"
  must stockholm "$corridor" network build -o st.gpkg --mode road "$data/osm/stockholm-edges.gpkg" >out
  grep -q '324 lines that lay on another' out || fail "twins: $(cat out)"
else
  echo "real maps not tried: no reference data"
fi
echo "network build: ok"
