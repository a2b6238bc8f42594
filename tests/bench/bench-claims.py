#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-claims.py [KM]: corridor compare of KM (1,000) of corridor and four operators against
national maps: a raster of 10,000 x 40,000 cells of 25 m, and polygons, 200,000 small ones and one
with 400,000 corners. Beside each: GDAL's own gdallocationinfo asking the same raster for as many
places, and ogrinfo reading the same polygons once. Prints seconds, peak memory and ratios."""
import math
import os
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from claim_world import CORRIDOR, ENV, fading, rows, run, make_network, tool, write_drive  # noqa: E402

OPERATORS = ("Alfa", "Beta", "Gamma", "Delta")
WEST, NORTH, CELL, COLUMNS, ROWS = 400000, 7420000, 25, 10000, 40000
STRIPES = 4000  # rows that are made; the raster repeats them


def place(metres):
    north = metres * 0.97
    return 16.0 + 0.004 * math.sin(north / 1700.0), 58.0 + north / 111400.0


def measured(name, arguments, stdin=None):
    """Seconds and peak memory (MB) of one command, of its own."""
    code = ("import resource, subprocess, sys, time; t = time.monotonic(); "
            "r = subprocess.run(sys.argv[1:], stdin=sys.stdin, stdout=subprocess.DEVNULL).returncode; "
            "print(time.monotonic() - t, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, r)")
    done = subprocess.run([sys.executable, "-c", code, *arguments], stdin=stdin, capture_output=True, text=True,
                          check=True, env=ENV)
    seconds, peak, status = done.stdout.split()
    if status != "0":
        sys.exit(f"{name}: exit {status}: {done.stderr}")
    print(f"{name}: {float(seconds):.2f} s, peak {float(peak):.0f} MB", flush=True)
    return float(seconds)


def make_results(work, km):
    make_network(work, km * 1000, at=place)
    for number, name in enumerate(OPERATORS):
        write_drive(f"{work}/drive.csv", 3600, km * 1000, fading(number, lambda m: -98 - 9 * math.sin(m / 9000), step=25.0),
                    speed=25.0, at=place)
        run("import", "--operator", name, "-o", f"{work}/made.drive", f"{work}/drive.csv")
    run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/out.gpkg", f"{work}/made.drive")


def make_raster(work):
    """Levels of -80 to -129 dBm in patches of some kilometres, a tenth of it without a value."""
    with open(f"{work}/stripes.raw", "wb") as f:
        for r in range(STRIPES):
            base = r // 170 * 7
            f.write(b"".join(struct.pack("<h", -32768 if (base + c) % 11 == 0 else -80 - (base * 3 + c * 5) % 50) * 100
                             for c in range(COLUMNS // 100)))
    sources = "".join(
        f'<SimpleSource><SourceFilename relativeToVRT="1">stripes.vrt</SourceFilename><SourceBand>1</SourceBand>'
        f'<SrcRect xOff="0" yOff="0" xSize="{COLUMNS}" ySize="{STRIPES}"/>'
        f'<DstRect xOff="0" yOff="{i * STRIPES}" xSize="{COLUMNS}" ySize="{STRIPES}"/></SimpleSource>'
        for i in range(ROWS // STRIPES))
    with open(f"{work}/stripes.vrt", "w", encoding="ascii") as f:
        f.write(f'<VRTDataset rasterXSize="{COLUMNS}" rasterYSize="{STRIPES}"><VRTRasterBand dataType="Int16" band="1" '
                'subClass="VRTRawRasterBand"><SourceFilename relativetoVRT="1">stripes.raw</SourceFilename>'
                f'<PixelOffset>2</PixelOffset><LineOffset>{2 * COLUMNS}</LineOffset><ByteOrder>LSB</ByteOrder>'
                '</VRTRasterBand></VRTDataset>')
    with open(f"{work}/all.vrt", "w", encoding="ascii") as f:
        f.write(f'<VRTDataset rasterXSize="{COLUMNS}" rasterYSize="{ROWS}"><SRS>EPSG:3006</SRS><GeoTransform>{WEST}, '
                f'{CELL}, 0, {NORTH}, 0, -{CELL}</GeoTransform><VRTRasterBand dataType="Int16" band="1"><NoDataValue>-32768'
                f'</NoDataValue>{sources}</VRTRasterBand></VRTDataset>')
    tool("gdal_translate", "-q", "-co", "COMPRESS=DEFLATE", "-co", "ZLEVEL=1", "-co", "TILED=YES", "-co",
         "BIGTIFF=IF_SAFER", f"{work}/all.vrt", f"{work}/national.tif")
    os.remove(f"{work}/stripes.raw")


def make_polygons(work):
    """Squares of 1.2 km all over the country, and one outline with very many corners."""
    def feature(f, dbm, corners):
        text = ",".join(f"[{x:.1f},{y:.1f}]" for x, y in corners + corners[:1])
        f.write(f'{{"type":"Feature","properties":{{"dbm":{dbm}}},"geometry":{{"type":"Polygon","coordinates":[[{text}]]}}}}\n')
    with open(f"{work}/map.geojsonl", "w", encoding="ascii") as f:
        for i in range(200):
            for k in range(1000):
                x, y = WEST + 1250 * i, NORTH - 1000 * k
                feature(f, -80 - (i * 7 + k * 3) % 50, [(x, y), (x + 1200, y), (x + 1200, y - 900), (x, y - 900)])
        y = [NORTH - CELL * ROWS + 5 * i for i in range(200000)]
        feature(f, -100, [(570000 + 3000 * math.sin(v / 250), v) for v in y] +
                [(540000 + 3000 * math.sin(v / 350), v) for v in reversed(y)])
    tool("ogr2ogr", "-q", "-nln", "map", "-a_srs", "EPSG:3006", f"{work}/national.gpkg", f"{work}/map.geojsonl")


def compare(work, map_):
    return [CORRIDOR, "compare", "-o", f"{work}/compared.gpkg", *sum((["--map", f"{o}={map_}"] for o in OPERATORS), []),
            f"{work}/out.gpkg"]


def main():
    km = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="corridor-bench-claims-") as work:
        start = time.monotonic()
        make_results(work, km)
        make_raster(work)
        make_polygons(work)
        segments = rows(f"{work}/out.gpkg", "SELECT count(*) AS n FROM segments")[0]["n"]
        size = os.path.getsize(f"{work}/national.tif") / 1e6
        print(f"{km} km, {len(OPERATORS)} operators, {segments} rows of segments; raster {COLUMNS} x {ROWS}, {size:.0f} MB;"
              f" made in {time.monotonic() - start:.0f} s", flush=True)
        ours = measured("compare, raster", compare(work, f"{work}/national.tif,min=-105"))
        with open(f"{work}/places", "w", encoding="ascii") as f:
            for i in range(len(OPERATORS) * km * 110):
                f.write("%.7f %.7f\n" % place(i / len(OPERATORS) / 110 * 1000))
        with open(f"{work}/places", encoding="ascii") as f:
            theirs = measured("gdallocationinfo, as many places", ["gdallocationinfo", "-valonly", "-l_srs", "EPSG:4326",
                                                                   f"{work}/national.tif"], stdin=f)
        print(f"ratio, raster: {ours / theirs:.2f}")
        ours = measured("compare, polygons", compare(work, f"{work}/national.gpkg,level=dbm,min=-105"))
        theirs = measured("ogrinfo, all polygons once", ["ogrinfo", "-q", "-al", "-geom=SUMMARY", f"{work}/national.gpkg"])
        print(f"ratio, polygons: {ours / theirs:.2f}")


main()
