#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A modem that says nothing of service for many segments: the samples around that stretch keep their
way and time, the silent ones count as nothing but silent, and a halt does not gain way."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from claim_world import check, clock, make_network, place, rows, run  # noqa: E402

LENGTH_M, SPEED = 20000, 25.0
SILENT = range(2000, 16000)  # metres: 140 segments, more than are kept open at once


def write(path):
    with open(path, "w", encoding="utf-8") as f:
        f.write("time,lat,lon,rat,plmn,cell_id,band,rsrp\n")
        for i in range(int(LENGTH_M / SPEED) + 1):
            x, y = place(i * SPEED)
            radio = ",,,," if i * SPEED in SILENT else "lte,24001,1000,20,-90"
            f.write(f"{clock(3600 + i)},{y:.8f},{x:.8f},{radio}\n")


def main():
    with tempfile.TemporaryDirectory(prefix="corridor-silent.") as work:
        make_network(work, LENGTH_M)
        write(f"{work}/in.csv")
        run("import", "--operator", "Alfa", "-o", f"{work}/in.drive", f"{work}/in.csv")
        run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/out.gpkg", f"{work}/in.drive")
        found = rows(f"{work}/out.gpkg", "SELECT * FROM segments ORDER BY km_from")
        silent = [r for r in found if r["n_missing"] > 0 and r["n"] == 0]
        heard = [r for r in found if r["n"] > 0]
        n_silent = sum(1 for i in range(int(LENGTH_M / SPEED) + 1) if i * SPEED in SILENT)
        check("silent samples are counted as such", sum(r["n_missing"] for r in found) == n_silent,
              sum(r["n_missing"] for r in found))
        check("silent segments have no way and no level", len(silent) > 130 and all(
            r["metres"] == 0 and r["level_mean"] is None and r["level_p50_is"] == "not measured"
            for r in silent), len(silent))
        # each heard sample stands for half a step on both sides; those at the ends of the silence,
        # 14 km and 560 s apart, for 10 s of it at the mean speed, which is 250 m, halved, each
        way = (len([i for i in range(int(LENGTH_M / SPEED) + 1) if i * SPEED not in SILENT]) - 2) * SPEED
        total = sum(r["metres"] for r in heard)
        scale = rows(f"{work}/out.gpkg", "SELECT length_km FROM corridors")[0]["length_km"] * 1000 / LENGTH_M
        wanted = way * scale + 2 * 125
        check("the way of the heard ones is whole", abs(total - wanted) < 20, (total, wanted))
        seconds = sum(r["seconds"] for r in heard)
        check("and their time", abs(seconds - way / SPEED - 2 * 10) < 2, (seconds, way / SPEED + 20))


main()
