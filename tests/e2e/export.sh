#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# corridor export of a drive: what other programs read of it is what is in the drive.
. "$(dirname "$0")/common.sh"
command -v ogrinfo >/dev/null || skip "no ogrinfo (gdal-bin)"
cd "$work" || exit 1
must "import" "$corridor" import --timezone Europe/Berlin -o d.drive "$source/fixtures/import/breitband.in" >out
rows=$("$corridor" sql --no-header d.drive "SELECT count(*) FROM samples")
features() {
  ogrinfo -ro -so -al "$1" "$2" 2>/dev/null | sed -n 's/^Feature Count: //p'
}

for format in csv geojson kml gpx; do
  must "$format" "$corridor" export --format $format -o d.$format d.drive >out
  grep -q "d.$format: $rows rows" out || fail "$format: $(cat out)"
done
equal "CSV rows" "$(($(wc -l <d.csv) - 1))" "$rows"
equal "GeoJSON features" "$(features d.geojson d.drive)" "$rows"
equal "KML placemarks" "$(features d.kml 'Telekom (Example Phone)')" "$rows"
equal "GPX points" "$(features d.gpx track_points)" "$rows"
python3 - <<'PY' || fail "not well-formed, or not what is in the drive"
import csv
import json
import xml.dom.minidom
features = json.load(open("d.geojson"))["features"]
rows = list(csv.DictReader(open("d.csv")))
assert [f["properties"].get("rsrp_dbm") for f in features] == [
    float(r["rsrp_dbm"]) if r["rsrp_dbm"] else None for r in rows]
assert features[0]["geometry"]["coordinates"] == [8.0602747, 52.2732406]
assert rows[4]["rat"] == "none" and rows[4]["service"] == "none"
kml = xml.dom.minidom.parse("d.kml")
styles = {s.getAttribute("id") for s in kml.getElementsByTagName("Style")}
used = [u.firstChild.data for u in kml.getElementsByTagName("styleUrl")]
assert all(u[1:] in styles for u in used), used
assert used[4] == "#none", used
xml.dom.minidom.parse("d.gpx")
PY

# samples between two fixes stand between them; beyond 10 s they have no place
cat >gap.csv <<'CSV'
time,lat,lon,operator,rat,rsrp
2026-05-04T06:00:00Z,47.0,9.0,A,lte,-80
2026-05-04T06:00:01Z,,,A,lte,-81
2026-05-04T06:00:04Z,47.0004,9.0,A,lte,-82
2026-05-04T06:00:10Z,,,A,lte,-83
2026-05-04T06:00:20Z,47.1,9.0,A,lte,-84
2026-05-04T06:00:21Z,,,A,lte,-85
CSV
must "import gap" "$corridor" import gap.csv >out
must "export gap" "$corridor" export --format csv -o gap-out.csv gap.drive >out
grep -q "6 rows, 2 of them without a place" out || fail "$(cat out)"
equal "latitudes" "$(cut -d, -f33 gap-out.csv | tr '\n' ' ')" "lat 47.0000000 47.0001000 47.0004000  47.1000000  "
must "export gap to gpx" "$corridor" export --format gpx -o gap.gpx gap.drive >out
equal "pieces of the track" "$(grep -c '<trkseg>' gap.gpx)" 3

# numbers and words in files do not follow the language
if localedef -i sv_SE -f UTF-8 "$work/sv_SE.UTF-8" 2>/dev/null; then
  mkdir swedish
  for format in csv geojson kml gpx; do
    LOCPATH=$work LC_ALL=sv_SE.UTF-8 "$corridor" import --timezone Europe/Berlin -o swedish/d.drive \
      "$source/fixtures/import/breitband.in" >out 2>&1
    LOCPATH=$work LC_ALL=sv_SE.UTF-8 "$corridor" export --format $format -o swedish/d.$format swedish/d.drive >out ||
      fail "under sv_SE: $format"
    cmp d.$format swedish/d.$format || fail "$format is another under sv_SE"
  done
