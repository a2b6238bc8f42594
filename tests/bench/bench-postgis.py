#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-postgis.py [ROWS]: samples onto the nearest piece of a network, with percentiles by piece
and operator: `corridor analyze`, matching included, beside a nearest-edge join of PostGIS over the
same points and an index, both with two processes. 1,000,000 rows if not given.

A server is made in a folder of its own for the time of the run; nothing installs PostGIS:
    apt-get install postgresql-15-postgis-3"""
import csv
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

from made_plain import CORRIDOR, import_as_drives, road, run, write_csv

DRIVES = 4
JOIN = """
SELECT near.id, s.operator, count(*), percentile_cont(ARRAY[0.1, 0.5, 0.9])
       WITHIN GROUP (ORDER BY s.rsrp)
FROM samples s CROSS JOIN LATERAL
     (SELECT e.id FROM edges e ORDER BY e.geom <-> s.geom LIMIT 1) near
GROUP BY near.id, s.operator"""


def absent(what):
    print("bench-postgis:", what)
    sys.exit(0)


class Server:
    """PostgreSQL does not run as root: then as nobody."""

    def __init__(self, folder):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        if not found or not glob.glob("/usr/share/postgresql/*/extension/postgis.control"):
            absent("PostGIS is absent: apt-get install postgresql-15-postgis-3")
        self.bin = os.path.dirname(found[-1])
        self.folder = folder
        self.user = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(folder, "nobody")
        self.data = os.path.join(folder, "data")
        self.call("initdb", "-D", self.data, "-A", "trust", "-U", "bench")
        self.call("pg_ctl", "-D", self.data, "-w", "-l", os.path.join(folder, "log"), "-o",
                  f"-k {folder} -c listen_addresses='' -c max_parallel_workers_per_gather=2"
                  " -c shared_buffers=256MB -c work_mem=256MB -c jit=off -c fsync=off", "start")

    def call(self, program, *arguments):
        run(*self.user, os.path.join(self.bin, program), *arguments, cwd=self.folder)

    def sql(self, text):
        return run("psql", "-h", self.folder, "-U", "bench", "-qAt", "-v", "ON_ERROR_STOP=1", "-c",
                   text, "postgres")

    def stop(self):
        self.call("pg_ctl", "-D", self.data, "-m", "immediate", "stop")


def postgis(folder, table, points):
    server = Server(folder)
    try:
        edges = ",".join(f"({i}, ST_SetSRID(ST_MakeLine(ST_Point({a[0]:.7f}, 62),"
                         f" ST_Point({b[0]:.7f}, 62)), 4326))"
                         for i, (a, b) in enumerate(zip(points, points[1:])))
        server.sql("CREATE EXTENSION postgis;"
                   "CREATE TABLE raw (operator text, rsrp float8, lon float8, lat float8);"
                   "CREATE TABLE edges (id int, geom geometry)")
        run("psql", "-h", folder, "-U", "bench", "-q", "-c", f"\\copy raw FROM '{table}' CSV",
            "postgres")
        with open(os.path.join(folder, "edges.sql"), "w", encoding="utf-8") as f:
            f.write(f"INSERT INTO edges VALUES {edges}")
        run("psql", "-h", folder, "-U", "bench", "-q", "-f", f.name, "postgres")
        server.sql("CREATE TABLE samples AS SELECT operator, rsrp,"
                   " ST_SetSRID(ST_Point(lon, lat), 4326) AS geom FROM raw;"
                   "CREATE INDEX ON edges USING gist (geom)")
        server.sql("VACUUM ANALYZE")
        version = server.sql("SELECT postgis_lib_version()").strip()
        start = time.monotonic()
        groups = len(server.sql(JOIN).splitlines())
        return time.monotonic() - start, groups, version
    finally:
        server.stop()


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    with tempfile.TemporaryDirectory(prefix="corridor-bench.") as folder:
        os.chmod(folder, 0o755)
        data = os.path.join(folder, "in.csv")
        write_csv(data, rows)
        net, points = road(folder)
        table = os.path.join(folder, "points.csv")
        with open(data, encoding="utf-8") as f, open(table, "w", encoding="utf-8") as g:
            for row in csv.DictReader(f):
                g.write(f"{row['operator']},{row['rsrp']},{row['lon']},{row['lat']}\n")
        server = os.path.join(folder, "server")
        os.mkdir(server)
        theirs, groups, version = postgis(server, table, points)
        out = os.path.join(folder, "out.gpkg")
        drives = import_as_drives(data, folder, rows, DRIVES)
        start = time.monotonic()
        run(CORRIDOR, "analyze", "--jobs", "2", "-n", net, "-o", out, *drives)
        ours = time.monotonic() - start
    print(f"{rows} samples of three operators in {DRIVES} drives, {len(points) - 1} pieces of 100 m")
    print(f"PostGIS {version}, nearest edge and percentiles  {theirs:7.2f} s, {groups} groups")
    print(f"corridor analyze, matching and verdicts      {ours:7.2f} s")
    print(f"ratio {theirs / ours:.1f} (at least 10)")


main()
