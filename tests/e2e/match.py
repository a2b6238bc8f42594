#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corridor match: a made drive on a made network, refusals, and the reference drive with its truth."""
import csv
import json
import math
import os
import subprocess
import sys
import tempfile

source = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
build = os.environ.get("CORRIDOR_BUILD", os.path.join(source, "build"))
data = os.environ.get("CORRIDOR_DATA", os.path.join(source, "..", "shared", "data"))
corridor = os.path.join(build, "analyzer", "corridor")
M_PER_DEG = 111200.0


def run(*arguments, status=0):
    done = subprocess.run([corridor, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != status:
        sys.exit(f"exit {done.returncode}, not {status}: {arguments}: {done.stderr}")
    if status != 0 and done.stderr.count("\n") != 1:
        sys.exit(f"not one line: {arguments}: {done.stderr}")
    return done.stdout + done.stderr


def equal(what, got, wanted):
    if got != wanted:
        sys.exit(f"FAILED: {what}: {got}, not {wanted}")


def holds(what, truth):
    if not truth:
        sys.exit(f"FAILED: {what}")


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_map(path, lines):
    features = [{"type": "Feature", "properties": {"highway": "residential", "name": n},
                 "geometry": {"type": "LineString", "coordinates": c}} for n, c in lines]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"type": "FeatureCollection", "features": features}, file)


def write_drive(path, fixes):
    with open(path, "w", encoding="utf-8") as file:
        file.write("time,lat,lon,operator,rat,rsrp\n")
        for t, lat, lon in fixes:
            file.write(f"2026-05-04T06:{t // 60:02}:{t % 60:02}Z,{lat},{lon},A,lte,-90\n")


def made():
    # a street that another one cuts in two; its name needs quotes in CSV
    write_map("map.geojson", [('Long, "street"', [[15, 60], [15.01, 60], [15.02, 60]]),
                              ("side", [[15.01, 60], [15.01, 60.01]])])
    run("network", "build", "-o", "net.gpkg", "--id-field", "name", "--split", "map.geojson")
    fixes = [(t, 60.00002, 15 + t * 0.0002) for t in range(100)]
    fixes[40] = (40, 60.5, 15.5)  # a jump
    for t in range(70, 75):  # held
        fixes[t] = (t, *fixes[69][1:])
    fixes += [(100 + t, 60 + 0.0001 * t, 15.0198 + 0.0003 * t) for t in range(1, 60)]  # a field
    write_drive("drive.csv", fixes)
    run("import", "-o", "a.drive", "drive.csv")
    said = run("match", "-n", "net.gpkg", "--csv", "out.csv", "--events", "events.csv", "a.drive")
    holds(f"report: {said}", "1 rejected" in said)
    rows = rows_of("out.csv")
    equal("rows", len(rows), len(fixes))
    equal("header", list(rows[0]), "time edge offset_m lat lon distance_m".split())
    equal("time", rows[7]["time"], "2026-05-04T06:00:07.000Z")
    for t in [t for t in range(99) if t != 40 and not 70 <= t < 75]:
        equal(f"edge at {t}", rows[t]["edge"], 'Long, "street"')
        wanted = t * 0.0002 * M_PER_DEG * math.cos(math.radians(60)) * 1.0042
        holds(f"offset at {t}: {rows[t]['offset_m']}, not {wanted}",
              abs(float(rows[t]["offset_m"]) - wanted) < 6)
        holds(f"distance at {t}", abs(float(rows[t]["distance_m"]) - 2.2) < 4)
    equal("the jump", (rows[40]["edge"], rows[40]["offset_m"]), ("", ""))
    holds("off the network", all(r["edge"] == "" for r in rows[115:]))
    events = rows_of("events.csv")
    equal("events", [(e["time"], e["until"], e["kind"], e["fixes"]) for e in events],
          [("2026-05-04T06:00:40.000Z", "2026-05-04T06:00:40.000Z", "jump", "1"),
           ("2026-05-04T06:01:10.000Z", "2026-05-04T06:01:14.000Z", "held", "5")])
    holds(f"how far the jump was: {events[0]}", 60e3 < float(events[0]["distance_m"]) < 65e3)
    equal("where it went", (events[0]["lat"], events[0]["lon"]), ("60.5000000", "15.5000000"))
    # from the fix before the five to the one after them
    held = 6 * 0.0002 * M_PER_DEG * math.cos(math.radians(60)) * 1.0042
    holds(f"meanwhile {events[1]}", abs(float(events[1]["distance_m"]) - held) < 8)

    write_map("far.geojson", [("far", [[-70, -33], [-70.01, -33]])])
    run("network", "build", "-o", "far.gpkg", "far.geojson")
    said = run("match", "-n", "far.gpkg", "--csv", "far.csv", "a.drive", status=1)
    holds(f"elsewhere: {said}", "do not meet" in said and "km" in said)
    holds("no output after a failure", not os.path.exists("far.csv"))
    run("match", "-n", "net.gpkg", "--csv", "x.csv", "--events", "none/e.csv", "a.drive", status=1)
    holds("neither table after a failure", not os.path.exists("x.csv"))
    run("match", "-n", "net.gpkg", "--csv", "x.csv", "--mode", "boat", "a.drive", status=2)
    run("match", "-n", "net.gpkg", "a.drive", status=2)
    run("match", "-n", "none.gpkg", "--csv", "x.csv", "a.drive", status=1)
    run("match", "-n", "net.gpkg", "--csv", "none/x.csv", "a.drive", status=1)


def reference():
    folder = os.path.join(data, "drive-li")
    if not os.path.isdir(folder):
        print("no reference data: its part is left out; set CORRIDOR_DATA")
        return
    run("network", "build", "-o", "li.gpkg", "--id-field", "id",
        os.path.join(folder, "edges.geojson"))
    run("import", "-o", "li.drive", os.path.join(folder, "drive.csv"))
    run("match", "-n", "li.gpkg", "--csv", "li.csv", "li.drive")
    rows = rows_of("li.csv")
    truth = {r["time"]: r for r in rows_of(os.path.join(folder, "truth.csv"))}
    equal("a row for each fix of three sources", len(rows), 3 * len(truth))
    right = 0
    misses = []
    for row in rows:
        true = truth[row["time"]]
        right += row["edge"] == true["edge"]
        if row["edge"] == true["edge"]:
            misses.append(abs(float(row["offset_m"]) - float(true["offset_m"])))
    misses.sort()
    unmatched = sum(r["edge"] == "" for r in rows)
    print(f"right edge {100 * right / len(rows):.2f} %, offset error median "
          f"{misses[len(misses) // 2]:.1f} m, p95 {misses[len(misses) * 95 // 100]:.1f} m, "
          f"unmatched {unmatched}")
    holds("right edge in 96.8 %", right >= 0.968 * len(rows))
    holds("median offset error", misses[len(misses) // 2] < 3.2)
    holds("p95 of it", misses[len(misses) * 95 // 100] < 9.7)
    holds("unmatched", unmatched < 0.001 * len(rows))


with tempfile.TemporaryDirectory(prefix="corridor-match.") as work:
    os.chdir(work)
    made()
    reference()
    os.chdir("/")
