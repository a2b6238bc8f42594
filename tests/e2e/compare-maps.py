#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corridor compare: the same map in three formats and coordinate systems, comparing again in place,
and what may be wrong with a map: each is one line that says what to do, and leaves no file."""
import json
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from claim_maps import box, compare, make_maps, make_results, write_polygons  # noqa: E402
from claim_world import CORRIDOR, check, rows, run, tool  # noqa: E402


def check_formats(work, out):
    """The same polygons as GeoPackage, Shapefile and GeoJSON, in three coordinate systems."""
    said = {}
    for name in ("alfa.gpkg", "alfa.shp", "alfa.geojson"):
        compare(work, out, f"{work}/one.gpkg", "--map", f"Alfa={work}/{name},where=tech = '4G',level=dbm,min=-110")
        said[name] = [(r["claimed"], r["claimed_share"]) for r in rows(f"{work}/one.gpkg", "SELECT * FROM claims")]
    for name, found in said.items():
        same = sum(a[0] == b[0] and abs(a[1] - b[1]) < 0.11 for a, b in zip(found, said["alfa.geojson"]))
        check(f"{name} claims the same", same == len(found) == len(said["alfa.geojson"]), (same, len(found)))


def check_scaled(work, out):
    """A raster that stores tenths of a dB above -50 dBm, as its scale and offset say."""
    tool("gdal_translate", "-q", "-ot", "Int16", "-scale", "-150", "0", "-1000", "500", "-a_scale", "0.1", "-a_offset",
         "-50", "-a_nodata", "-32768", f"{work}/beta.tif", f"{work}/tenths.tif")
    said = []
    for name in ("beta", "tenths"):
        compare(work, out, f"{work}/one.gpkg", "--map", f"Beta={work}/{name}.tif,min=-105")
        said.append([(r["claimed_share"], r["claimed_level"] and round(r["claimed_level"], 6))
                     for r in rows(f"{work}/one.gpkg", "SELECT * FROM claims")])
    check("scale and offset of a raster are applied", said[0] == said[1] and any(s for s, _ in said[0]))


def check_again(work, out):
    """Compared again, in place: tables are replaced, not doubled, and the bytes are the same."""
    options = ["--map", f"Alfa={work}/alfa.gpkg,where=tech = '4G'"]
    sums = []
    for into in ("once.gpkg", "twice.gpkg"):
        compare(work, out, f"{work}/{into}", *options)
    compare(work, f"{work}/twice.gpkg", f"{work}/twice.gpkg", *options)
    for into in ("once.gpkg", "twice.gpkg"):
        sums.append([rows(f"{work}/{into}", f"SELECT * FROM {t}") for t in
                     ("claims", "claim_tables", "overclaims", "claim_sensitivity", "arcep", "vehicle_loss")])
    check("compared twice is compared once", sums[0] == sums[1])


def one_line(work, out, what, pattern, *options, status=1):
    target = f"{work}/never.gpkg"
    done = compare(work, out, target, *options, status=status)
    check(what, done.stderr.count("\n") == 1 and pattern in done.stderr and not os.path.exists(target), done.stderr)


def check_wrong(work, out):
    alfa = f"Alfa={work}/alfa.gpkg"
    shutil.copy(f"{work}/alfa.shp", f"{work}/bare.shp")
    for end in ("shx", "dbf"):
        shutil.copy(f"{work}/alfa.{end}", f"{work}/bare.{end}")
    one_line(work, out, "polygons without a system", "does not say its coordinate system", "--map", f"Alfa={work}/bare.shp")
    tool("gdal_translate", "-q", f"{work}/beta.tif.asc", f"{work}/bare.tif")
    one_line(work, out, "raster without a system", "crs=EPSG", "--map", f"Alfa={work}/bare.tif,min=-105")
    compare(work, out, f"{work}/named.gpkg", "--map", f"Beta={work}/bare.tif,min=-105,crs=EPSG:3006")
    one_line(work, out, "no such map", "there is no such map", "--map", f"Alfa={work}/none.gpkg")
    one_line(work, out, "no such operator", "it has Alfa, Beta, Gamma", "--map", f"Delta={work}/alfa.gpkg")
    one_line(work, out, "no operator", "OPERATOR=FILE", "--map", f"{work}/alfa.gpkg")
    one_line(work, out, "no such layer", "it has: coverage", "--map", alfa + ",layer=cover")
    one_line(work, out, "no such attribute", "it has:", "--map", alfa + ",level=rsrp")
    one_line(work, out, "min= without level=", "min= needs level=", "--map", alfa + ",min=-105")
    one_line(work, out, "min= that is no number", "is not a number", "--map", alfa + ",level=dbm,min=low")
    one_line(work, out, "classes= that are no numbers", "is not a number", "--map", f"Beta={work}/gamma.tif,classes=1/x")
    one_line(work, out, "where= that is no SQL", "where", "--map", alfa + ",where=tech ==== 4")
    one_line(work, out, "the same operator twice", "twice", "--map", alfa, "--map", alfa)
    with open(f"{work}/text.gpkg", "w", encoding="utf-8") as f:
        f.write("no map\n")
    one_line(work, out, "a text for a map", "text.gpkg", "--map", f"Alfa={work}/text.gpkg")
    with open(f"{work}/beta.tif", "rb") as whole, open(f"{work}/half.tif", "wb") as half:
        half.write(whole.read()[:3000])
    one_line(work, out, "half a raster", "half.tif", "--map", f"Beta={work}/half.tif,min=-105")
    one_line(work, out, "two results", "too many", "--map", alfa, f"{work}/net.gpkg", status=2)
    one_line(work, out, "no such service", "it has", "--map", alfa, "--service", "telepathy")
    done = run("compare", "-o", f"{work}/never.gpkg", "--map", alfa, f"{work}/day0.drive", status=1)
    check("a drive for results", done.stderr.count("\n") == 1, done.stderr)
    one_line(work, out, "areas without that field", "it has:", "--map", alfa, "--areas", f"{work}/areas.geojson,name=nr")
    write_polygons(f"{work}/empty.geojson", [], ())
    write_polygons(f"{work}/far.geojson", [([[(x + 20, y) for x, y in box(0, 9000)]],)], ())
    for name in ("empty", "far"):
        done = compare(work, out, f"{work}/{name}.gpkg", "--map", f"Alfa={work}/{name}.geojson")
        check(f"{name} map: a warning, and nothing is claimed", "is it the right map" in done.stderr and
              done.stderr.count("\n") == 1 and
              rows(f"{work}/{name}.gpkg", "SELECT sum(claimed) AS n FROM claims")[0]["n"] == 0, done.stderr)
    bow = box(2000, 4000)
    bow[5], bow[30] = bow[30], bow[5]
    write_polygons(f"{work}/bow.geojson", [([bow], "4G")], ("tech",))
    done = compare(work, out, f"{work}/bow.gpkg", "--map", f"Alfa={work}/bow.geojson")
    check("a polygon that crosses itself is read", rows(f"{work}/bow.gpkg",
          "SELECT sum(claimed) AS n FROM claims")[0]["n"] > 5, done.stderr)
    parts = [box(2000, 4000), box(3000, 6000)]
    twice = {"type": "Feature", "properties": {}, "geometry": {
        "type": "MultiPolygon", "coordinates": [[[list(p) for p in part + part[:1]]] for part in parts]}}
    with open(f"{work}/twice.geojson", "w", encoding="utf-8") as f:
        json.dump({"type": "FeatureCollection", "features": [twice]}, f)
    write_polygons(f"{work}/apart.geojson", [([part],) for part in parts], ())
    shares = []
    for name in ("twice", "apart"):
        compare(work, out, f"{work}/{name}.gpkg", "--map", f"Alfa={work}/{name}.geojson")
        shares.append([r["claimed_share"] for r in rows(f"{work}/{name}.gpkg", "SELECT * FROM claims")])
    check("parts of a polygon that overlap claim like two polygons", shares[0] == shares[1] and
          sum(shares[0]) > 35, shares[0])


def main():
    with tempfile.TemporaryDirectory(prefix="corridor-compare-maps-") as work:
        out, _ = make_results(work)
        make_maps(work)
        check_formats(work, out)
        check_scaled(work, out)
        check_again(work, out)
        check_wrong(work, out)


if not os.path.exists(CORRIDOR) or not shutil.which("gdal_translate"):
    print("SKIPPED: no GDAL tools")
    sys.exit(77)
main()
