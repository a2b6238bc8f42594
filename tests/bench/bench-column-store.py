#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-column-store.py [ROWS]: importing, size, reading and analysing of a plain CSV beside what
DuckDB makes of the same file, in one run, both with two threads. 4,400,000 rows if not given.

DuckDB is a development tool of this benchmark alone and nothing installs it:
    npm install @duckdb/node-api, then NODE_PATH=.../node_modules"""
import json
import os
import subprocess
import sys
import tempfile
import time

from made_plain import CORRIDOR, HERE, import_as_drives, road, run, write_csv

THREADS = 2
DRIVES = 4


def absent(what):
    print("bench-column-store:", what)
    sys.exit(0)


def timed(*command):
    """Seconds passed, and seconds of CPU."""
    before, start = os.times(), time.monotonic()
    run(*command)
    passed, after = time.monotonic() - start, os.times()
    return passed, (after.children_user - before.children_user +
                    after.children_system - before.children_system)


def on_two_processors():
    """A machine with more would give DuckDB two threads and others more."""
    try:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    except (AttributeError, OSError):
        pass


def duckdb(csv, folder):
    try:
        out = run("node", os.path.join(HERE, "duckdb.mjs"), str(THREADS), csv, folder)
    except FileNotFoundError:
        absent("node is absent")
    except subprocess.CalledProcessError as error:
        if "@duckdb/node-api" in error.stderr and "Cannot find module" in error.stderr:
            absent("@duckdb/node-api is absent: npm install it, give NODE_PATH")
        absent(f"DuckDB failed: {error.stderr.strip().splitlines()[-1]}")
    return json.loads(out)


def line(what, ours, theirs, unit, ratio, wanted=""):
    print(f"{what:44} {ours:9.2f} {theirs:9.2f} {unit:9} ratio {ratio:5.2f} {wanted}")


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 4400000
    on_two_processors()
    with tempfile.TemporaryDirectory(prefix="corridor-bench.") as folder:
        csv = os.path.join(folder, "in.csv")
        drive, out = os.path.join(folder, "in.drive"), os.path.join(folder, "out.gpkg")
        with open(csv, "w", encoding="utf-8") as f:
            f.write("operator,rat,rsrp,rsrq,sinr,time,lat,lon\na,lte,1,1,1,1,1,1\n")
        duckdb(csv, folder)  # says at once that it is absent
        write_csv(csv, rows)
        duck, imports = duckdb(csv, folder), []
        for turn in range(2):
            if os.path.exists(drive):
                os.unlink(drive)
            imports.append(timed(CORRIDOR, "import", "-o", drive, csv))
            if turn == 0:
                again = duckdb(csv, folder)
                duck = {k: min(v, again[k]) if isinstance(v, (int, float)) else v
                        for k, v in duck.items()}
        load, load_cpu = min(imports)
        query = ("SELECT operator_label, rat, count(*), avg(rsrp_dbm), avg(rsrq_db), avg(sinr_db),"
                 " min(time_ns) FROM samples JOIN sources ON source = id GROUP BY 1, 2")
        reading = min(timed(CORRIDOR, "sql", drive, query)[0] for _ in range(3))
        net, _ = road(folder, 0.01)
        drives = import_as_drives(csv, folder, rows, DRIVES)
        first, _ = timed(CORRIDOR, "analyze", "--jobs", str(THREADS), "-n", net, "-o", out,
                         *drives)
        def again(*options):
            return timed(CORRIDOR, "analyze", "--jobs", str(THREADS), *options, "-n", net, "-o", out,
                         *drives)[0]
        second = min(again("--segment", str(length)) for length in (150, 250, 200))
        third = min(again("--segment", "200", "--profile", "ofcom-2025") for _ in range(3))
        fresh = min(timed("node", os.path.join(HERE, "duckdb.mjs"), str(THREADS), "grouped",
                          folder)[0] for _ in range(3))
        out_bytes = os.path.getsize(out)
        size = os.path.getsize(drive)
        samples = int(run(CORRIDOR, "sql", "--no-header", drive,
                          "SELECT sum(length(data)) FROM chunks WHERE kind = 'samples'"))
    million = rows / 1e6
    print(f"{million:.1f} M rows, {THREADS} threads, DuckDB {duck['version']}; ratio > 1: ahead")
    print(f"{'':44} {'corridor':>9} {'DuckDB':>9}")
    line("import of the CSV into a drive, a table", million / load, million / duck["load_s"],
         "M rows/s", duck["load_s"] / load, "(at least 1)")
    print(f"{'':44} {load_cpu:9.2f} {duck['load_cpu_s']:9.2f} s of CPU")
    line("size, positions of each phone included", size / rows, duck["bytes"] / rows, "B/row",
         duck["bytes"] / size)
    if duck["parquet_bytes"]:
        line("size beside Parquet with zstd", size / rows, duck["parquet_bytes"] / rows, "B/row",
             duck["parquet_bytes"] / size)
    print(f"{'of it a sample with all its columns':44} {samples / rows:9.2f} {'':9} B/sample")
    line("SQL: means by operator and technology", million / reading, million / duck["columns_s"],
         "M rows/s", duck["columns_s"] / reading)
    line("analyze, first run; percentiles by place", million / first, million / duck["grouped_s"],
         "M rows/s", duck["grouped_s"] / first)
    line("analyze, other segments, matched before", million / second, million / duck["grouped_s"],
         "M rows/s", duck["grouped_s"] / second, "(at least 1)")
    line("analyze, other profile, passes kept", million / third, million / duck["grouped_s"],
         "M rows/s", duck["grouped_s"] / third)
    print("beside a process of DuckDB's own, from its file to a file, as analyze is one:")
    line("analyze, other segments, matched before", million / second, million / fresh,
         "M rows/s", fresh / second)
    line("analyze, other profile, passes kept", million / third, million / fresh, "M rows/s",
         fresh / third)
    print(f"{'OUT.gpkg with all passes':44} {out_bytes / 1e6:9.1f} {'':9} MB")


main()
