#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The reader written from docs/drive-file.md gives the same records as `corridor sql`, the loadable
extension and plain SQL on the same drive before it was sealed."""
import csv
import io
import os
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import drive_reader  # noqa: E402

SOURCE = os.environ["CORRIDOR_SOURCE"]
BUILD = os.environ["CORRIDOR_BUILD"]
CORRIDOR = os.path.join(BUILD, "analyzer", "corridor")
TABLES = ("fixes", "samples", "latencies", "throughputs", "events", "sources", "imports")
HEADER = ("time,lat,lon,speed_kmh,operator,plmn,rat,cell_id,pci,arfcn,rsrp,rsrq,sinr,"
          "nr_rsrp,dl_kbps,rtt_ms")


def rows():
    """Two chunks of each source, the second small enough for a pack, with holes in every column."""
    for i in range(17000):
        second, operator = divmod(i, 2)
        level = "" if i % 17 == 0 else f"{-140 + i % 90 + (i % 10) / 10:.1f}"
        rat = "none" if i % 50 == 0 else ("LTE", "NR-NSA", "UMTS")[i % 3]
        yield ",".join([
            f"2026-05-04T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{i % 1000:03d}Z",
            f"{62 + i / 1e5:.7f}", f"{15 - i / 1e5:.7f}", f"{i % 160}", ("Alfa", "Beta")[operator],
            ("24001", "24007")[operator], rat, str(1000 + i // 300), str(i % 504),
            "" if i % 5 == 0 else "1300", level, f"{-3 - i % 17}", f"{(i % 400) / 10 - 10:.1f}",
            "-101" if rat == "NR-NSA" else "", "" if i % 3 else str(i), "" if i % 4 else str(20 + i % 90)])


def run(*arguments):
    return subprocess.run([CORRIDOR, *arguments], check=True, capture_output=True, text=True).stdout


def normal(value, is_real):
    if value in (None, ""):
        return None
    return float(value) if is_real else str(value)


def compare(what, drive, table, got):
    """Records as lists of dicts, value by value; numbers as numbers."""
    wanted = list(csv.DictReader(io.StringIO(run("sql", drive, f"SELECT * FROM {table}"))))
    assert len(got) == len(wanted), f"{what} {table}: {len(got)} records, not {len(wanted)}"
    if not got:
        return 0
    reals = {c for c in got[0] if any(isinstance(r[c], float) for r in got)}
    key = [c for c in ("source", "time_ns", "id") if c in got[0]]
    def order(row):
        return [int(row[k] or 0) for k in key] + [str(v) for v in row.values()]
    left = sorted(({c: normal(v, c in reals) for c, v in r.items()} for r in got), key=order)
    right = sorted(({c: normal(v, c in reals) for c, v in r.items()} for r in wanted), key=order)
    for a, b in zip(left, right):
        assert a == b, f"{what} {table}:\n{a}\n{b}"
    return len(got)


def through_extension(drive, table):
    db = sqlite3.connect(drive)
    db.enable_load_extension(True)
    db.load_extension(os.path.join(BUILD, "formats", "corridordrive"))
    cursor = db.execute(f"SELECT * FROM {table}")
    names = [d[0] for d in cursor.description]
    result = [dict(zip(names, row)) for row in cursor]
    db.close()
    return result


def main():
    with tempfile.TemporaryDirectory() as work:
        table = os.path.join(work, "made.csv")
        with open(table, "w", encoding="utf-8") as f:
            f.write("\n".join([HEADER, *rows()]) + "\n")
        drive = os.path.join(work, "made.drive")
        run("import", "-o", drive, table)
        db = sqlite3.connect(drive)
        forms = sorted(db.execute("SELECT DISTINCT CAST(substr(data, 1, 4) AS TEXT) FROM chunks"))
        db.close()
        assert forms == [("CCH2",), ("CPK1",), ("CREF",)], forms
        total = 0
        for name in TABLES:
            total += compare("reader", drive, name, drive_reader.records(drive, name))
            if hasattr(sqlite3.Connection, "enable_load_extension"):
                compare("extension", drive, name, through_extension(drive, name))
        assert total > 40000, total
        print(f"{total} records agree")


main()
