#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corridor compare on made drives and made maps: three operators in one run, polygons with where=
and level= in another coordinate system, a raster of dBm, a raster of classes; every figure of its
tables is found again by slow arithmetic (claim_world.py) from the segments, the evidence and the
maps as they were made."""
import math
import os
import shutil
import struct
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from claim_maps import (AREAS, LENGTH_M, ROUNDS, SEED, THRESHOLD, claim_functions, compare,  # noqa: E402
                        make_maps, make_results, mean_alfa, mean_beta, mean_gamma, project, three_maps)
from claim_world import (CORRIDOR, check, decide, fading, in_polygon, line_of,  # noqa: E402
                         middle, moving_blocks, near, rank, rows, run, squares, wilson, write_drive)
from pass_reader import passes  # noqa: E402

# ---- the slow way ----

def slow_items(out, functions):
    items = []
    for operator, claim_at in functions.items():
        mine = rows(out, f"SELECT * FROM segments WHERE operator = '{operator}' ORDER BY segment")
        each = [squares(line_of(s["geom"])) for s in mine]
        answers = iter(claim_at([p for s in each for p in s]))
        for segment, centres in zip(mine, each):
            said = [next(answers) for _ in centres]
            levels = [v for v in said if v is not None and v is not True]
            x, y = middle(line_of(segment["geom"]))
            items.append({**segment, "claimed_share": sum(v is not None for v in said) / len(said),
                          "claimed_level": max(levels) if levels else None,
                          "area": next((a for rings, a in AREAS if in_polygon(rings, x, y)), None)})
    return items


def check_claims(out, items):
    got = {(r["operator"], r["segment"]): r for r in rows(out, "SELECT * FROM claims")}
    check("every segment has its claim", len(got) == len(items), (len(got), len(items)))
    for i in items:
        r = got[i["operator"], i["segment"]]
        fine = near(r["claimed_share"], i["claimed_share"], 0.101 if i["operator"] == "Alfa" else 1e-9) \
            and r["claimed"] == (r["claimed_share"] >= 0.5) and r["area"] == i["area"] \
            and r["measured"] == i["lte_usable_verdict"] and near(r["level_p50"], i["level_p50"]) \
            and r["class"] == ("claimed, " if r["claimed"] else "not claimed, ") + i["lte_usable_verdict"] \
            and near(r["claimed_level"], i["claimed_level"])
        if not fine:
            check("a claim", False, (r, i))
        i["claimed_share"] = r["claimed_share"]  # a square on an edge may fall either way
    check("claims found again", True)


def check_tables(out, items):
    dc = {r["operator"]: r["d"] for r in
          rows(out, "SELECT operator, max(decorrelation_m) AS d FROM summary GROUP BY operator")}
    tables = rows(out, "SELECT * FROM claim_tables")
    check("tables of all operators, areas and ways", len(tables) == 3 * 3 * 2, len(tables))
    for t in tables:
        mine = [i for i in items if i["operator"] == t["operator"] and t["area"] in ("(all)", i["area"])]
        part = [(i["claimed_share"] >= 0.5) * 1.0 if t["by"] == "segments" else i["claimed_share"] for i in mine]
        for verdict in ("covered", "not covered", "uncertain", "not measured"):
            for claimed in (True, False):
                name = ("claimed_" if claimed else "not_claimed_") + verdict.replace(" ", "_")
                chosen = [(i, p if claimed else 1 - p) for i, p in zip(mine, part) if i["lte_usable_verdict"] == verdict]
                check_quiet(t, "km_" + name, sum(i["length_m"] * p for i, p in chosen) / 1000)
                check_quiet(t, "seconds_" + name, sum(i["seconds"] * p for i, p in chosen))
        silent = [(i, p) for i, p in zip(mine, part) if i["lte_usable_verdict"] == "not covered"
                  and i["n"] and i["n"] == i["n_no_service"]]
        check_quiet(t, "km_claimed_no_service", sum(i["length_m"] * p for i, p in silent) / 1000)
        check_quiet(t, "seconds_claimed_no_service", sum(i["seconds"] * p for i, p in silent))
        known = [p > 0 and i["lte_usable_share"] is not None for i, p in zip(mine, part)]
        every = [i["length_m"] * p if k else 0.0 for i, p, k in zip(mine, part, known)]
        good = [i["lte_usable_share"] * e if k else 0.0 for i, e, k in zip(mine, every, known)]
        share = sum(good) / sum(every) if any(known) else None
        check_quiet(t, "reliability", share)
        a, b = t["km_claimed_covered"], t["km_claimed_not_covered"]
        c, d = t["km_not_claimed_covered"], t["km_not_claimed_not_covered"]
        check_quiet(t, "reliability_decided", a / (a + b) if a + b else None)
        check_quiet(t, "detection", a / (a + c) if a + c else None)
        check_quiet(t, "missed_share", c / (a + c) if a + c else None)
        check_quiet(t, "specificity", d / (b + d) if b + d else None)
        check_quiet(t, "accuracy", (a + d) / (a + b + c + d))
        if share is None:
            if any(t[name] is not None for name in ("reliability_low", "wilson_high", "decision_98", "interval")):
                check("no figure where nothing is claimed", False, t)
            continue
        piece = sum(i["length_m"] for i in mine) / len(mine)
        rho = math.exp(-piece / dc[t["operator"]])
        worth = max(1.0, sum(known) * (1 - rho) / (1 + rho))
        low, high = wilson(share, worth)
        check_quiet(t, "wilson_low", low)
        check_quiet(t, "wilson_high", high)
        n = math.floor(worth + 1e-9)
        k = share * n
        check_quiet(t, "tests", sum(known))
        check_quiet(t, "tests_effective", n)
        check_quiet(t, "successes_effective", k)
        check_decision(t, "98", 0.98, k, n)
        check_decision(t, "95", 0.95, k, n)
        check_interval(t, good, every, share, sum(known), piece, dc[t["operator"]], (low, high))
    check("tables of four, reliability, intervals, tests found again", True)
    check("blocks and Wilson were both at work", {t["interval"] for t in tables} >= {"blocks", "wilson"},
          {t["interval"] for t in tables})
    decisions = {t[d] for t in tables for d in ("decision_98", "decision_95")}
    check("claims confirmed, contradicted and left open", decisions >= {"confirmed", "contradicted", "not decided"},
          decisions)


def check_quiet(row, name, wanted):
    if not near(row[name], wanted):
        check(name, False, (row[name], wanted, row))


def check_decision(t, suffix, target, k, n):
    wanted = decide(k, n, target)
    if t["decision_" + suffix] != wanted:
        check("decision", False, (t, k, n))
    more = t["more_tests_" + suffix]
    if wanted != "not decided":
        check_quiet(t, "more_tests_" + suffix, 0)
    elif more is not None:
        share = k / n
        if decide(share * (n + more), n + more, target) == "not decided" or \
                decide(share * (n + more - 1), n + more - 1, target) != "not decided":
            check("tests that would decide", False, (k, n, target, more))


def distance_of_shares(good, every, share, piece):
    product = []
    for lag in range(4):
        pairs = [(good[i] / every[i] - share) * (good[i + lag] / every[i + lag] - share)
                 for i in range(len(good) - lag) if every[i] > 0 and every[i + lag] > 0]
        if len(pairs) < 8:
            return 0.0
        product.append((sum(pairs) / len(pairs), len(pairs)))
    v = [p[0] for p in product]
    if v[0] <= 0 or v[1] / v[0] <= 2 / math.sqrt(product[0][1]) or v[1] + v[2] == 0:
        return 0.0
    fall = (v[2] + v[3]) / (v[1] + v[2])
    return -piece / math.log(min(fall, 0.98)) if fall > 0 else 0.0


def student(p, df):
    """Quantile of Student's t by integrating its density."""
    const = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    step, x, total = 0.001, 0.0, 0.5
    while total < p:
        total += step / 6 * sum(w * const * (1 + (x + d * step) ** 2 / df) ** (-(df + 1) / 2)
                                for w, d in ((1, 0), (4, 0.5), (1, 1)))
        x += step
    return x


