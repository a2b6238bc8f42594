#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corridor network from-track: made drives with a known line, refusals, real drives with truth."""
import csv
import math
import os
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("CORRIDOR_BUILD", os.path.join(SOURCE, "build"))
DATA = os.environ.get("CORRIDOR_DATA", os.path.join(SOURCE, "../shared/data"))
CORRIDOR = os.path.join(BUILD, "analyzer/corridor")


def run(*args, status=0):
    done = subprocess.run([CORRIDOR, *args], capture_output=True, text=True, check=False)
    if done.returncode != status:
        sys.exit(f"FAILED: exit {done.returncode}, not {status}: {args}: {done.stderr}")
    return done


def check(what, ok):
    if not ok:
        sys.exit(f"FAILED: {what}")
    print(f"ok: {what}")


def line_of(path):
    """Vertices of the one corridor."""
    (blob,), = sqlite3.connect(path).execute("SELECT geom FROM corridors")
    start = 8 + [0, 32, 48, 48, 64][(blob[3] >> 1) & 7]
    n, = struct.unpack_from("<I", blob, start + 5)
    return [struct.unpack_from("<dd", blob, start + 9 + 16 * i) for i in range(n)]


def distances(points, line):
    """Distance of each point from a line, metres; 1000 = farther than that."""
    lat0 = points[0][1]
    kx, ky, cell = 111320 * math.cos(math.radians(lat0)), 111200, 500
    grid = {}
    for (x0, y0), (x1, y1) in zip(line, line[1:]):
        a, b, c, d = x0 * kx, y0 * ky, x1 * kx, y1 * ky
        for k in range(int(math.hypot(c - a, d - b) / 200) + 2):
            t = min(k * 200 / max(math.hypot(c - a, d - b), 1e-9), 1)
            key = int((a + t * (c - a)) // cell), int((b + t * (d - b)) // cell)
            grid.setdefault(key, set()).add((a, b, c, d))
    out = []
    for x, y in points:
        x, y, best = x * kx, y * ky, 1000.0
        for i in range(-2, 3):
            for j in range(-2, 3):
                for a, b, c, d in grid.get((int(x // cell) + i, int(y // cell) + j), ()):
                    q = (c - a) ** 2 + (d - b) ** 2
                    t = max(0, min(1, ((x - a) * (c - a) + (y - b) * (d - b)) / q)) if q else 0
                    best = min(best, math.hypot(x - a - t * (c - a), y - b - t * (d - b)))
        out.append(best)
    return sorted(out)


def share(values, q):
    return values[min(len(values) - 1, int(q * len(values)))]


def made(work):
    """There and back over a known line by two receivers, with wrong positions in between."""
    rng = random.Random(7)
    truth = [(15 + i * 0.0002, 60 + 0.004 * math.sin(i / 90)) for i in range(1200)]
    for phone in "ab":
        with open(f"{work}/{phone}.csv", "w", encoding="utf-8") as out:
            out.write("time,lat,lon,operator,mcc,mnc,rat,rsrp\n")
            way = truth + truth[::-1]
            for i, (lon, lat) in enumerate(way):
                lat, lon = lat + rng.gauss(0, 4e-5), lon + rng.gauss(0, 8e-5)
                if i % 97 == 50:
                    lat, lon = 0, 0
                if i % 101 == 60:
                    lat += 0.05
                out.write(f"2026-05-04T{6 + i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z,{lat:.7f},"
                          f"{lon:.7f},{phone},240,01,LTE,-90\n")
        run("import", "-o", f"{work}/{phone}.drive", f"{work}/{phone}.csv")
    done = run("network", "from-track", "-o", f"{work}/net.gpkg", "--name", "Linje 1", "--start-km",
               "12.5", f"{work}/a.drive", f"{work}/b.drive")
    line = line_of(f"{work}/net.gpkg")
    off = distances(line, truth)
    check(f"p95 {share(off, .95):.1f} m from the true line", share(off, .95) < 4)
    check(f"no spur: farthest {off[-1]:.1f} m", off[-1] < 15)
    back = distances(truth, line)
    check(f"covers the line: farthest {back[-1]:.1f} m", back[-1] < 100)
    check("in the direction driven", line[0][0] < line[-1][0])
    base = sqlite3.connect(f"{work}/net.gpkg")
    name, start, length, passes = base.execute(
        "SELECT name, start_m, length_m, passes FROM corridors").fetchone()
    check(f"name, start, passes: {name} {start} {passes}", (name, start, passes) == ("Linje 1", 12500.0, 4))
    parts = base.execute("SELECT from_m, to_m, e.length_m FROM corridor_edges c "
                         "JOIN edges e ON e.fid = c.edge ORDER BY seq").fetchall()
    check("edges follow each other", all(abs(a[1] - b[0]) < 1e-6 for a, b in zip(parts, parts[1:])))
    check("chainage is length", abs(parts[-1][1] - start - length) < 1e-6 and
          all(abs(to - fr - m) < 1e-6 for fr, to, m in parts))
    check("counts told", "jumps" in done.stdout and "4 passes" in done.stdout)
    again = run("network", "from-track", "-o", f"{work}/net2.gpkg", "--name", "Linje 1",
                "--reverse", f"{work}/a.drive", f"{work}/b.drive")
    check("reverse", again.returncode == 0 and line_of(f"{work}/net2.gpkg")[0] == line[-1])


def refusals(work):
    with open(f"{work}/still.csv", "w", encoding="utf-8") as out:
        out.write("time,lat,lon,operator,mcc,mnc,rat,rsrp\n")
        for i in range(60):
            out.write(f"2026-05-04T06:00:{i:02}Z,60.1,15.2,A,240,01,LTE,-90\n")
    run("import", "-o", f"{work}/still.drive", f"{work}/still.csv")
    for status, word, args in (
            (1, "give drives that moved", ["--name", "x", f"{work}/still.drive"]),
            (2, "--name", [f"{work}/a.drive"]),
            (2, "none of road, rail", ["--name", "x", "--mode", "sea", f"{work}/a.drive"]),
            (2, "write it like", ["--name", "x", "--from-time", "noon", f"{work}/a.drive"]),
            (1, "none.drive", ["--name", "x", f"{work}/none.drive"]),
            (1, "give drives that moved", ["--name", "x", "--from-time", "2030-01-01T00:00:00Z",
                                           f"{work}/a.drive"])):
        done = run("network", "from-track", "-o", f"{work}/x.gpkg", *args, status=status)
        check(f"refused: {word}", word in done.stderr and done.stderr.count("\n") == 1)
    check("nothing left of what failed", not os.path.exists(f"{work}/x.gpkg"))


def real(work):
    for operator in ("Telekom", "Vodafone", "o2"):
        folder = f"{DATA}/train-de/2025-05-26/{operator}"
        files = [f"{folder}/{f}" for f in sorted(os.listdir(folder)) if f.startswith("Netz")]
        run("import", "--timezone", "Europe/Berlin", "-o", f"{work}/{operator}.drive", *files)
        run("network", "from-track", "-o", f"{work}/{operator}.gpkg", "--name", "S",
            f"{work}/{operator}.drive")
    run("network", "from-track", "-o", f"{work}/all.gpkg", "--name", "S",
        *(f"{work}/{o}.drive" for o in ("Telekom", "Vodafone", "o2")))
    line = line_of(f"{work}/all.gpkg")
    for operator in ("Telekom", "Vodafone", "o2"):
        off = distances(line_of(f"{work}/{operator}.gpkg"), line)
        check(f"train: {operator} alone within {share(off, .95):.1f} m (p95) of all together",
              share(off, .5) < 5 and share(off, .95) < 20 and off[-1] < 200)
    trip(work)


def trip(work):
    """One trip of the made drive whose true path is known."""
    day, hour = "2026-05-04", "07"
    run("import", "-o", f"{work}/li.drive", f"{DATA}/drive-li/drive.csv")
    done = run("network", "from-track", "-o", f"{work}/li.gpkg", "--name", "t", "--from-time",
               f"{day}T{hour}:00:00Z", "--until-time", f"{day}T{hour}:59:59Z", f"{work}/li.drive")
    with open(f"{DATA}/drive-li/truth.csv", encoding="utf-8", newline="") as rows:
        truth = [(float(r["lon"]), float(r["lat"])) for r in csv.DictReader(rows)
                 if r["time"].startswith(f"{day}T{hour}")]
    off, back = distances(line_of(f"{work}/li.gpkg"), truth), distances(truth, line_of(f"{work}/li.gpkg"))
    check(f"trip: median {share(off, .5):.1f} m, p95 {share(off, .95):.1f} m from the true path",
          share(off, .5) < 5 and share(off, .95) < 12)
    check(f"trip: path covered, p95 {share(back, .95):.1f} m", share(back, .95) < 15)
    check("three sources with one receiver are one pass", "1 pass\n" in done.stdout)


with tempfile.TemporaryDirectory(prefix="corridor-from-track.") as folder:
    made(folder)
    refusals(folder)
    if os.path.isdir(f"{DATA}/train-de"):
        real(folder)
    else:
        print("real drives not tried: no reference data")
