#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Meetings in a drive: seconds land on segments, the windows that sum them up are not counted once
more, and the report's headline says on how much of the way a meeting works."""
import html
import os
import re
import sqlite3
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("CORRIDOR_BUILD", os.path.join(SOURCE, "build"))
CORRIDOR = os.path.join(BUILD, "analyzer", "corridor")
SECOND = 1_000_000_000
# by tenth of a second's number: seven green, then one each
GRADES = ["green"] * 7 + ["yellow", "red", "black"]
failures = []


def check(what, good, detail=""):
    print(("ok   " if good else "FAIL ") + what + (f": {detail}" if detail != "" else ""))
    if not good:
        failures.append(what)


def run(*arguments):
    subprocess.run([CORRIDOR, *arguments], check=True, stdout=subprocess.DEVNULL)


def add_meetings(drive):
    """A meeting over the first half of the drive; every window as bad as its worst second."""
    with sqlite3.connect(drive) as db:
        first, last = db.execute("SELECT min(first_ns), max(last_ns) FROM extents"
                                 " WHERE kind = 'samples' AND source = 1").fetchone()
        seconds = (last - first) // SECOND // 2
        rows = []
        for k in range(seconds):
            rows.append((first + k * SECOND, 1, 1, SECOND, GRADES[k % 10], 0))
            if k % 15 == 14:
                rows.append((first + (k - 14) * SECOND, 1, 1, 15 * SECOND, "black", 1))
        rows.sort()
        db.executemany("INSERT INTO meetings (time_ns, source, probe, duration_ns, grade,"
                       " is_window) VALUES (?, ?, ?, ?, ?, ?)", rows)
        db.execute("INSERT INTO extents VALUES ('meetings', 1, ?, ?, ?, 1)",
                   (len(rows), rows[0][0], rows[-1][0]))
    db.close()
    return seconds


def add_probes(drive):
    """A round trip each second with 12 ms of jitter, and twelve probes: two failed, two were not
    tried."""
    with sqlite3.connect(drive) as db:
        first, last = db.execute("SELECT min(first_ns), max(last_ns) FROM extents"
                                 " WHERE kind = 'samples' AND source = 1").fetchone()
        for table in ("chunks", "extents"):  # the file's own round trips have no jitter
            db.execute(f"DELETE FROM {table} WHERE kind = 'latencies'")
        seconds = range(first, last - SECOND, SECOND)
        db.executemany("INSERT INTO latencies (time_ns, source, kind, duration_ns, sent, received,"
                       " rtt_ms, jitter_ms) VALUES (?, 1, 'stamp', ?, 50, 50, 45, 12)",
                       [(at, SECOND) for at in seconds])
        statuses = ["ok", "failed", "ok", "ok", "skipped", "ok"] * 2
        rows = [(first + (k + 1) * (last - first) // 14, k + 1, status)
                for k, status in enumerate(statuses)]
        db.executemany("INSERT INTO probes (time_ns, source, id, kind, status)"
                       " VALUES (?, 1, ?, 'train', ?)", rows)
        for kind, times in (("latencies", seconds), ("probes", [row[0] for row in rows])):
            db.execute("INSERT INTO extents VALUES (?, 1, ?, ?, ?, 1)",
                       (kind, len(times), times[0], times[-1]))
    db.close()
    return {word: statuses.count(word) for word in ("ok", "failed", "skipped")}


def main():
    with tempfile.TemporaryDirectory(prefix="corridor-meeting-") as work:
        drive, net, out = f"{work}/a.drive", f"{work}/net.gpkg", f"{work}/out.gpkg"
        run("import", "-o", drive, f"{SOURCE}/fixtures/demo/alfa.csv")
        seconds = add_meetings(drive)
        probes = add_probes(drive)
        run("network", "from-track", "--name", "Line", "-o", net, drive)
        run("analyze", "-n", net, "-o", out, drive)
        run("analyze", "-n", net, "-o", out + ".again", drive)  # from the passes kept beside it
        with open(out, "rb") as first, open(out + ".again", "rb") as again:
            check("probes are kept with the passes", first.read() == again.read(), "other bytes")
        with sqlite3.connect(out) as db:
            n, *counts = db.execute(
                "SELECT sum(meeting_n), sum(meeting_n * meeting_green), sum(meeting_n *"
                " meeting_yellow), sum(meeting_n * meeting_red), sum(meeting_n * meeting_black)"
                " FROM segments").fetchone()
            share, low, high, km = db.execute(
                "SELECT share, share_low, share_high, length_km - km_not_measured FROM summary"
                " WHERE service = 'meeting_ok' AND operator NOT LIKE '(%'").fetchone()
            tried = db.execute("SELECT tests, tests_failed, tests_skipped, jitter_p50 FROM summary"
                               " WHERE service = 'meeting_ok' AND operator NOT LIKE '(%'").fetchone()
            lengths = db.execute("SELECT sum(length_m), sum(length_m * meeting_ok_share) /"
                                 " sum(length_m) FROM segments WHERE meeting_n > 0").fetchone()
        check("every second counts once", seconds * 0.97 < n <= seconds, (n, seconds))
        for grade, wanted, got in zip(("green", "yellow", "red", "black"), (7, 1, 1, 1), counts):
            check(f"share of {grade} seconds", abs(got / n - wanted / 10) < 0.01,
                  round(got / n, 3))
        check("kilometres tested", abs(km - lengths[0] / 1000) < 1e-6, km)
        check("share of the way", abs(share - lengths[1]) < 1e-4 and low <= share <= high, share)
        check("it is what green and yellow make", 0.7 < share < 0.9, share)
        check("probes of the whole line", tried[:3] == (probes["ok"] + probes["failed"],
                                                        probes["failed"], probes["skipped"]), tried)
        check("jitter of the whole line", abs(tried[3] - 12) < 0.2, tried)
        run("report", "-o", f"{work}/report", out)
        with open(f"{work}/report/index.html", encoding="utf-8") as file:
            page = html.unescape(re.sub(r"<[^>]+>", "", file.read()))
        check("probes in the report", f"probes run{tried[0]}of them failed{tried[1]}" in page)
        check("jitter in the report", "jitter, median12\u00a0ms" in page)
        found = re.search(r"(\w+): an online meeting works on ([\d.]+)\s?% of the ([\d.]+)\s?km"
                          r" where it was tested \(95% interval [^,]+, ([\d\s,]+) seconds", page)
        check("the headline", found is not None)
        if found:
            check("its share", abs(float(found.group(2)) - 100 * share) < 0.06, found.group(2))
            check("its seconds", int(re.sub(r"\D", "", found.group(4))) == n, found.group(4))
        run("report", "--lang", "sv", "-o", f"{work}/sv", out)
        with open(f"{work}/sv/index.html", encoding="utf-8") as file:
            check("in Swedish, too", "ett videomöte fungerar på" in file.read())
    sys.exit(1 if failures else 0)


main()