def check_interval(t, good, every, share, pieces, piece, dc, by_wilson):
    distance = max(dc, distance_of_shares(good, every, share, piece))
    block = max(1, math.floor(max(1000.0, 3 * distance) / piece + 0.5))
    low, high = by_wilson
    if pieces >= 8 * block and 0 < share < 1:
        found = moving_blocks(good, every, block, ROUNDS, SEED)
        ends = rank(found, 0.025), rank(found, 0.975)
        if 0 < ends[0] < ends[1] < 1:
            x = block * piece / distance
            factor = student(0.975, pieces / block - 1) / 1.959964 / math.sqrt(1 - (1 - math.exp(-x)) / x)
            middle_ = math.log(share / (1 - share))
            low, high = (1 / (1 + math.exp(-(middle_ + factor * (math.log(e / (1 - e)) - middle_)))) for e in ends)
    if not near(t["reliability_low"], low, 1e-3) or not near(t["reliability_high"], high, 1e-3):
        check("interval by blocks", False, (t, low, high))


def check_overclaims(out, items):
    wanted = []
    for operator in ("Alfa", "Beta", "Gamma"):
        last = None
        for i in (i for i in items if i["operator"] == operator):
            over = i["claimed_share"] >= 0.5 and i["lte_usable_verdict"] == "not covered"
            if over and last is not None and last[-1]["segment"] == i["segment"] - 1:
                last.append(i)
            elif over:
                last = [i]
                wanted.append((operator, last))
    got = rows(out, "SELECT * FROM overclaims ORDER BY operator, rank")
    wanted.sort(key=lambda w: (w[0], -sum(i["length_m"] for i in w[1]), w[1][0]["segment"]))
    check("as many over-claims", len(got) == len(wanted) > 1, (len(got), len(wanted)))
    for r, (operator, run_) in zip(got, wanted):
        levels = sorted((i["level_p50"] if i["level_p50"] is not None else -math.inf, i["length_m"]) for i in run_)
        half, level = sum(w for _, w in levels) / 2, None
        for level, weight in levels:
            half -= weight
            if half <= 1e-6:
                break
        fine = r["operator"] == operator and near(r["length_m"], sum(i["length_m"] for i in run_), 1e-6) \
            and near(r["km_from"], run_[0]["km_from"]) and near(r["km_to"], run_[-1]["km_to"]) \
            and r["n"] == sum(i["n"] for i in run_) and near(r["level_p50"], None if math.isinf(level) else level) \
            and near(r["claimed_level"], max((i["claimed_level"] for i in run_ if i["claimed_level"] is not None),
                                             default=None))
        if not fine:
            check("over-claim", False, (r, run_[0], level))
        points = line_of(r["geom"])
        if "mlat=" not in r["link"] or not any(f"mlat={y:.5f}&mlon={x:.5f}" in r["link"] for x, y in points):
            check("link of an over-claim", False, r["link"])
    check("over-claims ranked by length, with levels, n and link", True)


