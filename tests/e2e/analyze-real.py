#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""analyze on real drives: rows are all accounted for, lengths add up, no service shows, results do
not depend on jobs and order, and the headline share is found again from the CSV by a slow path of
its own. Skips without reference data."""
import collections
import csv
import datetime
import glob
import hashlib
import math
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("CORRIDOR_BUILD", os.path.join(SOURCE, "build"))
DATA = os.environ.get("CORRIDOR_DATA", os.path.join(SOURCE, "..", "shared", "data"))
CORRIDOR = os.path.join(BUILD, "analyzer", "corridor")
failures = []


def check(what, good, detail=""):
    print(("ok   " if good else "FAIL ") + what + (": " + str(detail) if detail != "" else ""))
    if not good:
        failures.append(what)


def run(*arguments):
    done = subprocess.run([CORRIDOR, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"FAILED: corridor {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def query(path, sql):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


def line_of(blob):
    """Points of a GeoPackage line string."""
    envelope = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}[blob[3] >> 1 & 7]
    wkb = blob[8 + envelope:]
    order = "<" if wkb[0] == 1 else ">"
    n = struct.unpack(order + "I", wkb[5:9])[0]
    values = struct.unpack(order + f"{2 * n}d", wkb[9:9 + 16 * n])
    return list(zip(values[0::2], values[1::2]))


def check_lengths(out, name):
    for row in query(out, "SELECT corridor, operator, service, length_km, km_covered +"
                          " km_not_covered + km_uncertain + km_not_measured FROM summary"):
        if abs(row[3] - row[4]) > 0.001 * row[3]:
            check(f"{name}: km by verdict add up", False, row)
            return
    corridors = dict(query(out, "SELECT corridor, length_km FROM corridors"))
    for row in query(out, "SELECT corridor, length_km FROM summary GROUP BY corridor"):
        check(f"{name}: summary has the corridor's length",
              abs(corridors[row[0]] - row[1]) <= 0.001 * row[1], row)
    check(f"{name}: km by verdict add up to the corridor", True)


def check_quality(out, name, rows):
    for operator, n in rows.items():
        got = query(out, "SELECT sum(samples), sum(samples_at_fix + samples_interpolated +"
                         " samples_off_network + samples_no_position + samples_uncertain)"
                         f" FROM quality WHERE operator = '{operator}'")[0]
        check(f"{name}: every row of {operator} is accounted for", got == (n, n), (got, n))


def check_no_service(out, name):
    rows = query(out, "SELECT any_service_verdict, lte_usable_verdict, count(*) FROM segments"
                      " WHERE n > 0 AND n_no_service = n GROUP BY 1, 2")
    check(f"{name}: segments without service are not covered",
          all(r[0] == "not covered" and r[1] == "not covered" for r in rows), rows)


def distance_to(point, a, b):
    """Metres from a point to a segment, in a plane around it."""
    k = math.cos(math.radians(point[1])) * 111320.0
    ax, ay = (a[0] - point[0]) * k, (a[1] - point[1]) * 111132.0
    bx, by = (b[0] - point[0]) * k, (b[1] - point[1]) * 111132.0
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    t = 0.0 if length == 0.0 else max(0.0, min(1.0, -(ax * dx + ay * dy) / length))
    return math.hypot(ax + t * dx, ay + t * dy)


def slow_share(out, files, operator):
    """Share of the length measured with LTE or NR at -105 dBm: nearest segment of each row, mean
    of each pass, mean of passes, weighted by length."""
    grid = collections.defaultdict(list)
    length = {}
    for number, metres, blob in query(out, "SELECT segment, length_m, geom FROM segments"
                                           f" WHERE operator = '{operator}' AND n > 0"):
        points = line_of(blob)
        length[number] = metres
        for a, b in zip(points, points[1:]):
            for x in range(int(min(a[0], b[0]) * 200) - 1, int(max(a[0], b[0]) * 200) + 2):
                for y in range(int(min(a[1], b[1]) * 200) - 1, int(max(a[1], b[1]) * 200) + 2):
                    grid[x, y].append((number, a, b))
    seen = collections.defaultdict(list)
    for name in files:
        with open(name, encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                try:
                    point = float(row["Längengrad"]), float(row["Breitengrad"])
                except (TypeError, ValueError):
                    continue
                time = datetime.datetime.strptime(row["Datum"] + " " + row["Uhrzeit"],
                                                  "%d.%m.%y %H:%M:%S").timestamp()
                near = [(distance_to(point, a, b), number)
                        for number, a, b in grid[int(point[0] * 200), int(point[1] * 200)]]
                if not near or min(near)[0] > 60.0:
                    continue
                good = 0.0
                if row["Typ"] in ("4G", "5G"):
                    try:
                        good = 1.0 if float(row["Signalstärke (RSRP) [dBm]"]) >= -105 else 0.0
                    except ValueError:
                        continue
                seen[min(near)[1]].append((time, good))
    total = share = 0.0
    for number, samples in seen.items():
        samples.sort()
        passes = [[samples[0]]]
        for sample in samples[1:]:
            if sample[0] - passes[-1][-1][0] > 120:
                passes.append([])
            passes[-1].append(sample)
        means = [sum(g for _, g in p) / len(p) for p in passes]
        total += length[number]
        share += length[number] * sum(means) / len(means)
    return share / total


def check_train_de(work):
    for day in ("2025-05-26", "2025-06-13"):
        files = {}
        for operator in ("Telekom", "Vodafone", "o2"):
            files[operator] = sorted(glob.glob(f"{DATA}/train-de/{day}/{operator}/Netz*.csv"))
        drive, net, out = (f"{work}/{day}.drive", f"{work}/{day}-net.gpkg", f"{work}/{day}.gpkg")
        run("import", "--timezone", "Europe/Berlin", "-o", drive, *sum(files.values(), []))
        run("network", "from-track", "--mode", "rail", "--name", "Line", "-o", net, drive)
        run("analyze", "-n", net, "-o", out, drive)
        rows = {}
        for operator, names in files.items():
            rows[operator] = sum(1 for n in names
                                 for _ in csv.DictReader(open(n, encoding="utf-8-sig")))
        labels = [r[0] for r in query(out, "SELECT DISTINCT operator FROM sources")]
        check(f"{day}: operators", sorted(labels) == sorted(files), labels)
        check_quality(out, day, rows)
        check_lengths(out, day)
        check_no_service(out, day)
        for operator, names in files.items():
            got = query(out, "SELECT share, share_low, share_high FROM summary WHERE service ="
                             f" 'lte_usable' AND operator = '{operator}'")[0]
            slow = slow_share(out, names, operator)
            check(f"{day}: share of {operator} found again", abs(got[0] - slow) < 0.01,
                  (round(got[0], 4), round(slow, 4)))
            check(f"{day}: it lies in its interval", got[1] <= got[0] <= got[2], got)
    both = [f"{work}/2025-05-26.drive", f"{work}/2025-06-13.drive"]
    sums = set()
    for jobs, drives in (("1", both), ("2", both), ("2", both[::-1])):
        run("analyze", "-n", f"{work}/2025-05-26-net.gpkg", "-o", f"{work}/x.gpkg", "--jobs", jobs,
            *drives)
        sums.add(hashlib.sha256(open(f"{work}/x.gpkg", "rb").read()).hexdigest())
    check("same bytes for any number of jobs and order of drives", len(sums) == 1)


def check_train_fr(work):
    drive, net, out = f"{work}/fr.drive", f"{work}/fr-net.gpkg", f"{work}/fr.gpkg"
    source = f"{DATA}/train-fr/trainways-aller.csv"
    run("import", "--map-file", f"{SOURCE}/contrib/mappings/trainways.map", "--timezone",
        "Europe/Paris", "-o", drive, source)
    run("network", "build", "--mode", "rail", "-o", net,
        f"{DATA}/train-fr/rail_toulouse_narbonne.geojson")
    run("analyze", "-n", net, "-o", out, drive)
    with open(source, encoding="utf-8-sig") as file:
        rows = collections.Counter(r["operateur"] for r in csv.DictReader(file))
    check_quality(out, "train-fr", rows)
    check_lengths(out, "train-fr")
    check_no_service(out, "train-fr")
    bad = query(out, "SELECT sum(fixes_off_network + fixes_rejected) FROM quality")[0][0]
    check("train-fr: fixes far off are counted, not matched", bad > 0, bad)
    far = query(out, "SELECT max(distance_p95_m) FROM quality")[0][0]
    check("train-fr: what was matched is near the line", far < 300, far)


def check_car_us(work):
    drive, net, out = f"{work}/us.drive", f"{work}/us-net.gpkg", f"{work}/us.gpkg"
    source = f"{DATA}/car-us/slc_to_de.csv"
    run("import", "--map-file", f"{SOURCE}/contrib/mappings/car-us.map", "-o", drive, source)
    run("network", "from-track", "--name", "Road", "-o", net, drive)
    run("analyze", "-n", net, "-o", out, drive)
    with open(source, encoding="utf-8-sig") as file:
        rows = collections.Counter(r["operator"] for r in csv.DictReader(file))
    check_quality(out, "car-us", rows)
    check_lengths(out, "car-us")
    legs = query(out, "SELECT count(*) FROM segments WHERE nr_level_p50 IS NOT NULL")[0][0]
    check("car-us: NR legs are kept apart", legs > 0, legs)


def main():
    if not os.path.isdir(f"{DATA}/train-de"):
        print("SKIPPED: no reference data; set CORRIDOR_DATA")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="corridor-analyze-") as work:
        check_train_de(work)
        check_train_fr(work)
        check_car_us(work)
    sys.exit(1 if failures else 0)


main()
