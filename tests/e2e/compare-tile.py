#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real published tile of an operator's map, as a raster in one coordinate system and as polygons
in another: a made drive over it gets the same claims from both, and both say of each square what a
slow look at pixels and polygons says. The polygons' corners are rounded to a millionth of a degree:
squares within 15 cm of a pixel's edge may fall either way. Skips without reference data."""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from claim_world import (SOURCE, check, in_polygon, line_of, near, rows, run, squares, tool,  # noqa: E402
                         make_network, write_drive)

DATA = os.environ.get("CORRIDOR_DATA", os.path.join(SOURCE, "..", "shared", "data"))
TILE = os.path.join(DATA, "coverage-tile")
LENGTH_M = 27000


def across(metres):
    """From the south-west of the tile to its north-east."""
    t = metres / LENGTH_M
    return 38.335 + 0.32 * t, 55.570 + 0.170 * t


def pixels(work):
    """The alpha band as text: a function of places to (covered, metres from the pixel's edge)."""
    tool("gdal_translate", "-q", "-b", "4", "-of", "AAIGrid", f"{TILE}/mts3g_10_621_321.tif", f"{work}/alpha.asc")
    with open(f"{work}/alpha.asc", encoding="ascii") as f:
        lines = f.read().splitlines()
    head = {words[0].lower(): float(words[1]) for words in (line.split() for line in lines[:6])
            if words[0][0].isalpha()}
    grid = [[float(v) for v in line.split()] for line in lines if line.split()[0][0] in "-0123456789"]
    dx, dy = (head.get("cellsize", head.get(name)) for name in ("dx", "dy"))
    north = head["yllcorner"] + dy * len(grid)

    def at(points):
        text = "".join(f"{x:.12f} {y:.12f}\n" for x, y in points)
        out = tool("gdaltransform", "-s_srs", "EPSG:4326", "-t_srs", "EPSG:3395", "-output_xy", stdin=text)
        found = []
        for line in out.splitlines():
            x, y = map(float, line.split()[:2])
            row, column = (north - y) / dy, (x - head["xllcorner"]) / dx
            edge = min(abs(v - round(v)) for v in (row, column)) * dx
            found.append((grid[int(row)][int(column)] > 0, edge))
        return found
    return at


def polygons(points):
    with open(f"{TILE}/mts3g_coverage_polygons.geojson", encoding="utf-8") as f:
        features = json.load(f)["features"]
    shapes = []
    for feature in features:
        geometry = feature["geometry"]
        for rings in [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]:
            rings = [[tuple(p[:2]) for p in ring[:-1]] for ring in rings]
            shapes.append((min(p[0] for p in rings[0]), max(p[0] for p in rings[0]),
                           min(p[1] for p in rings[0]), max(p[1] for p in rings[0]), rings))
    return [any(w <= x <= e and s <= y <= n and in_polygon(rings, x, y) for w, e, s, n, rings in shapes)
            for x, y in points]


def main():
    if not os.path.isdir(TILE):
        print("SKIPPED: no reference data; set CORRIDOR_DATA")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="corridor-tile-") as work:
        make_network(work, LENGTH_M, at=across)
        write_drive(f"{work}/drive.csv", 3600, LENGTH_M, lambda m: -95 - 20 * (int(m / 900) % 2), at=across)
        run("import", "--operator", "MTS", "-o", f"{work}/made.drive", f"{work}/drive.csv")
        run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/out.gpkg", f"{work}/made.drive")
        found = {}
        for name, path in (("raster", "mts3g_10_621_321.tif"), ("polygons", "mts3g_coverage_polygons.geojson")):
            done = run("compare", "-o", f"{work}/{name}.gpkg", "--map", f"MTS={TILE}/{path}", f"{work}/out.gpkg")
            check(f"{name}: nothing to complain of", done.stderr == "", done.stderr)
            found[name] = rows(f"{work}/{name}.gpkg", "SELECT * FROM claims ORDER BY segment")
            found[name + " tables"] = rows(f"{work}/{name}.gpkg", "SELECT * FROM claim_tables")
        each = [squares(line_of(r["geom"])) for r in found["raster"]]
        flat = [p for s in each for p in s]
        by_pixel, by_polygon = pixels(work)(flat), polygons(flat)
        differ = [edge for (a, edge), b in zip(by_pixel, by_polygon) if a != b]
        check(f"{len(flat)} squares: pixels and polygons agree in the slow look, but for {len(differ)} on edges",
              len(differ) < 10 and max(differ, default=0) < 0.15, differ)
        share = sum(a for a, _ in by_pixel) / len(flat)
        check("the line crosses claimed and unclaimed places", 0.1 < share < 0.95, share)
        at = unequal = 0
        for segment, a, b in zip(each, found["raster"], found["polygons"]):
            here = slice(at, at + len(segment))
            at += len(segment)
            wanted = (sum(v for v, _ in by_pixel[here]) / len(segment), sum(by_polygon[here]) / len(segment))
            if not near(a["claimed_share"], wanted[0]) or not near(b["claimed_share"], wanted[1]):
                check("a segment's squares", False, (wanted, a["claimed_share"], b["claimed_share"]))
            unequal += wanted[0] != wanted[1]
            if a["claimed"] != b["claimed"]:
                check("a segment is claimed by both or none", False, (a, b))
        check(f"{len(each)} segments: raster and polygons claim the same, square by square",
              at == len(flat) and unequal <= len(differ), unequal)
        for a, b in zip(found["raster tables"], found["polygons tables"]):
            error = 1e-9 if a["by"] == "segments" else 0.005  # three squares
            names = [k for k in a if k.startswith(("km_", "seconds_", "reliab", "wilson", "decision"))]
            check(f"the same table by {a['by']}", all(
                near(a[k], b[k], error) if isinstance(a[k], float) else a[k] == b[k] for k in names), (a, b))


main()
