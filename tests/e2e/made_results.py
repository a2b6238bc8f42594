#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""made_results.py OUT.gpkg [--km N] [--operators N] [--hostile] [--probes]: results as
`corridor analyze` writes them (corridor-out(5)), made: a winding line with known holes. For tests
of what reads results; every figure in it follows from the segments by the simplest arithmetic."""
import argparse
import math
import random
import sqlite3
import struct

SERVICES = [
    ("any_service", "Any service at all", "state", "LTE", -120.0, "dBm"),
    ("lte_usable", "4G/5G usable (RSRP at least -105 dBm)", "level", "LTE", -105.0, "dBm"),
    ("lte_strong", "4G/5G strong (RSRP at least -95 dBm)", "level", "LTE", -95.0, "dBm"),
    ("nr", "5G (SS-RSRP at least -110 dBm)", "level", "NR", -110.0, "dBm"),
    ("rtt_100", "Round trip at most 100 ms", "rtt", None, 100.0, "ms"),
    ("meeting", "Online meeting works", "meeting", None, 2.0, "grade"),
]
VERDICTS = ("covered", "not covered", "uncertain", "not measured")
HOSTILE = ["<script>alert(1)</script>", "'; system(\"touch /tmp/corridor-owned\"); #",
           "`touch /tmp/corridor-owned`\"&\\n{/Symbol a}@x", "=1+1|</svg><img src=x onerror=alert(2)>"]


def wkb_line(points):
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    head = b"GP\0\x03" + struct.pack("<i4d", 4326, min(xs), max(xs), min(ys), max(ys))
    body = struct.pack("<BII", 1, 2, len(points))
    return head + body + b"".join(struct.pack("<2d", *p) for p in points)


def wkb_point(x, y):
    return b"GP\0\x01" + struct.pack("<i", 4326) + struct.pack("<BI2d", 1, 1, x, y)


class Package:
    def __init__(self, path):
        self.db = sqlite3.connect(path)
        self.db.executescript("""
PRAGMA application_id=1196444487; PRAGMA user_version=10300;
CREATE TABLE gpkg_spatial_ref_sys(srs_name TEXT NOT NULL,srs_id INTEGER PRIMARY KEY,organization TEXT NOT NULL,
 organization_coordsys_id INTEGER NOT NULL,definition TEXT NOT NULL,description TEXT);
INSERT INTO gpkg_spatial_ref_sys VALUES('WGS 84',4326,'EPSG',4326,'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]',NULL),
 ('u',-1,'NONE',-1,'undefined',NULL),('u',0,'NONE',0,'undefined',NULL);
CREATE TABLE gpkg_contents(table_name TEXT PRIMARY KEY,data_type TEXT NOT NULL,identifier TEXT UNIQUE,description TEXT DEFAULT '',
 last_change DATETIME NOT NULL DEFAULT '2025-01-01T00:00:00.000Z',min_x DOUBLE,min_y DOUBLE,max_x DOUBLE,max_y DOUBLE,srs_id INTEGER);
