#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A recorded drive is played again as if live, four times as fast from live rows, and then at its own
pace from the sealed drive that this made: record for record what was recorded, and each sample at the
place where it was measured."""
import math
import os
import shutil

import riglab

lab = riglab.Lab(duration=14, gps_rate=5)
lab.rig()
lab.gpsd()
lab.configure(interval="200 ms", modem="cell-interval=1 s", store="seal=no")
lab.logger()
lab.finish()
FIX = ("mode", "lat", "lon", "speed_mps", "heading_deg")


def places(source="red"):
    """Where the vehicle was at each sample, by time between two fixes."""
    fixes = [f for f in lab.records("fixes") if f["lat"] is not None]
    found, at = [], 0
    for sample in (s for s in lab.records("samples") if s["source"] == source):
        while at + 2 < len(fixes) and fixes[at + 1]["time_ns"] < sample["time_ns"]:
            at += 1
        a, b = fixes[at], fixes[at + 1]
        part = (sample["time_ns"] - a["time_ns"]) / (b["time_ns"] - a["time_ns"])
        found.append(tuple(a[k] + part * (b[k] - a[k]) for k in ("lat", "lon"))
                     if 0 <= part <= 1 else None)
    return found


def fixes_of():
    return [tuple(f.get(k) for k in FIX) for f in lab.records("fixes") if f["lat"] is not None]


TABLES = ("samples", "neighbours", "carriers", "antennas", "registrations")
TIMES = ("time_ns", "request_ns")


def played(table, source):
    """In the order in which they came, without their times."""
    return [tuple(sorted((k, v) for k, v in r.items() if k not in TIMES and v is not None))
            for r in lab.records(table) if r["source"] == source]


def answer_ms(source):
    return [round((s["time_ns"] - s["request_ns"]) / 1e6, 1) for s in lab.records("samples")
            if s["source"] == source and s["request_ns"] is not None]


def spans(source):
    """Seconds from the first to the last sample of the first time that it was played."""
    times = [s["time_ns"] for s in lab.records("samples") if s["source"] == source]
    return (times[:len(wanted["samples", source])][-1] - times[0]) / 1e9


wanted = {(t, m): played(t, m) for t in TABLES for m in lab.modems}
seconds = {m: spans(m) for m in lab.modems}
answers = {m: answer_ms(m) for m in lab.modems}
true_fixes, true_places = fixes_of(), places()
recording = lab.path("recorded.drive")
shutil.copy(lab.drives()[0], recording)

for turn, speed in (("rows", 4), ("sealed", 1)):
    shutil.rmtree(lab.drives_dir)
    with open(lab.path("logger.conf"), "w", encoding="utf-8") as f:
        f.write(f"[store]\nfolder={lab.drives_dir}\nkeep-free=1 MiB\nwarn-free=2 MiB\nseal=yes\n"
                f"[gps]\ndriver=replay\nfile={recording}\nspeed={speed}\n[status]\nsocket={lab.path('logger.sock')}\n")
        for name in lab.modems:
            f.write(f"[modem {name}]\ndriver=replay\nfile={recording}\nsource={name}\nspeed={speed}\n"
                    f"operator={lab.value('modem ' + name, 'operator', name)}\n")
    lab.logger()
    lab.wait_for(lambda: len(lab.events("modem-lost")) >= len(lab.modems), 30,
                 "all replays have ended")
    lab.stop_logger()
    lab.integrity()
    for (table, modem), rows in wanted.items():
        # Once it has ended it begins again: the second time is cut off by the stop.
        got = played(table, modem)[:len(rows)]
        if got != rows:
            different = next(i for i, (a, b) in enumerate(zip(got + [None], rows)) if a != b)
            riglab.fail(f"{turn}: {modem}: {table} {different} of {len(rows)} is "
                        f"{got[different:different + 1]}, not {rows[different]}")
    print(f"{turn}: {sum(map(len, wanted.values()))} records came again")
    got = fixes_of()[:len(true_fixes)]
    if got != true_fixes:
        different = next(i for i, (a, b) in enumerate(zip(got + [None], true_fixes)) if a != b)
        riglab.fail(f"{turn}: fix {different} of {len(true_fixes)} is {got[different:different + 1]}, "
                    f"not {true_fixes[different]}")
    off = [111195 * math.hypot(a[0] - b[0], (a[1] - b[1]) * math.cos(math.radians(a[0])))
           for a, b in zip(places(), true_places) if a is not None and b is not None]
    off.sort()
    print(f"{turn}: {len(off)} samples {off[len(off) // 2]:.2f} m (median), {off[-1]:.2f} m (worst) "
          "from where they were measured")
    if len(off) < 0.8 * len(true_places) or off[len(off) * 9 // 10] > 0.5:
        riglab.fail(f"{turn}: samples are not where they were measured: {off[-10:]}")
    for modem, real in answers.items():
        ends = [e["time_ns"] for e in lab.events("modem-lost", modem)]
        # From the logger's start, which no busy machine can make later than the playing's.
        took = (ends[0] - lab.events("start")[0]["time_ns"]) / 1e9
        if took < seconds[modem] / speed:
            riglab.fail(f"{turn}: {modem}: {seconds[modem]} s at speed {speed} were played in {took}")
        off = max(abs(a - b) for a, b in zip(answer_ms(modem), real))
        if off > 0.11:
            riglab.fail(f"{turn}: {modem}: request times are off by {off} ms")
    if turn == "rows":
        seconds = {m: spans(m) for m in lab.modems}
        os.replace(lab.drives()[0], recording)
