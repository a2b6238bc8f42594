#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corridor scrub, judged by others than itself: what was to go is in no table, chunk or page of the new
file (Python's sqlite3 and a reader of drives of its own), and the rest gives the statistics that a
drive gives into which only the rest was imported. Wrong words and files: one line, nothing written."""
import csv
import datetime
import math
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile

import drive_reader

SOURCE = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "../.."))
CORRIDOR = os.path.join(os.environ.get("CORRIDOR_BUILD", SOURCE + "/build"), "analyzer/corridor")
DEMO = os.path.join(SOURCE, "fixtures/demo/alfa.csv")
HOME = (61.02, 15.35, 1500)
NEAR = f"--near={HOME[0]},{HOME[1]},{HOME[2]}"
IMEI, SIM, BOOT = "d5d0b7a1c3f54e0b9d0f6c1e2a3b4c5d", "77aa41d2e39b4f0c8e1d2f3a4b5c6d7e", "9f8e7d6c-5b4a"


def fail(text):
    sys.exit(f"FAILED: {text}")


def run(*words):
    result = subprocess.run([CORRIDOR, *words], capture_output=True, text=True)
    if result.returncode != 0:
        fail(f"exit {result.returncode}: {' '.join(words)}: {result.stderr}")
    return result.stdout


def refused(status, pattern, *words):
    before = sorted(os.listdir("."))
    result = subprocess.run([CORRIDOR, "scrub", *words], capture_output=True, text=True)
    if result.returncode != status or result.stderr.count("\n") != 1 or pattern not in result.stderr:
        fail(f"scrub {' '.join(words)}: exit {result.returncode}: {result.stderr!r}, not {status} "
             f"and one line with {pattern!r}")
    if sorted(os.listdir(".")) != before:
        fail(f"scrub {' '.join(words)}: left {set(os.listdir('.')) - set(before)}")


def metres(lat, lon):
    """To the home, on a ball: 0.5 % off at most, which the fixture's positions leave room for."""
    a, b = math.radians(lat), math.radians(HOME[0])
    half = math.sin((a - b) / 2) ** 2 + math.cos(a) * math.cos(b) * \
        math.sin(math.radians(lon - HOME[1]) / 2) ** 2
    return 2 * 6371008.8 * math.asin(math.sqrt(half))


def hidden_spans(fixes):
    """(after, before): times of which nothing may be told."""
    spans, last_outside, inside = [], -math.inf, False
    for fix in fixes:
        near = metres(fix["lat"], fix["lon"]) <= HOME[2]
        if inside and not near:
            spans.append((last_outside, fix["time_ns"]))
        if not near:
            last_outside = fix["time_ns"]
        inside = near
    return spans + ([(last_outside, math.inf)] if inside else [])


def make_drive(path):
    run("import", "-o", path, DEMO)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE sources SET device_hash = ?, sim_hash = ?, firmware = 'FW9.87'", (IMEI, SIM))
        db.execute("INSERT INTO meta VALUES ('configuration', 'imei=353535'), ('boot', ?)", (BOOT,))
        for second in (0, 600, 3570):
            db.execute("INSERT INTO events (time_ns, source, kind, detail) VALUES (?, 1, 'cell-change', "
                       "'from 4097 to 4098')", (1778565600000000000 + second * 10 ** 9,))
            db.execute("INSERT INTO clocks (time_ns, boot) VALUES (?, ?)",
                       (1778565600000000000 + second * 10 ** 9, BOOT))


def describe(values):
    """What anybody would first compute of levels."""
    values = sorted(v for v in values if v is not None)
    return (len(values), statistics.fmean(values), statistics.pstdev(values), *statistics.quantiles(values, n=20))


work = tempfile.mkdtemp(prefix="corridor-scrub.")
try:
    os.chdir(work)
    make_drive("a.drive")
    os.mkdir("folder")
    for name in ("empty.drive", "words.drive"):
        with open(name, "w", encoding="utf-8") as f:
            f.write("" if name[0] == "e" else "no drive at all\n" * 500)
    shutil.copy("a.drive", "damaged.drive")
    with sqlite3.connect("damaged.drive") as db:
        db.execute("UPDATE chunks SET data = substr(data, 1, length(data) / 2) WHERE kind = 'samples'")

    # --- wrong words, wrong files ---
    for near in ("1,2", "1,2,x", "99,1,5", "1,200,5", "1,1,0", "1,1,-5", "nan,1,5", "1,1,1e9", "", "1;1;5"):
        refused(2, "is no LAT,LON,METRES", f"--near={near}", "a.drive", "o.drive")
    for blur in ("-3", "1e9", "nan"):
        refused(2, "--blur goes with --near", NEAR, f"--blur={blur}", "a.drive", "o.drive")
    refused(2, "--blur", NEAR, "--blur=x", "a.drive", "o.drive")
    refused(2, "--blur goes with --near", "--blur=5", "--devices", "a.drive", "o.drive")
    refused(2, "say what", "a.drive", "o.drive")
    refused(2, "--wrong", "--wrong", "a.drive", "o.drive")
    refused(2, "is missing", "--devices", "a.drive")
    refused(2, "is missing", "--devices")
    refused(2, "one argument too many: c", "--devices", "a.drive", "b", "c")
    refused(1, "none.drive: there is no such file", "--devices", "none.drive", "o.drive")
    refused(1, "folder: is not a regular file", "--devices", "folder", "o.drive")
    refused(1, "empty.drive: is empty", "--devices", "empty.drive", "o.drive")
    refused(1, "words.drive: ", "--devices", "words.drive", "o.drive")
    refused(1, "damaged.drive: ", "--devices", "damaged.drive", "o.drive")
    refused(1, "nothing was written: run `corridor recover` first", NEAR, "damaged.drive", "o.drive")
    refused(1, "folder: is there already", "--devices", "a.drive", "folder")
    refused(1, "a.drive: is there already", "--devices", "a.drive", "a.drive")
    refused(1, "no/o.drive: cannot be written: No such file or directory", "--devices", "a.drive", "no/o.drive")

    # --- what was to go ---
    run("scrub", NEAR, "--devices", "--cells", "a.drive", "o.drive")
    spans = hidden_spans(drive_reader.records("a.drive", "fixes"))
    if len(spans) != 2:
        fail(f"the fixture is {len(spans)} times near its home, not 2")
    is_hidden = lambda t: any(a < t < b for a, b in spans)  # noqa: E731
    n_gone = 0
    for table in ("fixes", "samples", "latencies", "events", "clocks"):
        before = list(drive_reader.records("a.drive", table))
        after = list(drive_reader.records("o.drive", table))
        want = [r["time_ns"] for r in before if not is_hidden(r["time_ns"])]
        n_gone += len(before) - len(want)
        if [r["time_ns"] for r in after] != want:
            fail(f"{table}: {len(after)} records, not the {len(want)} of the rest")
    if n_gone < 300:
        fail(f"only {n_gone} records were to go")
    with sqlite3.connect("o.drive") as db:
        for kind, first, last in list(db.execute("SELECT kind, first_ns, last_ns FROM chunks "
                                                  "WHERE kind <> 'packs'")) + \
                list(db.execute("SELECT kind, first_ns, last_ns FROM extents WHERE kind <> 'imports'")):
            if is_hidden(first) or is_hidden(last):
                fail(f"the times of {kind} tell of a time near the home")
        if db.execute("PRAGMA freelist_count").fetchone()[0] != 0:
            fail("pages that nobody uses")
        tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [str(row) for table in tables for row in db.execute(f'SELECT * FROM "{table}"')]
        rows += [str(row) for table in tables for row in drive_reader.records("o.drive", table)]
    with open("o.drive", "rb") as f:
        content = f.read()
    with open("a.drive", "rb") as f:
        was = f.read()
    for word in (IMEI, SIM, BOOT, "FW9.87", "353535", "from 4097", "alfa.csv"):
        if word.encode() not in was:
            fail(f"{word} was not in the drive")
        if word.encode() in content or any(word in row for row in rows):
            fail(f"{word} is still in the drive")
    cells = {s["cell_id"] for s in drive_reader.records("o.drive", "samples")} - {None}
    if cells != set(range(1, len(cells) + 1)):
        fail(f"cells {sorted(cells)} are not numbered")
    if [name for name in os.listdir(".") if name.startswith("o.drive") and name != "o.drive"]:
        fail("something lies beside the new drive")

    # --- the rest: by hand, then by all that the analyzer computes ---
    run("scrub", NEAR, "a.drive", "s.drive")
    for column in ("rsrp_dbm", "rsrq_db", "sinr_db"):
        rest = [s[column] for s in drive_reader.records("a.drive", "samples") if not is_hidden(s["time_ns"])]
        kept = [s[column] for s in drive_reader.records("s.drive", "samples")]
        if describe(kept) != describe(rest):
            fail(f"{column}: {describe(kept)}, not {describe(rest)}")
    with open(DEMO, newline="", encoding="utf-8") as f, open("rest.csv", "w", newline="", encoding="utf-8") as g:
        reader = csv.DictReader(f)
        writer = csv.DictWriter(g, reader.fieldnames)
        writer.writeheader()
        for row in reader:
            time = datetime.datetime.fromisoformat(row["time"].replace("Z", "+00:00"))
            if not is_hidden(int(time.timestamp()) * 10 ** 9):
                writer.writerow(row)
    run("network", "from-track", "-o", "line.gpkg", "--name", "L", "a.drive")
    results = {}
    for name, drive in (("whole", "a"), ("scrubbed", "s"), ("rest", "rest")):
        os.makedirs(name)
        if drive == "rest":
            run("import", "-o", f"{name}/x.drive", "rest.csv")
        else:
            shutil.copy(f"{drive}.drive", f"{name}/x.drive")
        run("analyze", "-n", "line.gpkg", "-o", f"{name}.gpkg", f"{name}/x.drive")
        with sqlite3.connect(f"{name}.gpkg") as db:
            results[name] = {table: sorted(map(str, db.execute(f"SELECT * FROM {table}"))) for table in
                             ("segments", "evidence", "tests", "summary", "gaps", "changes", "pairs", "services",
                              "hours")}
    for table, rows in results["scrubbed"].items():
        if rows != results["rest"][table]:
            different = set(rows) ^ set(results["rest"][table])
            fail(f"{table}: differs from what the rest alone gives: {sorted(different)[:4]}")
    if results["whole"]["segments"] == results["rest"]["segments"]:
        fail("the home made no difference: nothing was tested")
    n = len(results["rest"]["segments"])
    print(f"{n_gone} records are gone; {n} segments of the rest are the same to the last digit")
finally:
    shutil.rmtree(work)
