#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corridor diff by command: two made campaigns with a closed gap, a new one, a stretch not driven
again and a new cell; every figure computed again from the histograms of the evidence by a path of
its own. Other segments are put in common ones, bad input is told in one line. With reference data:
two days of a real train on different lines (nothing may be called better or worse), and a real day
against itself with a known change."""
import collections
import csv
import datetime
import glob
import math
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pass_reader import passes  # noqa: E402

SOURCE = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("CORRIDOR_BUILD", os.path.join(SOURCE, "build"))
DATA = os.environ.get("CORRIDOR_DATA", os.path.join(SOURCE, "..", "shared", "data"))
CORRIDOR = os.path.join(BUILD, "analyzer", "corridor")
THRESHOLD, CAP, EQUIPMENT = -105.0, 15.0, math.sqrt(2) * 3.65
failures = []


def check(what, good, detail=""):
    print(("ok   " if good else "FAIL ") + what + (": " + str(detail) if detail != "" else ""))
    if not good:
        failures.append(what)


def corridor(*arguments, status=0):
    done = subprocess.run([CORRIDOR, *arguments], capture_output=True, text=True)
    if done.returncode != status:
        sys.exit(f"FAILED: exit {done.returncode}: corridor {' '.join(arguments)}: {done.stderr}")
    return done


def query(path, sql):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        return [dict(r) for r in db.execute(sql)]


# ---- made campaigns ----

KM = 30


def level_at(operator, km, after):
    level = -92 + 6 * math.sin(km / 2.3) + (3 if operator == "Beta" else 0)
    if operator == "Alfa":
        if 10 <= km < 14:
            return -88 if after else -121
        if 20 <= km < 21.5:
            return -121 if after else level
    return level


def write_campaign(folder, name, after, drives, rng, to_km=KM):
    files = []
    for drive in range(drives):
        start = datetime.datetime(2026, 3 if not after else 6, 3 + drive, 8, 0, 0)
        path = os.path.join(folder, f"{name}{drive}.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write("time,lat,lon,accuracy_m,operator,mcc,mnc,rat,cell_id,pci,rsrp\n")
            noise = {"Alfa": 0.0, "Beta": 0.0}
            for second in range(int(to_km * 40)):
                km = second * 0.025
                when = (start + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
                for operator in noise:
                    noise[operator] = 0.9 * noise[operator] + rng.gauss(0, 1.5)
                    level = round(level_at(operator, km, after) + noise[operator])
                    cell = 100 + int(km / 5)
                    if operator == "Alfa" and after and 10 <= km < 14:
                        cell = 777
                    served = level >= -124
                    f.write(f"{when},{60 + km / 111.2:.6f},{15.0 + 0.003 * math.sin(km / 4):.6f},4,{operator},999,"
                            f"{'01' if operator == 'Alfa' else '02'},{'lte' if served else 'none'},"
                            f"{cell if served else ''},{7 if served else ''},{level if served else ''}\n")
        drive_file = path.replace(".csv", ".drive")
        corridor("import", "-o", drive_file, path)
        files.append(drive_file)
    return files


# ---- the same figures by another path ----

def phi(z):
    return 0.5 * math.erfc(-z / math.sqrt(2))


def student(t, df):
    """Two-sided p-value of Student's t by Simpson's rule, after t = sqrt(df) tan(x)."""
    front = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)
    low, high, n = math.atan(abs(t) / math.sqrt(df)), math.pi / 2, 2000
    step = (high - low) / n
    value = [math.cos(low + i * step) ** (df - 1) for i in range(n)] + [0.0 if df > 1 else 1.0]
    return 2 * front * step / 3 * (value[0] + value[n] + 4 * sum(value[1:n:2]) + 2 * sum(value[2:n:2]))


def margin_of(levels):
    """Mean distance from the threshold by way, within the cap; no service counts as the cap."""
    way = sum(e[4] for e in levels)
    total = sums = 0.0
    for channel, _, level, count, metres, _ in levels:
        if channel == 7:
            continue
        weight = metres if way else count
        value = -CAP if channel in (0, 1) else level - THRESHOLD
        total += weight
        sums += weight * max(-CAP, min(3 * CAP, value))
    return sums / total if total else None


def judged(path, operator):
    """(segment) -> list of (margin, level) by drive and pass."""
    found = collections.defaultdict(list)
    for r in passes(path, f"operator = '{operator}'"):
        margin = margin_of(r["levels"])
        if margin is not None:
            found[r["segment"]].append((margin, r["level_mean"]))
    return found


def squares(items):
    """Sum of squares around the mean from all pairs, and degrees of freedom."""
    if len(items) < 2 or all(m <= -CAP and x is None for m, x in items):
        return 0.0, 0
    total = 0.0
    for i, (m, x) in enumerate(items):
        for n, y in items[i + 1:]:
            total += max((m - n) ** 2, (x - y) ** 2 if x is not None and y is not None else 0.0)
    return total / len(items), len(items) - 1


def adjusted(values):
    order = sorted((v, k) for k, v in values.items() if v is not None)
    out, least = {}, 1.0
    for rank in range(len(order), 0, -1):
        least = min(least, order[rank - 1][0] * len(order) / rank)
        out[order[rank - 1][1]] = least
    return out


def check_levels(before, after, delta, operator, equipment):
    a, b = judged(before, operator), judged(after, operator)
    own = {}
    for segment in set(a) | set(b):
        (x, dx), (y, dy) = squares(a.get(segment, [])), squares(b.get(segment, []))
        own[segment] = ((x + y) / (dx + dy) if dx + dy else 0.0, dx + dy)
    total = sum(df for _, df in own.values())
    mean = sum(df * s for s, df in own.values()) / total
    ratio = sum(df * s * s * df / (df + 2) for s, df in own.values()) / total / mean ** 2
    freedom = (4 * ratio - 2) / (ratio - 1) if ratio > 1 else math.inf
    variance = mean if math.isinf(freedom) else mean * (freedom - 2) / freedom
    rows = {r["segment"]: r for r in query(delta, f"SELECT * FROM diff WHERE operator = '{operator}'")}
    worst, p = 0.0, {}
    for segment, row in rows.items():
        p[segment] = row["lte_usable_p"]
        if not a.get(segment) or not b.get(segment):
            if p[segment] is not None:
                check(f"{operator}: a test without passes", False, row)
            continue
        x, y = a[segment], b[segment]
        effect = sum(m for m, _ in y) / len(y) - sum(m for m, _ in x) / len(x)
        s, df = own[segment]
        one = variance if math.isinf(freedom) else (freedom * variance + df * s) / (freedom + df)
        within = one * (1 / len(x) + 1 / len(y))
        whole = within + equipment ** 2
        z = effect / math.sqrt(whole)
        again = 2 * phi(-abs(z)) if math.isinf(freedom) else student(z, (freedom + df) * (whole / within) ** 2)
        worst = max(worst, abs(effect - row["lte_usable_effect"]), abs(again - p[segment]))
    check(f"{operator}: effects and p-values again", worst < 1e-6, (worst, len(rows), freedom))
    again = adjusted(p)
    worst = max(abs(again[k] - rows[k]["lte_usable_p_adjusted"]) for k in again)
    check(f"{operator}: adjusted p-values again", worst < 1e-9, worst)
    summary = query(delta, f"SELECT * FROM diff_summary WHERE operator = '{operator}' AND service = 'lte_usable'")[0]
    check(f"{operator}: the spread again", abs(summary["spread_db"] - math.sqrt(variance)) < 1e-6, summary["spread_db"])
    return rows, summary


def expected_change(row, rate):
    before, after = row["lte_usable_verdict_before"], row["lte_usable_verdict_after"]
    if "not measured" in (before, after):
        return "unknown"
    if row["lte_usable_p_adjusted"] is not None and row["lte_usable_p_adjusted"] <= rate:
        return "better" if row["lte_usable_effect"] > 0 else "worse"
    return "unchanged" if before == after and before != "uncertain" else "unknown"


def check_summary(rows, summary, name):
    km = collections.Counter()
    before = after = length = 0.0
    for row in rows.values():
        check(f"{name}: change of segment {row['segment']}", False, row["lte_usable_change"]) \
            if row["lte_usable_change"] != expected_change(row, summary["rate"]) else None
        km[row["lte_usable_change"]] += row["length_m"] / 1000
        if row["lte_usable_share_before"] is not None and row["lte_usable_share_after"] is not None:
            before += row["lte_usable_share_before"] * row["length_m"]
            after += row["lte_usable_share_after"] * row["length_m"]
            length += row["length_m"]
    good = all(abs(summary["km_" + k] - km[k]) < 1e-6 for k in ("better", "worse", "unchanged", "unknown"))
    check(f"{name}: kilometres by change again", good, dict(km))
    check(f"{name}: they add up", abs(sum(km.values()) - summary["length_km"]) < 1e-6)
    if length:
        check(f"{name}: shares again", abs(summary["share_before"] - before / length) < 1e-9
              and abs(summary["share_after"] - after / length) < 1e-9, (summary["share_before"], summary["share_after"]))
    if summary["change_low"] is not None:
        check(f"{name}: the change lies in its interval", summary["change_low"] <= summary["change"] <= summary["change_high"])


def overlaps(row, low, high):
    return min(row["km_to"], high) - max(row["km_from"], low) > 0.05


def check_made(work):
    rng = random.Random(5)
    first = write_campaign(work, "before", False, 3, rng)
    second = write_campaign(work, "after", True, 3, rng, to_km=26)
    net, before, after, delta = (os.path.join(work, n) for n in ("net.gpkg", "b.gpkg", "a.gpkg", "d.gpkg"))
    corridor("network", "from-track", "--name", "Made", "-o", net, *first)
    corridor("analyze", "-n", net, "-o", before, *first)
    corridor("analyze", "-n", net, "-o", after, *second)
    said = corridor("diff", "-o", delta, before, after)
    check("it says what it found", "better" in said.stdout and not said.stderr, said.stdout.strip())
    for operator in ("Alfa", "Beta"):
        rows, summary = check_levels(before, after, delta, operator, EQUIPMENT)
        check_summary(rows, summary, operator)
        wrong = [r["segment"] for r in rows.values() if r["km_from"] > 26.1 and r["lte_usable_change"] != "unknown"]
        check(f"{operator}: not driven again is unknown", not wrong, wrong)
    rows = query(delta, "SELECT * FROM diff WHERE operator = 'Alfa'")
    found = [r for r in rows if r["lte_usable_change"] == "better"]
    check("better where the gap closed", sum(overlaps(r, 10, 14) for r in found) >= 38, len(found))
    worse = [r for r in rows if r["lte_usable_change"] == "worse"]
    check("worse where one opened", sum(overlaps(r, 20, 21.5) for r in worse) >= 13, len(worse))
    false = [r["segment"] for r in rows if r["lte_usable_change"] in ("better", "worse")
             and not overlaps(r, 9.9, 14.1) and not overlaps(r, 19.9, 21.6)]
    check("hardly anything else", len(false) <= 0.05 * (len(found) + len(worse)), false)
    gaps = {r["change"]: r for r in query(delta, "SELECT * FROM diff_gaps WHERE operator = 'Alfa' AND service = 'lte_usable'")}
    check("gaps: one closed, one new", set(gaps) == {"closed", "new"}, sorted(gaps))
    check("the closed one's length", 3700 <= gaps["closed"]["before_m"] <= 4200 and gaps["closed"]["after_m"] == 0)
    check("it is proved", gaps["closed"]["proved_m"] >= 0.9 * gaps["closed"]["before_m"])
    nowhere = query(delta, "SELECT * FROM diff_gaps WHERE operator = '(any)'")
    check("no gap of all operators", not nowhere, len(nowhere))
    cells = query(delta, "SELECT * FROM diff_cells WHERE operator = 'Alfa'")
    new = [c for c in cells if c["change"] == "new"]
    check("one new cell, certain", [(c["cell"], c["certain"]) for c in new] == [("99901-777", 1)], new)
    check("its chance", abs(new[0]["chance"] - (1 / 5) ** 3) < 1e-9)
    styles = query(delta, "SELECT styleQML FROM layer_styles WHERE f_table_name = 'diff' ORDER BY useAsDefault DESC")
    check("styles for each service", len(styles) == len(query(delta, "SELECT DISTINCT service FROM services")))
    check("of the columns that are there", all(
        s["styleQML"].split('attr="')[1].split('"')[0] in rows[0] for s in styles))
    again = os.path.join(work, "again.gpkg")
    corridor("diff", "-o", again, before, after)
    check("the same bytes again", open(delta, "rb").read() == open(again, "rb").read())
    corridor("diff", "--same-equipment", "-o", again, before, after)
    rows, _ = check_levels(before, after, again, "Alfa", 0.0)
    check("the same equipment: more is certain", sum(r["lte_usable_change"] == "better" for r in rows.values()) >= len(found))
    corridor("diff", "-o", again, before, before)
    check("nothing changed: nothing found", not query(again, "SELECT 1 FROM diff_summary WHERE km_better + km_worse > 0"))
    check("nor gaps, nor cells", not query(again, "SELECT 1 FROM diff_gaps WHERE change <> 'unchanged'")
          and not query(again, "SELECT 1 FROM diff_cells"))
    corridor("diff", "-o", delta, before, delta)
    check("on a result of diff itself", len(query(delta, "SELECT 1 FROM meta WHERE key LIKE 'diff_%'")) == 6
          and len(query(delta, "SELECT 1 FROM layer_styles WHERE f_table_name = 'diff'")) == len(styles))
    return net, before, after, first, second


def check_other_segments(work, net, before, second):
    coarse, delta = os.path.join(work, "coarse.gpkg"), os.path.join(work, "dc.gpkg")
    own = os.path.join(work, "own.gpkg")
    corridor("network", "from-track", "--name", "Made", "-o", own, *second)
    corridor("analyze", "-n", own, "--segment", "250", "-o", coarse, *second)
    done = corridor("diff", "-o", delta, before, coarse)
    check("it says that segments differ", "different segments (100 m and 250 m)" in done.stderr, done.stderr.strip())
    rows = query(delta, "SELECT * FROM diff WHERE operator = 'Alfa'")
    check("segments of 250 m", abs(rows[0]["length_m"] - 250) < 5)
    found = [r for r in rows if r["lte_usable_change"] == "better"]
    check("the closed gap is found all the same", sum(overlaps(r, 10, 14) for r in found) >= 14, len(found))
    check("said in the file", query(delta, "SELECT value FROM meta WHERE key = 'diff_rebinned'")[0]["value"] == "1")
    gaps = {r["change"] for r in query(delta, "SELECT * FROM diff_gaps WHERE operator = 'Alfa' AND service = 'lte_usable'")}
    check("gaps likewise", gaps == {"closed", "new"}, gaps)


def check_bad_input(work, net, before, after, first):
    def refuse(what, status, words, *arguments):
        out = os.path.join(work, "none.gpkg")
        done = corridor("diff", "-o", out, *arguments, status=status)
        check(what, words in done.stderr and done.stderr.count("\n") == 1 and not os.path.exists(out), done.stderr.strip())
    refuse("no file", 1, "nosuch.gpkg", before, os.path.join(work, "nosuch.gpkg"))
    refuse("not results", 1, "has no table", before, net)
    refuse("one file only", 2, "", before)
    refuse("a rate that is none", 2, "--rate", "--rate", "0.9", before, after)
    other = os.path.join(work, "voice.gpkg")
    corridor("analyze", "-n", net, "--profile", "voice", "-o", other, *first)
    area = os.path.join(work, "area.geojson")
    with open(area, "w", encoding="utf-8") as f:
        f.write('{"type": "Polygon", "coordinates": [[[14, 59], [16, 59], [16, 62], [14, 62], [14, 59]]]}')
    for what, words, sql in (
            ("results of an earlier version", "was made by an earlier version; run corridor analyze again",
             "ALTER TABLE evidence RENAME COLUMN packed TO levels"),
            ("passes cut off", "evidence row 3: the passes are damaged",
             "UPDATE evidence SET packed = substr(packed, 1, length(packed) - 1) WHERE fid = 3"),
            ("no passes", "evidence row 5: the passes are empty", "UPDATE evidence SET packed = NULL WHERE fid = 5"),
            ("another number of passes", "evidence row 4: has another number of passes than it says",
             "UPDATE evidence SET records = records + 1 WHERE fid = 4")):
        wrong = os.path.join(work, "wrong.gpkg")
        shutil.copyfile(before, wrong)
        with sqlite3.connect(wrong) as db:
            db.execute(sql)
        refuse(what, 1, f"wrong.gpkg: {words}", before, wrong)
        compared = corridor("compare", "--map", f"Alfa={area}", "-o", wrong + ".out", wrong, status=1)
        check(f"{what}: compare", f"wrong.gpkg: {words}" in compared.stderr and
              compared.stderr.count("\n") == 1, compared.stderr)
    refuse("no service in common", 1, "no service with the same thresholds", before, other)
    moved = os.path.join(work, "moved.csv")
    with open(os.path.join(work, "before0.csv"), encoding="utf-8") as f, open(moved, "w", encoding="utf-8") as g:
        for row in csv.reader(f):
            row[1] = row[1] if row[1] == "lat" else f"{float(row[1]) + 2:.6f}"
            g.write(",".join(row) + "\n")
    far = [os.path.join(work, n) for n in ("far.drive", "far-net.gpkg", "far.gpkg")]
    corridor("import", "-o", far[0], moved)
    corridor("network", "from-track", "--name", "Made", "-o", far[1], far[0])
    corridor("analyze", "-n", far[1], "-o", far[2], far[0])
    refuse("another place", 1, "no segment in common", before, far[2])


def check_report(work, before, after):
    delta, folder = os.path.join(work, "r.gpkg"), os.path.join(work, "report")
    corridor("diff", "-o", delta, before, after)
    corridor("report", "--lang", "en", "-o", folder, delta)
    page = open(os.path.join(folder, "index.html"), encoding="utf-8").read()
    summary = query(delta, "SELECT * FROM diff_summary WHERE operator = 'Alfa' AND service = 'lte_usable'")[0]
    check("the report has a section of it", 'id="changes"' in page)
    check("with the kilometres", f"{summary['km_better']:.2f}" in page and f"{summary['km_worse']:.2f}" in page)
    check("tables beside it", all(os.path.exists(os.path.join(folder, f"{t}.csv"))
                                  for t in ("diff", "diff_summary", "diff_gaps", "diff_cells")))


# ---- real drives ----

def shifted(source, target, keep, change):
    """Rows of a real recording whose number `keep` accepts; levels changed by change(lat, lon)."""
    with open(source, encoding="utf-8-sig") as f, open(target, "w", encoding="utf-8", newline="") as g:
        reader = csv.DictReader(f)
        writer = csv.DictWriter(g, reader.fieldnames)
        writer.writeheader()
        for i, row in enumerate(reader):
            if not keep(i):
                continue
            try:
                level = float(row["Signalstärke (RSRP) [dBm]"])
                row["Signalstärke (RSRP) [dBm]"] = str(int(min(-50, level + change(float(row["Breitengrad"]), float(row["Längengrad"])))))
            except ValueError:
                pass
            writer.writerow(row)


def check_real(work):
    days = ("2025-05-26", "2025-06-13")
    drives = []
    for day in days:
        drives.append(os.path.join(work, day + ".drive"))
        corridor("import", "--timezone", "Europe/Berlin", "-o", drives[-1],
                 *sorted(glob.glob(f"{DATA}/train-de/{day}/*/Netz*.csv")))
    net, delta = os.path.join(work, "de-net.gpkg"), os.path.join(work, "de.gpkg")
    corridor("network", "from-track", "--mode", "rail", "--name", "Line", "-o", net, *drives)
    for day, drive in zip(days, drives):
        corridor("analyze", "-n", net, "-o", os.path.join(work, day + ".gpkg"), drive)
    corridor("diff", "-o", delta, *(os.path.join(work, d + ".gpkg") for d in days))
    rows = query(delta, "SELECT * FROM diff_summary WHERE service = 'lte_usable'")
    check("two days on different lines: nothing is better or worse",
          len(rows) == 3 and all(r["km_better"] + r["km_worse"] == 0 for r in rows))
    check("what one day lacks is unknown", all(r["km_unknown"] >= r["km_not_measured"] > 0.99 * r["length_km"] for r in rows),
          [(r["operator"], r["km_not_measured"]) for r in rows])
    check("gaps of one day are not closed by the other", not query(
        delta, "SELECT 1 FROM diff_gaps WHERE change IN ('closed', 'new', 'longer', 'shorter')"))
    check("one drive each time is said", all("one drive" in r["note"] or "nothing" in r["note"] for r in rows))

    # every other row of a real day against the others: nothing changed but what is changed here
    source = sorted(glob.glob(f"{DATA}/train-de/{days[0]}/Telekom/Netz*.csv"))[0]
    middle = query(os.path.join(work, days[0] + ".drive"), "SELECT avg(lat_deg) m FROM fixes")[0]["m"] \
        if "lat_deg" in str(query(drives[0], "SELECT sql FROM sqlite_master WHERE name = 'fixes'")) else None
    latitudes = []
    with open(source, encoding="utf-8-sig") as f:
        for row in csv.DictReader(f):
            try:
                latitudes.append(float(row["Breitengrad"]))
            except ValueError:
                pass
    middle = middle or sorted(latitudes)[len(latitudes) // 2]
    results = []
    for number, keep, change in ((0, lambda i: i % 2 == 0, lambda lat, lon: 0),
                                 (1, lambda i: i % 2 == 1, lambda lat, lon: 0),
                                 (2, lambda i: i % 2 == 1, lambda lat, lon: 35 if lat > middle else 0)):
        path = os.path.join(work, f"half{number}.csv")
        shifted(source, path, keep, change)
        corridor("import", "--format", "breitband", "--operator", "Telekom", "--timezone", "Europe/Berlin", "-o",
                 path.replace(".csv", ".drive"), path)
        results.append(os.path.join(work, f"half{number}.gpkg"))
        if number == 0:
            net = os.path.join(work, "half-net.gpkg")
            corridor("network", "from-track", "--mode", "rail", "--name", "Line", "-o", net, drives[0])
        corridor("analyze", "-n", net, "-o", results[-1], path.replace(".csv", ".drive"))
    corridor("diff", "--same-equipment", "-o", delta, results[0], results[1])
    row = query(delta, "SELECT * FROM diff_summary WHERE service = 'lte_usable'")[0]
    check("a real day against itself: hardly anything found",
          row["km_better"] + row["km_worse"] <= 0.01 * row["km_compared"] and row["km_compared"] > 50,
          (row["km_better"], row["km_worse"], row["km_compared"], row["spread_db"], row["spread_from"]))
    corridor("diff", "--same-equipment", "-o", delta, results[0], results[2])
    found = query(delta, "SELECT lte_usable_change c, level_change, length_m FROM diff WHERE lte_usable_change IN ('better', 'worse')")
    right = sum(r["length_m"] for r in found if r["c"] == "better" and (r["level_change"] or 99) > 20) / 1000
    wrong = sum(r["length_m"] for r in found) / 1000 - right
    check("35 dB more on the northern half: found there, and hardly elsewhere", right > 5 and wrong <= 0.05 * (right + wrong), (right, wrong))


def main():
    with tempfile.TemporaryDirectory(prefix="corridor-diff-") as work:
        net, before, after, first, second = check_made(work)
        check_other_segments(work, net, before, second)
        check_bad_input(work, net, before, after, first)
        check_report(work, before, after)
        if os.path.isdir(f"{DATA}/train-de"):
            check_real(work)
        else:
            print("real drives: not run, no reference data; set CORRIDOR_DATA")
    sys.exit(1 if failures else 0)


main()
