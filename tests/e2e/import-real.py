#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Imports every real measurement file: rows read = rows in the files, no-service rows = those in
the files, and levels and positions are those of the files, read again here by Python's csv."""
import csv
import glob
import io
import os
import subprocess
import sys
import tempfile

source = os.environ["CORRIDOR_SOURCE"]
corridor = os.path.join(os.environ["CORRIDOR_BUILD"], "analyzer", "corridor")
data = os.environ.get("CORRIDOR_DATA") or os.path.join(source, "..", "shared", "data")
mappings = os.path.join(source, "contrib", "mappings")
failures = []


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def rows_of(path, delimiter=","):
    with open(path, encoding="utf-8-sig", newline="") as f:
        return list(csv.DictReader(f, delimiter=delimiter))


def sql(drive, query):
    out = subprocess.run([corridor, "sql", drive, query], check=True, capture_output=True,
                         text=True).stdout
    return list(csv.DictReader(io.StringIO(out)))


def check(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got}, not {wanted}")
    print(f"{'ok' if got == wanted else 'NOT OK'} {what}: {got}")


def levels(rows, column, low=-156, high=-31):
    """Sum and number of the levels in range: equal only if all are read, and read right."""
    known = [v for v in (number(r[column]) for r in rows) if v is not None and low <= v <= high]
    return len(known), round(sum(known), 3)


def drive_levels(drive, condition="1"):
    row = sql(drive, "SELECT count(rsrp_dbm) n, coalesce(sum(rsrp_dbm), 0) s FROM samples "
                     f"WHERE {condition}")[0]
    return int(row["n"]), round(float(row["s"]), 3)


def imported(drive, files, *options):
    subprocess.run([corridor, "import", "-o", drive, *options, *files], check=True,
                   stdout=subprocess.DEVNULL)
    return sum(int(r["rows"]) for r in sql(drive, "SELECT rows FROM imports"))


def train_de(work):
    for day in ("2025-05-26", "2025-06-13"):
        for operator in ("Telekom", "Vodafone", "o2"):
            folder = os.path.join(data, "train-de", day, operator)
            name = f"train-de {day} {operator}"
            files = sorted(glob.glob(os.path.join(folder, "Netz*.csv")))
            rows = [r for f in files for r in rows_of(f)]
            drive = os.path.join(work, f"{operator}-{day}.drive")
            check(f"{name} rows", imported(drive, files, "--timezone", "Europe/Berlin",
                                           "--operator", operator), len(rows))
            none = sum(r["Typ"] == "kein Netz" for r in rows)
            check(f"{name} no service", int(sql(
                drive, "SELECT count(*) n FROM samples WHERE service = 'none' AND rat = 'none'")
                [0]["n"]), none)
            check(f"{name} levels", drive_levels(drive),
                  levels([r for r in rows if r["Typ"] != "2G"], "Signalstärke (RSRP) [dBm]"))
            check(f"{name} 5G", int(sql(
                drive, "SELECT count(*) n FROM samples WHERE rat = 'NR-NSA'")[0]["n"]),
                sum(r["Typ"] == "5G" for r in rows))
            abroad = sum(r["Netzwerk Mobile Country Code"] not in ("null", "262") for r in rows)
            check(f"{name} roaming", int(sql(
                drive, "SELECT count(*) n FROM samples WHERE roaming = 1")[0]["n"]), abroad)
            pings(work, folder, name, operator, day)


def pings(work, folder, name, operator, day):
    files = sorted(glob.glob(os.path.join(folder, "netzlog*.csv")))
    drive = os.path.join(work, f"{operator}-{day}-pings.drive")
    options = ["--timezone", "Europe/Berlin", "--operator", operator, "--map-file",
               os.path.join(mappings, "netzlog.map")]
    tables = [rows_of(f) for f in files]
    check(f"{name} ping rows", imported(drive, files, *options), sum(len(t) for t in tables))
    asked = lost = silent = 0
    for table in tables:
        for host in (c for c in table[0] if c.startswith("ping_")):
            unanswered = sum(row[host] == "" for row in table)
            if unanswered == len(table):
                silent += unanswered
            else:
                asked += len(table)
                lost += unanswered
    row = sql(drive, "SELECT count(*) n, coalesce(sum(sent), 0) s, coalesce(sum(received), 0) r "
                     "FROM latencies")[0]
    check(f"{name} pings", (int(row["n"]), int(row["s"]), int(row["s"]) - int(row["r"])),
          (asked + silent, asked, lost))


