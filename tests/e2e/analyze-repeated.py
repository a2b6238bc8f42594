#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many passes over the same segments, made: five drives on different days and hours, each with an
offset of its own, measured by a good receiver and by one that hears nothing below -104 dBm. The
shares by hour and weekday, the interval of each segment (by drive, then within), that of the
corridor by drives, and percentiles that the two floors do not spoil are found again by slow
arithmetic."""
import math
import os
import random
import shutil
import sqlite3
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from claim_world import check, fading, near, rows, run, make_network, wilson, write_drive  # noqa: E402
from pass_reader import passes  # noqa: E402

LENGTH_M = 15000
FLOOR = -104.0
THRESHOLD = -105.0
SERVICE = "lte_usable"
# start (day of March 2026, hour), offset of the drive in dB; the 1st is a Sunday
DRIVES = [(0, 7, -7.0), (1, 7, 5.0), (1, 16, 0.0), (4, 23, 7.0), (5, 7, -4.0)]
STATIONS = [("Åkersberga", 3000), ("Östra", 9000)]
T_975_4 = 2.7764451051977987  # Student's t, 4 degrees of freedom


def make_drives(work):
    place = fading(21, lambda m: -101 - 6 * math.sin(m / 1100), sigma=5.0, fast=0.0)
    noise, drives = random.Random(77), []
    for number, (day, hour, offset) in enumerate(DRIVES):
        level = lambda m, o=offset: place(m) + o + noise.gauss(0, 2.5)  # noqa: E731
        csv = f"{work}/drive{number}.csv"
        write_drive(csv, 86400 * day + 3600 * hour + 120, LENGTH_M, level)
        run("import", "--operator", "Alfa", "--antenna", "roof", "-o", f"{work}/{number}.drive", csv)
        drives.append(f"{work}/{number}.drive")
    return drives


def give_floor(drive, floor):
    """A receiver with a floor: it reports no lower level, and says so."""
    db = sqlite3.connect(drive)
    db.execute("UPDATE sources SET floor_dbm = ?", (floor,))
    db.commit()
    db.close()


def make_deaf(work, drives):
    """The first two drives again, as a receiver with a floor would have written them."""
    deaf = []
    for number, drive in enumerate(drives[:2]):
        with open(f"{work}/drive{number}.csv", encoding="utf-8") as f:
            lines = f.read().splitlines()
        csv = f"{work}/deaf{number}.csv"
        with open(csv, "w", encoding="utf-8") as f:
            f.write(lines[0] + "\n")
            for line in lines[1:]:
                head, level = line.rsplit(",", 1)
                f.write(f"{head},{max(float(level), FLOOR):.1f}\n")
        out = f"{work}/deaf{number}.drive"
        run("import", "--operator", "Alfa", "--antenna", "roof", "-o", out, csv)
        give_floor(out, FLOOR)
        deaf.append(out)
    return deaf + drives[2:]


def share_of(levels):
    good = every = 0.0
    for channel, _, level, _, way, _ in levels:
        every += way
        good += way if channel == 4 and level >= THRESHOLD else 0
    return good / every if every else None


def check_stations(work, out):
    """Named places of the network come with the results, and onto the charts of the report."""
    got = rows(out, "SELECT * FROM stations ORDER BY km")
    length = rows(out, "SELECT length_km FROM corridors")[0]["length_km"]
    check("stations are copied, with their chainage", [r["name"] for r in got] == [n for n, _ in STATIONS] and
          all(abs(r["km"] - m / LENGTH_M * length) < 0.1 for r, (_, m) in zip(got, STATIONS)), got)
    if shutil.which("gnuplot"):
        run("report", "-o", f"{work}/report", out)
        charts = "".join(open(f"{work}/report/plots/{n}", encoding="utf-8").read()
                         for n in os.listdir(f"{work}/report/plots"))
        check("and named on the charts", all(name in charts for name, _ in STATIONS))


def check_hours(out):
    length = {r["segment"]: r["length_m"] for r in rows(out, "SELECT segment, length_m FROM segments")}
    wanted = {}
    for e in passes(out):
        share = share_of(e["levels"])
        if share is None:
            continue
        seconds = e["first_ns"] // 10**9
        weekday, hour = (seconds // 86400 + 3) % 7 + 1, seconds // 3600 % 24
        for key in ((weekday, hour), (weekday, -1), (0, hour)):
            w = wanted.setdefault(key, [0, 0, 0.0, 0.0])
            w[0] += 1
            w[1] += share >= 0.5
            w[2] += length[e["segment"]] / 1000
            w[3] += share * length[e["segment"]] / 1000
    got = {(r["weekday"], r["hour"]): r for r in rows(out, f"SELECT * FROM hours WHERE service = '{SERVICE}'")}
    check("rows for each weekday and hour, and their sums", set(got) == set(wanted), (set(got), set(wanted)))
    check("Sunday, Monday, Thursday and Friday", {d for d, _ in got} == {0, 7, 1, 4, 5}, sorted(got))
    for key, w in wanted.items():
        r = got[key]
        if (r["passes"], r["passes_with"]) != (w[0], w[1]) or not near(r["km"], w[2]) or not near(r["share"], w[3] / w[2]):
            check("hour", False, (key, r, w))
    check("passes, passes with service, km and share by hour and weekday", True)


def check_segments(out):
    """By drive, then within: the spread between passes limits what their samples are worth."""
    dc = rows(out, f"SELECT decorrelation_m AS d FROM summary WHERE service = '{SERVICE}'")[0]["d"]
    by_segment = {}
    for e in passes(out):
        by_segment.setdefault(e["segment"], []).append(e)
    limited = 0
    for s in rows(out, "SELECT * FROM segments WHERE n > 0"):
        shares, within = [], 0.0
        for e in by_segment[s["segment"]]:
            shares.append(share_of(e["levels"]))
            n, way = e["n"], sum(x[4] for x in e["levels"]) / 10
            rho = math.exp(-way / n / dc)
            within += max(1.0, n * (1 - rho) / (1 + rho))
        k, mean, worth = len(shares), sum(shares) / len(shares), within
        variance = sum((x - mean) ** 2 for x in shares) / (k - 1) / k if k >= 3 else 0.0
        if variance > 0:
            worth = min(max(mean * (1 - mean) / variance, 1.0), within)
            limited += worth < within
        low, high = wilson(mean, worth)
        if not (near(s[SERVICE + "_share"], mean) and near(s[SERVICE + "_low"], low) and
                near(s[SERVICE + "_high"], high) and s["passes"] == k):
            check("interval of a segment", False, (dict(s)[SERVICE + "_low"], low, high, shares, within))
    check(f"intervals of segments, {limited} limited by the spread between drives", limited > 5, limited)


def check_corridor(out):
    length, n_effective = {}, {}
    for r in rows(out, "SELECT segment, length_m, n_effective FROM segments WHERE n > 0"):
        length[r["segment"]], n_effective[r["segment"]] = r["length_m"], max(1.0, r["n_effective"])
    shares = {}
    for e in passes(out):
        shares.setdefault(e["segment"], []).append((e["drive"], share_of(e["levels"])))
    total, apart, share, within = sum(length.values()), {}, 0.0, 0.0
    for segment, parts in shares.items():
        mean = sum(x for _, x in parts) / len(parts)
        share += mean * length[segment] / total
        within += (length[segment] / total) ** 2 * mean * (1 - mean) / n_effective[segment]
        for drive, x in parts:
            apart[drive] = apart.get(drive, 0.0) + length[segment] * (x - mean) / len(parts) / total
    k = len(apart)
    between = math.sqrt(sum(x * x for x in apart.values()) * k / (k - 1))
    half = T_975_4 * max(between, math.sqrt(within))
    r = rows(out, f"SELECT * FROM summary WHERE service = '{SERVICE}'")[0]
    check("the corridor's interval comes from the drives", r["interval"] == "drives" and k == 5, r)
    check(f"and is {share:.4f} +- {half:.4f}", near(r["share"], share, 1e-5) and
          near(r["share_low"], max(0.0, share - half), 1e-5) and near(r["share_high"], min(1.0, share + half), 1e-5),
          (r["share"], r["share_low"], r["share_high"]))


def check_floors(whole, deaf):
    """Percentiles with a deaf receiver among others are those of good ones, nearly; taking its floor
    for a level would show."""
    pairs, named, compared = [], 0, 0
    for a, b in zip(rows(whole, "SELECT * FROM segments ORDER BY segment"),
                    rows(deaf, "SELECT * FROM segments ORDER BY segment")):
        if b["level_p50_is"] == "below floor":
            named += 1
        if b["level_p50_is"] == "value" and a["level_p50"] is not None and a["level_p50"] < FLOOR - 1:
            pairs.append(b["level_p50"] - a["level_p50"])
        if b["n_level"] < b["n"] and b["level_p10_is"] == "value":
            compared += 1
    mean = sum(pairs) / len(pairs)
    check(f"medians below the deaf receiver's floor, in {len(pairs)} segments: {mean:+.2f} dB", len(pairs) > 15 and
          abs(mean) < 1.0, mean)
    check("P10 is a level where the good receivers heard one", compared > 10, compared)
    a, b = (rows(f, f"SELECT level_p10, level_p50 FROM summary WHERE service = '{SERVICE}'")[0] for f in (whole, deaf))
    check("percentiles of the corridor", abs(a["level_p50"] - b["level_p50"]) <= 1 and
          b["level_p10"] is not None and abs(a["level_p10"] - b["level_p10"]) <= 2, (a, b))


def main():
    with tempfile.TemporaryDirectory(prefix="corridor-repeated-") as work:
        make_network(work, LENGTH_M, stations=STATIONS)
        drives = make_drives(work)
        run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/out.gpkg", *drives)
        check_stations(work, f"{work}/out.gpkg")
        check_hours(f"{work}/out.gpkg")
        check_segments(f"{work}/out.gpkg")
        check_corridor(f"{work}/out.gpkg")
        run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/deaf.gpkg", *make_deaf(work, drives))
        check_floors(f"{work}/out.gpkg", f"{work}/deaf.gpkg")


main()
