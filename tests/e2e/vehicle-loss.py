#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Loss into the vehicle: made rides with a source on the roof and one in the cabin, whose loss is
known for each band. `corridor compare` finds it, with an interval that holds it, though weak places
are lost inside; a slow count from the evidence finds the same; `corridor analyze --vehicle-loss`
brings the cabin up to the roof. Other vehicles on the same line do not mix in."""
import math
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from claim_world import check, fading, rows, make_network, run, write_drive  # noqa: E402
from pass_reader import passes  # noqa: E402

LENGTH_M = 40000
LOSS = {3: 24.7, 20: 17.4}
FLOOR = -125.0


def band(metres):
    return 3 if int(metres / 2500) % 2 else 20


def make_rides(work):
    """Two rides of one tram, a bus with a roof source and a car with a cabin source at that time."""
    noise = random.Random(5)
    outside = fading(3, lambda m: -93 - 9 * math.sin(m / 2600), sigma=5.0, fast=0.0)

    def roof(metres):
        return outside(metres) + noise.gauss(0, 2.5)

    def cabin(metres):
        level = outside(metres) - LOSS[band(metres)] + noise.gauss(0, 2.5)
        return level if level > FLOOR else None

    def car(metres):
        return outside(metres) - 38.0 + noise.gauss(0, 2.5)
    plan = [("tram", 0, "roof", roof), ("tram", 0, "cabin", cabin), ("tram", 86400, "roof", roof),
            ("tram", 86400, "cabin", cabin), ("bus", 20, "roof", roof), ("car", 10, "cabin", car)]
    drives = []
    for number, (vehicle, start, antenna, level) in enumerate(plan):
        write_drive(f"{work}/ride.csv", 3600 * 8 + start, LENGTH_M, level, extra=band)
        # the tram's second ride is two drives of one vehicle, the first is one drive with both
        name = f"{work}/{vehicle}-{start}{'' if start == 0 else antenna}.drive"
        run("import", "--operator", "Alfa", "--antenna", antenna, "--vehicle", vehicle, "-o", name,
            f"{work}/ride.csv")
        drives += [name] if name not in drives else []
        check(f"ride {number}", os.path.exists(name))
    return drives


def grouped_median(values):
    """Median of whole numbers that stand for half a unit to each side; inf counts above all."""
    values = sorted(values)
    half = len(values) / 2
    for v in sorted(set(values)):
        below, here = sum(x < v for x in values), sum(x == v for x in values)
        if below + here >= half:
            return v - 0.5 + (half - below) / here
    return None


def level_of(levels):
    """Median level of a pass by way; -inf below every number."""
    weights = {}
    by_way = any(e[4] for e in levels)
    for channel, _, level, count, way, _ in levels:
        value = -math.inf if channel in (0, 1, 9) else level
        weights[value] = weights.get(value, 0.0) + (way if by_way else count)
    half, so_far = sum(weights.values()) / 2, 0.0
    for value in sorted(weights):
        if so_far + weights[value] >= half:
            return value if math.isinf(value) else value - 0.5 + (half - so_far) / weights[value]
        so_far += weights[value]
    return None


def slow_losses(out):
    vehicles = {r["id"]: r["vehicle"] for r in rows(out, "SELECT id, vehicle FROM drives")}
    evidence = list(passes(out))
    found = {}
    for a in (e for e in evidence if e["antenna"] == "roof"):
        for b in (e for e in evidence if e["antenna"] == "cabin" and e["segment"] == a["segment"]):
            apart = max(a["first_ns"] - b["last_ns"], b["first_ns"] - a["last_ns"])
            if vehicles[a["drive"]] == vehicles[b["drive"]] and apart <= 60 * 10**9 and a["band"] == b["band"]:
                roof, cabin = level_of(a["levels"]), level_of(b["levels"])
                if not math.isinf(roof):
                    found.setdefault(a["band"], []).append((roof, cabin))
    answer = {}
    for number, pairs in found.items():
        chosen = [p for p in pairs if p[1] >= FLOOR + 10]
        for _ in range(2):
            loss = grouped_median([round(r - c) for r, c in chosen if not math.isinf(c)] +
                                  [math.inf for _, c in chosen if math.isinf(c)])
            chosen = [p for p in pairs if p[0] - loss >= FLOOR + 10]
        values = [round(r - c) if not math.isinf(c) else math.inf for r, c in chosen]
        answer[number] = (grouped_median(values), len(values), sum(math.isinf(v) for v in values))
    return answer


def main():
    with tempfile.TemporaryDirectory(prefix="corridor-loss-") as work:
        make_network(work, LENGTH_M)
        drives = make_rides(work)
        run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/out.gpkg", *drives)
        # any map will do: the loss is found in the results
        with open(f"{work}/none.geojson", "w", encoding="utf-8") as f:
            f.write('{"type": "FeatureCollection", "features": []}')
        done = run("compare", "--map", f"Alfa={work}/none.geojson", "-o", f"{work}/compared.gpkg", f"{work}/out.gpkg")
        print(done.stdout, end="")
        check("the loss is told, and how to use it", "way into the vehicle" in done.stdout and
              "--vehicle-loss" in done.stdout, done.stdout)
        table = {r["band"]: r for r in rows(f"{work}/compared.gpkg", "SELECT * FROM vehicle_loss")}
        check("a row for each band and one for all", set(table) == {None, 3, 20}, set(table))
        slow = slow_losses(f"{work}/compared.gpkg")
        for number, truth in LOSS.items():
            r = table[number]
            check(f"band {number}: {r['loss_p50']:.2f} dB for {truth}", abs(r["loss_p50"] - truth) < 0.5, r)
            check(f"band {number}: the interval {r['loss_low']:.2f} to {r['loss_high']:.2f} holds it",
                  r["loss_low"] <= truth <= r["loss_high"] < r["loss_low"] + 2.0, r)
            check(f"band {number}: quartiles around it", r["loss_p25"] < r["loss_p50"] < r["loss_p75"])
            # a level between two whole numbers may be rounded the other way
            check(f"band {number}: found again the slow way", abs(slow[number][0] - r["loss_p50"]) < 0.1 and
                  abs(slow[number][1] - r["segments"]) <= 3, (slow[number], r))
        check("weak places were lost inside", rows(f"{work}/out.gpkg", "SELECT sum(n_no_service) AS n FROM segments"
                                                   " WHERE antenna = 'cabin'")[0]["n"] > 50)
        check_correction(work, drives)
        check_wrong(work, drives)


def difference(out):
    pairs = rows(out, "SELECT a.level_p50 - b.level_p50 AS d FROM segments a JOIN segments b USING (segment)"
                      " WHERE a.antenna = 'roof' AND b.antenna = 'cabin' AND a.level_p50 > -95"
                      " AND b.level_p50 IS NOT NULL")
    return sum(p["d"] for p in pairs) / len(pairs)


def check_correction(work, drives):
    tram = [d for d in drives if "tram" in d]
    run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/raw.gpkg", *tram)
    run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/corrected.gpkg", "--vehicle-loss",
        f"{work}/compared.gpkg", *tram)
    run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/given.gpkg", "--vehicle-loss", "3=24.7,20=17.4", *tram)
    check("without correction the cabin is far below", difference(f"{work}/raw.gpkg") > 15, difference(f"{work}/raw.gpkg"))
    for name in ("corrected", "given"):
        d = difference(f"{work}/{name}.gpkg")
        check(f"{name}: roof and cabin agree ({d:.2f} dB)", abs(d) < 0.6, d)
        roof = [rows(f"{work}/{n}.gpkg", "SELECT segment, level_p50 FROM segments WHERE antenna = 'roof'")
                for n in ("raw", name)]
        check(f"{name}: the roof is left as it was", roof[0] == roof[1])
    said = rows(f"{work}/corrected.gpkg", "SELECT correction FROM sources WHERE antenna = 'cabin'")[0]["correction"]
    check("what was done is told", "band 20 +17" in said and " to " in said, said)
    meta = {r["key"]: r["value"] for r in rows(f"{work}/given.gpkg", "SELECT * FROM meta")}
    check("and kept", meta["vehicle_loss"] == "3=24.7,20=17.4", meta.get("vehicle_loss"))
    run("compare", "--map", f"Alfa={work}/none.geojson", "-o", f"{work}/again.gpkg", f"{work}/given.gpkg")
    again = {r["band"]: r["loss_p50"] for r in rows(f"{work}/again.gpkg", "SELECT * FROM vehicle_loss")}
    check("nothing is lost any more after the correction", all(abs(again[b]) < 1.0 for b in LOSS), again)


def check_wrong(work, drives):
    for what, pattern in (("lots", "write dB"), ("20=", "write dB"), ("20=900", "write dB"), ("2.5=3", "write dB"),
                          ("-3", "write dB"), (f"{work}/out.gpkg", "no table vehicle_loss"),
                          (f"{work}/absent.gpkg", "absent.gpkg")):
        done = run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/never.gpkg", f"--vehicle-loss={what}",
                   drives[0], status=1)
        check(f"{os.path.basename(what)} is refused", done.stderr.count("\n") == 1 and pattern in done.stderr and
              not os.path.exists(f"{work}/never.gpkg"), done.stderr)


main()