def gnettrack(work):
    files = sorted(glob.glob(os.path.join(data, "gnettrack-ie", "*.csv")))
    rows = [r for f in files for r in rows_of(f)]
    drive = os.path.join(work, "ie.drive")
    check("gnettrack-ie rows", imported(drive, files, "--timezone", "Europe/Dublin"), len(rows))
    check("gnettrack-ie levels", drive_levels(drive), levels(
        [r for r in rows if r["NetworkMode"] in ("5G", "LTE")], "RSRP"))
    moved = sum(number(r["DL_bitrate"]) is not None for r in rows)
    check("gnettrack-ie rates", int(sql(
        drive, "SELECT count(*) n FROM throughputs WHERE direction = 'down'")[0]["n"]), moved)
    drive = os.path.join(work, "sn.drive")
    logs = sorted(glob.glob(os.path.join(data, "gnettrack-sn", "*_log.txt")))
    beside = sorted(glob.glob(os.path.join(data, "gnettrack-sn", "*.txt")))
    total = sum(len(rows_of(f, "\t")) for f in beside)
    check("gnettrack-sn rows", imported(drive, logs, "--timezone", "Africa/Dakar"), total)
    rows = [r for f in logs for r in rows_of(f, "\t") if r["NetworkTech"] == "4G"]
    check("gnettrack-sn levels", drive_levels(drive), levels(rows, "Level"))


def others(work):
    path = os.path.join(data, "train-fr", "trainways-aller.csv")
    rows = rows_of(path)
    drive = os.path.join(work, "fr.drive")
    check("train-fr rows", imported(drive, [path], "--map-file",
                                    os.path.join(mappings, "trainways.map")), len(rows))
    check("train-fr sources", int(sql(drive, "SELECT count(*) n FROM sources")[0]["n"]), 4)
    check("train-fr levels", drive_levels(drive), levels(rows, "rsrp"))
    check("train-fr lost pings", int(sql(
        drive, "SELECT count(*) n FROM latencies WHERE received = 0")[0]["n"]),
        sum(number(r["pingTime"]) == -1 for r in rows))
    path = os.path.join(data, "car-us", "slc_to_de.csv")
    rows = rows_of(path)
    drive = os.path.join(work, "us.drive")
    check("car-us rows", imported(drive, [path], "--map-file",
                                  os.path.join(mappings, "car-us.map")), len(rows))
    check("car-us levels", drive_levels(drive), levels(rows, "lte_rsrp_dbm"))
    row = sql(drive, "SELECT count(nr_rsrp_dbm) n, sum(nr_rsrp_dbm) s FROM samples")[0]
    check("car-us NR levels", (int(row["n"]), round(float(row["s"]), 3)),
          levels(rows, "nr_ssrsrp_dbm"))
    path = os.path.join(data, "salzburg", "lte-highway-handovers.csv")
    rows = rows_of(path)
    drive = os.path.join(work, "sa.drive")
    check("salzburg rows", imported(drive, [path], "--map-file", os.path.join(
        mappings, "highway-handovers.map"), "--timezone", "Europe/Vienna", "--operator", "A1"),
        len(rows))
    check("salzburg levels", drive_levels(drive), levels(rows, "RSRP"))
    path = os.path.join(data, "drive-li", "drive.csv")
    rows = rows_of(path)
    drive = os.path.join(work, "li.drive")
    check("drive-li rows", imported(drive, [path]), len(rows))
    check("drive-li levels", drive_levels(drive), levels(rows, "rsrp"))
    row = sql(drive, "SELECT round(sum(lat), 4) a, round(sum(lon), 4) b FROM fixes")[0]
    check("drive-li positions", (float(row["a"]), float(row["b"])),
          (round(sum(float(r["lat"]) for r in rows), 4),
           round(sum(float(r["lon"]) for r in rows), 4)))


def main():
    if not os.path.isdir(data):
        print("SKIPPED: no reference data; set CORRIDOR_DATA")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as work:
        train_de(work)
        gnettrack(work)
        others(work)
    for failure in failures:
        print("FAILED:", failure)
    sys.exit(1 if failures else 0)


main()
