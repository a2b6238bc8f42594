#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The passes of an OUT.gpkg: the reader written from corridor-out(5) and `corridor export --layer
evidence` say the same of every pass, and both add up to what `segments` says. Made drives there and
back with all technologies, no service, limited service, silence, a floor, cells that change, and
two phones of one operator."""
import collections
import csv
import json
import os
import shutil
import sqlite3
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from claim_world import check, clock, make_network, near, place, rows, run  # noqa: E402
from pass_reader import passes  # noqa: E402

LENGTH_M, SPEED = 6000, 12
WORDS = ("none", "limited", "GSM", "UMTS", "LTE", "NR-NSA", "NR-SA", "NR-leg", "served", "floor")
RATS = ("unknown", "none", "GSM", "UMTS", "LTE", "NR-NSA", "NR-SA")
COUNTS = ("n", "n_level", "n_no_service", "n_limited", "n_missing")


def radio(i, shift):
    """rat, service, cell_id, band, rsrp, rscp, rxlev, nr_rsrp of a sample."""
    level, cell = -118 + (i * 7 + shift) % 40, 1000 + (i + shift) // 9
    return ((("lte", "ok", cell, 20, level, "", "", ""),) * 5 + (
        ("none", "none", "", "", "", "", "", ""), ("lte", "limited", cell, 20, level, "", "", ""),
        ("gsm", "ok", cell, 8, "", "", level + 20, ""), ("umts", "ok", cell, 1, "", level, "", ""),
        ("lte", "ok", cell, 3, level, "", "", level - 4), ("nr-sa", "ok", cell, 78, level, "", "", ""),
        ("lte", "ok", cell, 20, "", "", "", ""), ("", "unknown", "", "", "", "", "", "")))[i // 3 % 13]


def make_drive(work, number, phones, back):
    steps = LENGTH_M // SPEED
    path = f"{work}/{number}.csv"
    with open(path, "w", encoding="utf-8") as f:
        f.write("time,lat,lon,operator,device,plmn,rat,service,cell_id,band,rsrp,rscp,rxlev,nr_rsrp\n")
        for i in range(steps):
            x, y = place((steps - i if back else i) * SPEED)
            for operator, device, shift in phones:
                said = ",".join(str(v) for v in radio(i + shift * number, shift))
                f.write(f"{clock(86400 * number + i)},{y:.8f},{x:.8f},{operator},{device},24001,{said}\n")
    run("import", "--antenna", "roof", "-o", f"{work}/{number}.drive", path)
    db = sqlite3.connect(f"{work}/{number}.drive")
    db.execute("UPDATE sources SET floor_dbm = -112")
    db.commit()
    db.close()
    return f"{work}/{number}.drive"


def text_of(levels):
    entries = []
    for channel, rat, level, count, way, time in levels:
        word = WORDS[channel] + (f"/{RATS[rat]}" if channel in (8, 9) else "")
        entries.append(f"{word}:{'' if channel in (0, 1, 8) else level}:{count}:{way // 10}.{way % 10}:"
                       f"{time // 100}.{time % 100:02d}")
    return ";".join(entries)


def check_export(work, out, read):
    run("export", "--format", "csv", "--layer", "evidence", "-o", f"{work}/p.csv", out)
    with open(f"{work}/p.csv", encoding="utf-8", newline="") as f:
        written = list(csv.DictReader(f))
    check("a line for each pass", len(written) == len(read) > 300, (len(written), len(read)))
    for p, w in zip(read, written):
        wanted = p | {"levels": text_of(p["levels"])}
        for name, value in wanted.items():
            same = w[name] == "" if value is None else near(float(w[name]), value, 1e-9) \
                if isinstance(value, float) else w[name] == str(value)
            if not same:
                check("a pass", False, (name, value, w[name]))
        if set(w) != set(wanted):
            check("its columns", False, (sorted(w), sorted(wanted)))
    check("every field of every pass is what the reader reads", True)
    run("export", "--format", "geojson", "--layer", "evidence", "--operator", "Beta", "-o", f"{work}/p.json", out)
    with open(f"{work}/p.json", encoding="utf-8") as f:
        features = json.load(f)["features"]
    check("GeoJSON, of one operator", [x["properties"]["first_ns"] for x in features] ==
          [p["first_ns"] for p in read if p["operator"] == "Beta"], len(features))


def check_sums(out, read):
    sums = collections.defaultdict(collections.Counter)
    for p in read:
        at = sums[p["segment"], p["operator"]]
        at.update({n: p[n] for n in (*COUNTS, "seconds", "metres")} | {"records": 1})
        at["first_ns"] = min(at["first_ns"] or p["first_ns"], p["first_ns"])
        at["last_ns"] = max(at["last_ns"], p["last_ns"])
    segments = rows(out, "SELECT * FROM segments WHERE n + n_missing > 0")
    check("passes where samples are", {(s["segment"], s["operator"]) for s in segments} == set(sums), len(sums))
    for s in segments:
        at = sums[s["segment"], s["operator"]]
        one_phone = s["operator"] == "Alfa"
        if any(s[n] != at[n] for n in COUNTS) or one_phone and not (
                near(s["seconds"], at["seconds"]) and near(s["metres"], at["metres"])):
            check("sums of a segment", False, (s, at))
    check("counts, seconds and metres add up to those of the segments", True)
    for e in rows(out, "SELECT * FROM evidence"):
        at = sums[e["segment"], e["operator"]]
        if any(e[n] != at[n] for n in ("records", "n", "first_ns", "last_ns")):
            check("a row of evidence", False, (e["segment"], at))
    check("and to what the rows say", True)


def check_refused(work, out):
    for what, sql, words in (
            ("an earlier version", "ALTER TABLE evidence RENAME COLUMN packed TO levels", "made by an earlier version"),
            ("a damaged row", "UPDATE evidence SET packed = x'00ff' WHERE fid = 2", "evidence row 2: ")):
        shutil.copyfile(out, f"{work}/wrong.gpkg")
        with sqlite3.connect(f"{work}/wrong.gpkg") as db:
            db.execute(sql)
        done = run("export", "--format", "csv", "--layer", "evidence", "-o", f"{work}/x.csv", f"{work}/wrong.gpkg",
                   status=1)
        check(f"{what} is refused", words in done.stderr and done.stderr.count("\n") == 1 and
              not os.path.exists(f"{work}/x.csv"), done.stderr)


def main():
    with tempfile.TemporaryDirectory(prefix="corridor-passes-") as work:
        make_network(work, LENGTH_M)
        phones = [("Alfa", "one", 0), ("Beta", "two", 5), ("Beta", "three", 11)]
        drives = [make_drive(work, n, phones if n < 6 else phones[:1], n % 2 == 1) for n in range(12)]
        out = f"{work}/out.gpkg"
        run("analyze", "-n", f"{work}/net.gpkg", "--segment", "200", "-o", out, *drives)
        read = list(passes(out))
        check("all channels occur", {e[0] for p in read for e in p["levels"]} == set(range(10)))
        check("several cells, both directions, silence", any("," in (p["cells"] or "") for p in read) and
              {p["backward"] for p in read} == {0, 1} and any(p["n_missing"] for p in read))
        forms = {r["form"] for r in rows(out, "SELECT DISTINCT substr(packed, 1, 1) AS form FROM evidence")}
        check("plain and compressed rows", forms == {b"\0", b"\1"}, forms)
        check_export(work, out, read)
        check_sums(out, read)
        check_refused(work, out)


main()