fi

# results: layers with all columns, runs of equal verdict by service and operator
cat >segments.csv <<'CSV'
wkt,segment,corridor,km_from,km_to,length_m,operator,antenna,level_p50,lte_verdict
"LINESTRING(9.0 47.0,9.001 47.0)",1,Line 7,0,0.1,100.5,Alfa,cabin,-90,covered
"LINESTRING(9.001 47.0,9.002 47.0)",2,Line 7,0.1,0.2,100.5,Alfa,cabin,-91,covered
"LINESTRING(9.002 47.0,9.003 47.0)",3,Line 7,0.2,0.3,100.5,Alfa,cabin,,not covered
"LINESTRING(9.0 47.0,9.001 47.0)",1,Line 7,0,0.1,100.5,O'Neill & Co,cabin,,uncertain
"LINESTRING(9.001 47.0,9.002 47.0)",2,Line 7,0.1,0.2,100.5,O'Neill & Co,cabin,-100,not measured
CSV
printf 'position,service,title\n1,lte,"LTE, usable"\n' >services.csv
ogr2ogr -f GPKG out.gpkg segments.csv -oo GEOM_POSSIBLE_NAMES=wkt -oo KEEP_GEOM_COLUMNS=NO \
  -oo AUTODETECT_TYPE=YES -a_srs EPSG:4326 -nlt LINESTRING -nln segments &&
  ogr2ogr -update -f GPKG out.gpkg services.csv -oo AUTODETECT_TYPE=YES -nln services ||
  fail "ogr2ogr"
for format in csv geojson kml gpx; do
  must "results as $format" "$corridor" export --format $format -o r.$format out.gpkg >out
done
equal "segments in CSV" "$(wc -l <r.csv)" 6
equal "segments in GeoJSON" "$(features r.geojson segments)" 5
equal "runs of Alfa in KML" "$(features r.kml 'Alfa: LTE, usable (cabin)')" 2
equal "tracks in GPX" "$(features r.gpx tracks)" 4
equal "hidden at first" "$(grep -c '<Placemark>.*<visibility>0' r.kml)" 2
grep -q 'not covered, km 0.2–0.3.*#not_covered' r.kml || fail "no run of not covered: $(cat r.kml)"
must "table" "$corridor" export --format csv --layer services -o s.csv out.gpkg >out
equal "table" "$(cat s.csv)" "$(cat services.csv)"
must "one operator" "$corridor" export --format csv --operator "O'Neill & Co" -o x1.csv out.gpkg >out
equal "rows of one operator" "$(wc -l <x1.csv)" 3
must_fail 1 'no such service' "$corridor" export --format kml --service nope -o x.csv out.gpkg
must_fail 1 'no layer "nope"' "$corridor" export --format csv --layer nope -o x.csv out.gpkg
must_fail 1 '--layer is for csv' "$corridor" export --format kml --layer gaps -o x.csv out.gpkg

# nothing is left of a file that could not be made; wrong usage
must_fail 1 'no source of operator Nobody' "$corridor" export --format csv --operator Nobody -o x.csv d.drive
equal "left behind" "$(echo x.csv*)" 'x.csv*'
must_fail 2 'no format shp' "$corridor" export --format shp -o x.shp d.drive
must_fail 2 'FILE is missing' "$corridor" export --format csv d.drive
must_fail 2 'format is missing' "$corridor" export -o x.csv d.drive
must_fail 1 'neither a drive nor' "$corridor" export --format csv -o x.csv gap.csv
must_fail 1 'cannot be read' "$corridor" export --format csv -o x.csv nowhere.drive
must_fail 1 'cannot be written' "$corridor" export --format csv -o no/such/folder/x.csv d.drive
must_fail 1 'cannot be written' "$corridor" export --format csv -o "$work" d.drive
echo ok
