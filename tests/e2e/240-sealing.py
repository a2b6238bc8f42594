#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives of an earlier run are sealed while eight modems are recorded at ten samples a second: no
sample is lost for it, and sealing gives way. Ended or killed in the middle of sealing, all drives
are whole and the next start does the rest. CORRIDOR_LONG=1: larger drives."""
import os
import random
import shutil
import signal
import sqlite3
import time

import drive_reader
import riglab

riglab.enter()
DOUBLINGS = 12
more = ""
for number, operator in enumerate(("Red", "Green", "Blue", "Red"), 4):
    more += f"[modem more{number}]\noperator={operator}\ngain-db=-{number}\n"
duration = 120
lab = riglab.Lab(duration=duration, faults=more)


def enlarge(source, path):
    """A drive as of a long day: its samples again and again, each time later."""
    shutil.copyfile(source, path)
    db = sqlite3.connect(path)
    for _ in range(DOUBLINGS):
        first, last = db.execute("SELECT min(time_ns), max(time_ns) FROM samples").fetchone()
        names = [row[1] for row in db.execute("PRAGMA table_info(samples)")]
        values = ", ".join(f"{n} + {last - first + 10**8}" if n in ("time_ns", "request_ns") else n
                           for n in names)
        db.execute(f"INSERT INTO samples SELECT {values} FROM samples ORDER BY rowid")
    db.execute("UPDATE extents SET n = (SELECT count(*) FROM samples AS s WHERE s.source ="
               " extents.source), last_ns = (SELECT max(time_ns) FROM samples AS s WHERE s.source ="
               " extents.source) WHERE kind = 'samples'")
    db.commit()
    n = db.execute("SELECT count(*) FROM samples").fetchone()[0]
    db.close()
    return n


def ask(path, sql):
    db = sqlite3.connect(path, timeout=10)
    value = db.execute(sql).fetchone()[0]
    db.close()
    return value


def samples_in(path):
    """As rows and in chunks."""
    return (ask(path, "SELECT count(*) FROM samples") +
            ask(path, "SELECT coalesce(sum(n), 0) FROM chunks WHERE kind = 'samples'"))


def is_sealed(path):
    return (ask(path, "SELECT count(*) FROM samples") == 0 and
            not os.path.exists(path + "-wal"))


# An hour before: recorded without sealing, then as large as that of a day.
lab.rig()
lab.gpsd()
lab.configure(interval="100 ms", modem="cell-interval=1 s", store="seal=no")
lab.logger()
lab.at(6)
lab.stop_logger()
short = lab.drives()[0]
if samples_in(short) != ask(short, "SELECT count(*) FROM samples"):
    riglab.fail("sealed in spite of seal=no")
old = [os.path.join(lab.drives_dir, f"earlier-{i}.drive") for i in range(3)]
sizes = {old[0]: enlarge(short, old[0])}
for path in old[1:]:
    shutil.copyfile(old[0], path)
    sizes[path] = sizes[old[0]]
os.unlink(short)
before = {path: os.path.getsize(path) for path in old}
print(f"{len(old)} drives of {sizes[old[0]]} samples, {before[old[0]] / 1e6:.1f} MB")

# Ended, and killed, while it seals.
lab.configure(interval="100 ms", modem="cell-interval=1 s", store="rotate-after=60 s")
for how in (signal.SIGTERM, signal.SIGKILL):
    lab.logger(wait=False)
    time.sleep(random.uniform(0.1, 1.0))
    began = time.monotonic()
    lab.stop_logger(how)
    took = time.monotonic() - began
    for path in old:
        if samples_in(path) != sizes[path]:
            riglab.fail(f"{path}: {samples_in(path)} samples of {sizes[path]} after {how.name}")
    print(f"{how.name}: ended in {took:.2f} s, {sum(map(is_sealed, old))} sealed, all whole")

# Left to itself: all become small while it records.
lab.logger(wait=False)
at_start = time.monotonic() - lab.began
lab.wait_for(lambda: all(map(is_sealed, old)), duration - at_start - 5, "all old drives are sealed")
took = time.monotonic() - lab.began - at_start
lab.at(max(time.monotonic() - lab.began + 5, at_start + 12))
priorities = []
for task in os.listdir(f"/proc/{lab.logger_process.pid}/task"):
    with open(f"/proc/{lab.logger_process.pid}/task/{task}/stat", encoding="utf-8") as f:
        head, rest = f.read().rsplit(")", 1)
    if head.endswith("(seal"):
        priorities.append(int(rest.split()[16]))
lab.stop_logger()
if priorities != [19]:
    riglab.fail(f"the sealing thread has priority {priorities}, not 19")
after = {path: os.path.getsize(path) for path in old}
print(f"sealed in {took:.1f} s beside the recording; "
      f"{before[old[0]] / 1e6:.1f} MB became {after[old[0]] / 1e6:.2f} MB")
for path in old:
    if samples_in(path) != sizes[path]:
        riglab.fail(f"{path}: {samples_in(path)} samples of {sizes[path]}")
    if after[path] > before[path] / 4:
        riglab.fail(f"{path} is not small: {after[path]} bytes of {before[path]}")
lab.integrity()

# What was recorded meanwhile: ten samples a second of each modem, without a hole.
newest = max(lab.drives(), key=lambda p: (p not in old, os.path.getmtime(p)))
labels = {s["id"]: s["label"] for s in drive_reader.records(newest, "sources")}
rows = [r for r in drive_reader.records(newest, "samples") if r["request_ns"] is not None]
lost = wanted = 0
for number, label in labels.items():
    times = sorted(r["time_ns"] for r in rows if r["source"] == number)
    if label not in lab.modems:
        continue
    if len(times) < 20:
        riglab.fail(f"{label}: {len(times)} samples only")
    slots = round((times[-1] - times[0]) / 1e8) + 1
    wanted += slots
    lost += max(0, slots - len(times))
print(f"{lost} of {wanted} samples lost while sealing")
if lost > 0.01 * wanted:
    riglab.fail(f"{lost} of {wanted} samples lost while sealing")