def slow_share(levels, shift):
    """Share of a pass with LTE at the threshold, from its histogram."""
    way = sum(e[4] for e in levels)
    good = every = 0.0
    for channel, _, level, count, w, _ in levels:
        weight = w if way else count
        every += weight
        good += weight if channel == 4 and level + shift >= THRESHOLD else 0
    return good, every


def check_sensitivity(out, items):
    table = rows(out, "SELECT * FROM claim_sensitivity")
    check("eight shifts for three operators", len(table) == 24, len(table))
    blobs = {}
    for e in passes(out):
        blobs.setdefault((e["operator"], e["segment"]), []).append(e["levels"])
    for r in table:
        km = covered = claimed_km = claimed = 0.0
        for i in (i for i in items if i["operator"] == r["operator"]):
            parts = [slow_share(b, r["shift_db"]) for b in blobs.get((i["operator"], i["segment"]), [])]
            parts = [g / e for g, e in parts if e > 0]
            if parts:
                share = sum(parts) / len(parts)  # each pass weighs the same
                km += i["length_m"] / 1000
                covered += share * i["length_m"] / 1000
                if i["claimed_share"] >= 0.5:
                    claimed_km += i["length_m"] / 1000
                    claimed += share * i["length_m"] / 1000
        for name, wanted in (("km_measured", km), ("share_covered", covered / km),
                             ("km_claimed_measured", claimed_km), ("reliability", claimed / claimed_km)):
            check_quiet(r, name, wanted)
    check("sensitivity table found again", True)