CREATE TABLE gpkg_geometry_columns(table_name TEXT NOT NULL,column_name TEXT NOT NULL,geometry_type_name TEXT NOT NULL,
 srs_id INTEGER NOT NULL,z TINYINT NOT NULL,m TINYINT NOT NULL,PRIMARY KEY(table_name,column_name));""")

    def table(self, name, shape, rows):
        """rows: dicts of one shape, a "geom" among them where `shape` is not None."""
        if not rows:
            return
        kinds = {}
        for row in rows:
            for key, value in row.items():
                if kinds.get(key) in (None, "INTEGER"):
                    kinds[key] = ("BLOB" if isinstance(value, bytes) else "TEXT"
                                  if isinstance(value, str) else "REAL" if isinstance(value, float)
                                  else "INTEGER" if isinstance(value, int) else kinds.get(key))
        types = {k: v or "REAL" for k, v in kinds.items()}
        if shape:
            types["geom"] = shape
        columns = ", ".join(f'"{k}" {v}' for k, v in types.items())
        self.db.execute(f"CREATE TABLE {name}(fid INTEGER PRIMARY KEY, {columns})")
        marks = ", ".join("?" * len(types))
        names = ", ".join(f'"{k}"' for k in types)
        self.db.executemany(f"INSERT INTO {name}({names}) VALUES({marks})",
                            [tuple(r.get(k) for k in types) for r in rows])
        self.db.execute("INSERT INTO gpkg_contents(table_name,data_type,identifier,srs_id) VALUES(?,?,?,?)",
                        (name, "features" if shape else "attributes", name, 4326 if shape else 0))
        if shape:
            self.db.execute("INSERT INTO gpkg_geometry_columns VALUES(?,?,?,?,0,0)",
                            (name, "geom", shape, 4326))

    def close(self):
        self.db.commit()
        self.db.close()


def place(km):
    """A winding line north from 60 N 16 E."""
    return (16 + 0.6 * math.sin(km / 47) + 0.05 * math.sin(km / 6) + km / 400,
            60 + km / 130 + 0.01 * math.cos(km / 5))


def judge(service, threshold, segment, n, level, spread):
    if n == 0:
        return 0.0, 0.0, 1.0, "not measured", "no sample"
    if service == "nr":
        level -= 8
    if level is None or level < -124:
        share = 0.0
    else:
        limit = {"any_service": -122, "rtt_100": -108, "meeting": -103}.get(service, threshold)
        share = 0.5 * math.erfc((limit - level) / (spread * math.sqrt(2)))
    z, m = 1.96, max(n * 0.6, 1)
    mid = (share + z * z / 2 / m) / (1 + z * z / m)
    half = z / (1 + z * z / m) * math.sqrt(share * (1 - share) / m + z * z / 4 / m / m)
    low, high = max(0, mid - half), min(1, mid + half)
    verdict = "covered" if low > 0.5 else "not covered" if high < 0.5 else "uncertain"
    return share, low, high, verdict, "clear" if verdict != "uncertain" else "mixed"


def runs(items):
    """Maximal runs of not covered; at most two unmeasured or uncertain inside do not end one."""
    out, start, end, weak = [], None, None, 0
    for i, verdict in enumerate(items):
        if verdict == "not covered":
            start = i if start is None else start
            end, weak = i, 0
        elif start is not None and verdict in ("uncertain", "not measured") and weak < 2:
            weak += 1
        elif start is not None:
            out.append((start, end))
            start, weak = None, 0
    if start is not None:
        out.append((start, end))
    return out


def make(path, km, n_operators, hostile, probes, stations):
    rng = random.Random(7)
    corridor = 'Made line "North" <&>' if hostile else "Made line Norra stambanan"
    labels = (HOSTILE if hostile else ["Alfa", "Beta", "Gamma", "Delta"])[:n_operators]
    n = int(round(km * 10))
    package = Package(path)
    services = [s for s in SERVICES if probes or s[2] in ("state", "level")]
    rows, verdicts, changes = [], {}, []
    tunnels = {i for i in range(n) if (i * 0.1) % 61 > 59.3}
    for o, label in enumerate(labels):
        fade = 0.0
        for i in range(n):
            fade = 0.93 * fade + rng.gauss(0, 2.2)
            s = i / 10
            level = -92 - 9 * o / 3 + 13 * math.sin(s / (9 + o)) + fade
            if i in tunnels and o > 0:
                level = None
            elif i in tunnels:
                level -= 10
            samples = 0 if 0.42 < (s % 97) / 97 < 0.45 else rng.randint(2, 24)
            silent = level is None or level < -124
            p50 = None if silent or samples == 0 else round(level, 0)
            row = {"geom": wkb_line([place(s), place(s + 0.05), place(s + 0.1)]),
                   "segment": i + 1, "corridor": corridor, "edge": "1", "km_from": s,
                   "km_to": s + 0.1, "length_m": 100.0, "road": "rail", "name": None,
                   "tunnel": int(i in tunnels), "operator": label, "antenna": "cabin",
                   "passes": min(samples, 2), "days": min(samples, 2), "n": samples,
                   "n_effective": samples * 0.6, "n_level": 0 if silent else samples,
                   "n_no_service": samples if silent else 0, "n_limited": 0, "n_missing": 0,
                   "n_interpolated": 0, "seconds": samples * 1.0, "metres": samples * 25.0,
                   "rat": None if samples == 0 else "none" if silent else
                   "NR-NSA" if level > -88 else "LTE" if level > -110 else "UMTS",
                   "band": 20, "level_mean": p50, "level_p10": p50 and p50 - 5, "level_p50": p50,
                   "level_p90": p50 and p50 + 4, "sinr_p50": p50 and (p50 + 110) / 2,
                   "rsrq_p50": p50 and -11.0, "cells": 1, "cell_changes": int(i % 23 == 5 * o),
                   "rat_changes": 0, "short_stays": 0}
            for name in ("level_p10", "level_p50", "level_p90"):
                row[name + "_is"] = ("not measured" if samples == 0 else
                                     "no service" if silent else "value")
            if probes:
                row.update(rtt_n=samples, rtt_p50=None if silent or not samples else 40.0 + rng.random() * 30,
                           loss_share=None if not samples else 1.0 if silent else 0.01,
                           down_p50=None if silent or not samples else max(0.2, (level + 115) * 1.2),
                           meeting_is="not tested" if not samples else "fails" if silent else
                           "works" if level > -103 else "degraded")
            for sid, _, _, _, threshold, _ in services:
                share, low, high, verdict, reason = judge(sid, threshold, i, samples, level, 4.0) \
                    if level is not None or samples == 0 else (0.0, 0.0, 0.3, "not covered", "no service")
                row.update({f"{sid}_share": share if samples else None, f"{sid}_low": low if samples else None,
                            f"{sid}_high": high if samples else None, f"{sid}_n": samples,
                            f"{sid}_verdict": verdict, f"{sid}_reason": reason,
                            f"{sid}_grey": None if p50 is None else int(abs(p50 - threshold) <= 3)})
                verdicts.setdefault((label, sid), []).append((verdict, share))
            if row["cell_changes"]:
                changes.append({"geom": wkb_point(*place(s)), "corridor": corridor, "segment": i + 1,
                                "km": s, "operator": label, "antenna": "cabin", "kind": "cell",
                                "was": f"240-01-{i}", "is": f"240-01-{i + 1}", "short_stay": 0,
                                "time": "2025-05-26T14:47:05Z", "drive": 1})
            rows.append(row)
    package.table("segments", "LINESTRING", rows)
    package.table("corridors", "LINESTRING", [{
        "geom": wkb_line([place(i / 10) for i in range(0, n + 1)]), "corridor": corridor, "ref": None,
        "length_km": n / 10, "start_km": 0.0, "segments": n}])
    by_id = {(r["operator"], r["segment"]): r for r in rows}
    for sid, *_ in services:
        each = [verdicts[label, sid] for label in labels]
        any_, all_ = [], []
        for group in zip(*each):
            vs = [v for v, _ in group]
            any_.append(("covered" if "covered" in vs else "not measured" if "not measured" in vs else
                         "uncertain" if "uncertain" in vs else "not covered", max(s for _, s in group)))
            all_.append(("not covered" if "not covered" in vs else "not measured" if "not measured" in vs else
                         "uncertain" if "uncertain" in vs else "covered", min(s for _, s in group)))
        verdicts["(any)", sid], verdicts["(all)", sid] = any_, all_
    summary, gaps = [], []
    for label in labels + ["(any)", "(all)"]:
        for sid, *_ in services:
            found = verdicts[label, sid]
            found_gaps = sorted(runs([v for v, _ in found]), key=lambda g: (g[0] - g[1], g[0]))
            measured = [s for v, s in found if v != "not measured"]
            share = sum(measured) / len(measured) if measured else None
            lengths = [(b - a + 1) * 100.0 for a, b in found_gaps]
            row = {"corridor": corridor, "operator": label, "antenna": "cabin", "service": sid,
                   "length_km": n / 10}
            for verdict in VERDICTS:
                row["km_" + verdict.replace(" ", "_")] = sum(v == verdict for v, _ in found) / 10
            levels = sorted(by_id[label, i + 1]["level_p50"] for i in range(n)
                            if label in labels and by_id[label, i + 1]["level_p50"] is not None)
            row.update(
                km_grey=1.0, share=share, share_low=share and max(0, share - 0.03),
                share_high=share and min(1, share + 0.03), interval="blocks", block_m=1000.0,
                share_time=share, seconds=3600.0, seconds_with=3600 * (share or 0), passes=2, days=2,
                n=sum(by_id[label, i + 1]["n"] for i in range(n)) if label in labels else 9 * n,
                n_segments=len(measured), n_effective=len(measured) * 0.2, decorrelation_m=420.0,
                gaps=len(lengths), gap_longest_m=max(lengths, default=None),
                gap_longest_from_km=found_gaps[0][0] / 10 if found_gaps else None,
                gap_longest_to_km=(found_gaps[0][1] + 1) / 10 if found_gaps else None,
                gap_mean_m=sum(lengths) / len(lengths) if lengths else None,
                gap_weighted_m=sum(x * x for x in lengths) / sum(lengths) if lengths else None,
                gaps_per_100km=len(lengths) / (n / 1000),
                level_p10=levels[len(levels) // 10] if levels else None,
                level_p50=levels[len(levels) // 2] if levels else None,
                level_p90=levels[len(levels) * 9 // 10] if levels else None,
                rtt_p50=52.0 if probes and label in labels else None,
                rtt_p90=81.0 if probes and label in labels else None,
                loss_share=0.02 if probes and label in labels else None,
                down_p10=2.5 if probes and label in labels else None,
                down_p50=22.5 if probes and label in labels else None,
                meeting_green=0.7 if probes and label in labels else None,
                meeting_yellow=0.1 if probes and label in labels else None,
                meeting_red=0.1 if probes and label in labels else None,
                meeting_black=0.1 if probes and label in labels else None,
                cell_changes_per_100km=43.5 if label in labels else None,
                rat_changes_per_100km=12.0 if label in labels else None,
                enough=1, note=None, index=61.0 if label in labels else None)
            summary.append(row)
            for rank, (a, b) in enumerate(found_gaps, 1):
                gaps.append({"geom": wkb_line([place(a / 10), place((b + 1) / 10)]), "corridor": corridor,
                             "operator": label, "antenna": "cabin", "service": sid, "km_from": a / 10,
                             "km_to": (b + 1) / 10, "length_m": (b - a + 1) * 100.0, "unknown_m": 0.0,
                             "segments": b - a + 1, "rank": rank, "no_service_m": 0.0,
                             "level_p50": -117.0, "passes": 2, "seconds": (b - a + 1) * 4.0})
    package.table("summary", None, summary)
    package.table("gaps", "LINESTRING", gaps)
    package.table("changes", "POINT", changes)
    package.table("operators", None, [
        {"corridor": corridor, "antenna": "cabin", "service": sid, "operator": label,
         "km_compared": n / 10, "km_best": n / 10 / (o + 2), "km_tied": 3.0,
         "km_only": None if sid is None else 1.5, "km_none": 2.0}
        for sid in [None] + [s[0] for s in services] for o, label in enumerate(labels)])
    package.table("pairs", None, [
        {"corridor": corridor, "antenna": "cabin", "service": sid, "operator_a": a, "operator_b": b,
         "km_compared": n / 10, "km_both": 4.0, "km_a_only": 3.0, "km_b_only": 2.0, "km_neither": 1.0,
         "km_undecided": n / 10 - 10, "level_difference_p50": 2.0 if sid is None else None}
        for sid in [None] + [s[0] for s in services]
        for i, a in enumerate(labels) for b in labels[i + 1:]])
    package.table("drives", None, [
        {"id": 1, "name": "made-1.drive", "digest": "c0ffee" * 10 + "abcd", "first_time": "2025-05-26T14:47:05Z",
         "last_time": "2025-05-26T17:02:00Z", "vehicle": "X2000", "problems": None}])
    package.table("sources", None, [
        {"id": i + 1, "drive": 1, "number": i, "label": label, "operator": label, "antenna": "cabin",
         "kind": "phone", "model": "Made <1>", "firmware": None, "antenna_gain_dbi": None,
         "cable_loss_db": None, "floor_dbm": None, "correction_db": 0.0, "correction": None}
        for i, label in enumerate(labels)])
    package.table("quality", None, [
        {"drive": 1, "source": i + 1, "operator": label, "antenna": "cabin", "fixes": 9000,
         "fixes_matched": 8800, "fixes_off_network": 120, "fixes_rejected": 60, "fixes_repeated": 20,
         "accuracy_p50_m": 6.5, "distance_p50_m": 3.1, "distance_p95_m": 14.0, "samples": 13000,
         "samples_at_fix": 12000, "samples_interpolated": 600, "samples_off_network": 300,
         "samples_no_position": 80, "samples_uncertain": 20, "samples_missing": 11,
         "samples_used": 12589, "seconds_used": 8000.0, "seconds_no_position": 80.0,
         "seconds_off_network": 300.0, "samples_per_segment_p50": 9.0, "refused_values": 3,
         "interval_p50_s": 1.0} for i, label in enumerate(labels)])
    package.table("services", None, [
        {"position": i, "service": sid, "title": title, "quantity": quantity, "rat": rat,
         "threshold": threshold, "unit": unit, "above": int(quantity not in ("rtt", "loss")),
         "required": 0.5, "min_samples": 3, "min_passes": 1, "min_days": 1,
         "threshold_source": "chosen by the project", "required_source": "chosen by the project",
         "link": None} for i, (sid, title, quantity, rat, threshold, unit) in enumerate(services)])
    if stations:
        package.table("stations", "POINT", [
            {"geom": wkb_point(*place(k)), "corridor": corridor, "name": f"Station {k:.0f}" if not hostile
             else "'`touch /tmp/corridor-owned`\"<b>", "km": float(k)}
            for k in range(0, n // 10 + 1, max(1, n // 100))])
    package.table("meta", None, [{"key": k, "value": v} for k, v in {
        "software": "corridor", "version": "0.1.0", "created_for": "2025-05-26T17:02:00Z",
        "profile": "default", "profile_title": "Corridor default", "profile_digest": "ab" * 32,
        "network": "net.gpkg", "network_digest": "cd" * 32, "segment_m": "100", "confidence": "0.95",
        "seed": "1", "bootstrap": "2000", "pooled": "0", "outdoor": "0", "options": "",
        "drives": "1", "samples": "39000", "decibel_grey": "3"}.items()])
    package.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--km", type=float, default=120)
    parser.add_argument("--operators", type=int, default=3)
    parser.add_argument("--hostile", action="store_true")
    parser.add_argument("--probes", action="store_true")
    parser.add_argument("--stations", action="store_true")
    a = parser.parse_args()
    make(a.out, a.km, a.operators, a.hostile, a.probes, a.stations)
