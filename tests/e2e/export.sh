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

# nothing is left of a file that could not be made; wrong usage
must_fail 1 'no source of operator Nobody' "$corridor" export --format csv --operator Nobody -o x.csv d.drive
equal "left behind" "$(echo x.csv*)" 'x.csv*'
must_fail 2 'no format shp' "$corridor" export --format shp -o x.shp d.drive
must_fail 2 'FILE is missing' "$corridor" export --format csv d.drive
must_fail 2 'format is missing' "$corridor" export -o x.csv d.drive
must_fail 1 'neither a drive nor' "$corridor" export --format csv -o x.csv gap.csv
must_fail 1 'cannot be read' "$corridor" export --format csv -o x.csv nowhere.drive
must_fail 1 'cannot be written' "$corridor" export --format csv -o no/such/folder/x.csv d.drive
if [ -w /dev/full ]; then
  must_fail 1 'cannot be written' "$corridor" export --format csv -o "$work" d.drive
fi
echo ok