def check_arcep(out, items):
    got = rows(out, "SELECT * FROM arcep")
    columns = list(got[0])[1:]
    check("columns of the regulator's file", columns == [
        "date", "time", "x_start", "y_start", "x_end", "y_end", "terminal", "plmn", "declared_covered",
        "success", "technology_conforms"], columns)
    by_segment = {(i["operator"], i["segment"]): i for i in items}
    evidence = [e for e in passes(out) if (e["operator"], e["segment"]) in by_segment]
    check("a row for each test", len(got) == len(evidence), (len(got), len(evidence)))
    ends = project([line_of(by_segment[e["operator"], e["segment"]]["geom"])[k] for e in evidence for k in (0, -1)])
    for r, e, start, end in zip(got, evidence, ends[0::2], ends[1::2]):
        item = by_segment[e["operator"], e["segment"]]
        good, every = slow_share(e["levels"], 0)
        lte = sum(w for c, _, _, n, w, _ in e["levels"] if c == 4)
        seconds = e["first_ns"] // 10**9 % 86400
        fine = r["time"] == f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}" \
            and all(abs(a - b) < 0.01 for a, b in zip((r["x_start"], r["y_start"], r["x_end"], r["y_end"]), start + end)) \
            and r["declared_covered"] == (item["claimed_share"] >= 0.5) \
            and r["success"] == (good >= 0.5 * every) and r["technology_conforms"] == (lte >= 0.5 * every) \
            and r["plmn"] == (e["cells"].split("-")[0] if e["cells"] else None)
        if not fine:
            check("test", False, (r, e, start, end))
    check("result file found again, in EPSG:3006", True)


def check_shift_by_drives(work, out, drives):
    """The table at -5 dB is what drives measured 5 dB lower would give."""
    lower = []
    for day in range(2):
        for number, (name, mean) in enumerate((("Alfa", mean_alfa), ("Beta", mean_beta), ("Gamma", mean_gamma))):
            level = fading(10 * number + day, mean, distance=150.0)
            write_drive(f"{work}/low.csv", 86400 * day + 3600 * 7, LENGTH_M - 6000 * day,
                        lambda m, level=level: None if level(m) is None else level(m) - 5.0, speed=20.0 + 7.0 * day)
            run("import", "--operator", name, "--antenna", "cabin", "-o", f"{work}/low{day}.drive", f"{work}/low.csv")
        lower.append(f"{work}/low{day}.drive")
    run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/low.gpkg", *lower)
    for operator in ("Alfa", "Beta", "Gamma"):
        want = rows(f"{work}/low.gpkg", "SELECT share FROM summary WHERE service = 'lte_usable' AND"
                                        f" operator = '{operator}'")[0]["share"]
        got = rows(out, f"SELECT share_covered FROM claim_sensitivity WHERE operator = '{operator}'"
                        " AND shift_db = -5")[0]["share_covered"]
        check(f"{operator}: shifted by 5 dB as if measured so", near(got, want, 2e-6), (got, want))


# ---- square by square ----

def grid(points):
    """Origin and metres per degree of a segment's squares."""
    lon, lat = points[0]
    s, c = math.sin(math.radians(lat)), math.cos(math.radians(lat))
    w2 = 1 - 0.00669437999014132 * s * s
    return lon, lat, 6378137.0 / math.sqrt(w2) * c * math.pi / 180, \
        6378137.0 * (1 - 0.00669437999014132) / (w2 * math.sqrt(w2)) * math.pi / 180


def square_in(frame, x, y):
    lon, lat, kx, ky = frame
    return math.floor((x - lon) * kx / 10), math.floor((y - lat) * ky / 10)


def point_of(blob):
    """A point of a GeoPackage (no envelope)."""
    return struct.unpack("<2d", blob[13:29])


def check_samples(work, out):
    """Every sample is there once, where it was measured and with its level."""
    wanted = {}
    for name in ("Alfa", "Beta", "Gamma"):
        for day in range(2):
            with open(f"{work}/{name}-{day}.csv", encoding="utf-8") as f:
                for line in f.read().splitlines()[1:]:
                    time, y, x, rat, *_, level = line.split(",")
                    wanted[name, time] = (float(x), float(y), rat, float(level) if level else None)
    got = rows(out, "SELECT * FROM samples")
    used = rows(out, "SELECT sum(samples_used) AS n FROM quality")[0]["n"]
    check("each sample that was used is kept once", len(got) == used == len({(r["operator"], r["time"]) for r in got}),
          (len(got), used))
    for r in got:
        x, y, rat, level = wanted[r["operator"], r["time"]]
        px, py = point_of(r["geom"])
        away = math.hypot((px - x) * 55800, (py - y) * 111412)
        fine = away < 15 and ((rat == "none" and r["level_is"] == "no service" and r["level"] is None) or
                              (rat == "lte" and r["level_is"] == "value" and r["level"] == math.floor(level + 0.5)))
        if not fine:
            check("a sample", False, (r, x, y, rat, level, away))
    check(f"{len(got)} samples lie where they were measured, with their levels", len(got) > 0.95 * len(wanted))


def check_squares(work, drives, functions):
    out, compared = f"{work}/kept.gpkg", f"{work}/kept-compared.gpkg"
    run("analyze", "-n", f"{work}/net.gpkg", "-o", out, "--samples", *drives)
    check_samples(work, out)
    compare(work, out, compared, *three_maps(work))
    tables = {t["operator"]: t for t in rows(compared, "SELECT * FROM claim_tables WHERE by = 'squares'")}
    for operator, claim_at in functions.items():
        segments = rows(out, f"SELECT * FROM segments WHERE operator = '{operator}'")
        each = [squares(line_of(s["geom"])) for s in segments]
        answers = iter(claim_at([p for s in each for p in s]))
        samples = {}
        for r in rows(out, f"SELECT * FROM samples WHERE operator = '{operator}'"):
            samples.setdefault(r["segment"], []).append(r)
        km = dict.fromkeys(((a, b) for a in (True, False) for b in (True, False, None)), 0.0)
        seconds = dict(km)
        for segment, centres in zip(segments, each):
            frame = grid(line_of(segment["geom"]))
            places = [square_in(frame, x, y) for x, y in centres]
            claimed = [next(answers) is not None for _ in centres]
            seen, here = {}, samples.get(segment["segment"], [])
            for r in here:
                at = square_in(frame, *point_of(r["geom"]))
                at = min(range(len(places)), key=lambda k: math.hypot(places[k][0] - at[0], places[k][1] - at[1]))
                good = r["level"] is not None and r["rat"] == "LTE" and r["level"] >= THRESHOLD
                seen.setdefault(at, {}).setdefault(r["drive"], []).append(good)
            for k, is_claimed in enumerate(claimed):
                by_drive = seen.get(k)
                shares = [sum(v) / len(v) for v in by_drive.values()] if by_drive else []
                verdict = sum(shares) / len(shares) >= 0.5 if shares else None
                km[is_claimed, verdict] += segment["length_m"] / len(centres) / 1000
                if shares:
                    n = sum(len(v) for v in by_drive.values())
                    seconds[is_claimed, verdict] += segment["seconds"] * n / len(here)
        t = tables[operator]
        error = 0.01 if operator == "Alfa" else 1e-6  # the map's corners in another system
        for claimed in (True, False):
            for verdict, word in ((True, "covered"), (False, "not_covered"), (None, "not_measured")):
                name = ("claimed_" if claimed else "not_claimed_") + word
                if not near(t["km_" + name], km[claimed, verdict], error):
                    check("km by squares", False, (name, t["km_" + name], km[claimed, verdict]))
                if verdict is not None and not near(t["seconds_" + name], seconds[claimed, verdict], error):
                    check("seconds by squares", False, (name, t, seconds))
        good, bad = km[True, True], km[True, False]
        check(f"{operator}: square by square, reliability {t['reliability']:.3f}", t["measured_by"] == "squares" and
              near(t["reliability"], good / (good + bad), error) and t["km_claimed_uncertain"] == 0.0, t)


def main():
    with tempfile.TemporaryDirectory(prefix="corridor-compare-") as work:
        out, drives = make_results(work)
        beta, gamma = make_maps(work)
        compared = f"{work}/compared.gpkg"
        done = compare(work, out, compared, "--areas", f"{work}/areas.geojson,name=kommun",
                       *three_maps(work),
                       "--result-crs", "EPSG:3006")
        print(done.stdout, end="")
        check("nothing to complain of", done.stderr == "", done.stderr)
        functions = claim_functions(beta, gamma)
        items = slow_items(out, functions)
        check_claims(compared, items)
        check_tables(compared, items)
        check_overclaims(compared, items)
        check_sensitivity(compared, items)
        check_arcep(compared, items)
        check_shift_by_drives(work, compared, drives)
        check_squares(work, drives, functions)


if not os.path.exists(CORRIDOR) or not shutil.which("gdal_translate"):
    print("SKIPPED: no GDAL tools")
    sys.exit(77)
main()
