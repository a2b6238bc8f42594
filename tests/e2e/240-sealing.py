#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives of an earlier run are sealed while eight modems are recorded at ten samples a second: no
sample is lost or late for it (side by side with as long a time without), and sealing gives way, in a
process of its own that leaves nothing behind in the logger. Ended or killed in the middle of
sealing, all drives are whole and the next start does the rest."""
import os
import random
import shutil
import signal
import sqlite3
import time

import drive_reader
import riglab

riglab.enter()
DOUBLINGS = 11
more = ""
for number, operator in enumerate(("Red", "Green", "Blue", "Red"), 4):
    more += f"[modem more{number}]\noperator={operator}\ngain-db=-{number}\n"
# Sealing has the lowest priority: how long it takes says how busy the machine is, not how good it is.
# As long as that may take the vehicle drives; the test ends when it is done.
duration = 900
PATIENCE_S = 60
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
old = [os.path.join(lab.drives_dir, f"earlier-{i}.drive") for i in range(4)]
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
    time.sleep(random.uniform(0.1, 0.5))
    began = time.monotonic()
    lab.stop_logger(how)
    took = time.monotonic() - began
    # Killed, the logger cannot end it; it ends by itself.
    lab.wait_for(lambda: not lab.sealing(), PATIENCE_S, "no process is left that seals")
    for path in old:
        if samples_in(path) != sizes[path]:
            riglab.fail(f"{path}: {samples_in(path)} samples of {sizes[path]} after {how.name}")
    print(f"{how.name}: ended in {took:.2f} s, {sum(map(is_sealed, old))} sealed, all whole")

# Left to itself: all become small while it records. The same time again without sealing.
lab.configure(interval="100 ms", modem="cell-interval=1 s")
# What a quiet machine has made small already, between start and end above, is not done again.
made_small = lab.read("logger.log").count("small\n")
to_do = len(old) - sum(map(is_sealed, old))
lab.logger(wait=False)
at_start = time.monotonic() - lab.began
lab.wait_for(lab.sealing, PATIENCE_S, "sealing begins")
spans, priorities, peak_kb, resident_kb, worked = [], set(), 0, 0, {}
while lab.read("logger.log").count("small\n") < made_small + to_do:
    if time.monotonic() - lab.began > duration - 300:
        given = sum(worked.values()) / os.sysconf("SC_CLK_TCK") / (duration - 300 - at_start)
        if given < 0.2:
            riglab.skip(f"the machine gave sealing {given:.1%} of a core: nothing to be judged")
        riglab.fail("the old drives are not sealed:", lab.read("logger.log")[-2000:])
    for pid in lab.sealing():
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        priorities.add(int(fields[16]))
        worked[pid] = int(fields[11]) + int(fields[12])
        peak_kb = max(peak_kb, int(fields[21]) * 4)
        resident_kb = max(resident_kb, lab.resident_kb())
        if spans and time.time() - spans[-1][1] < 0.2:
            spans[-1][1] = time.time()
        else:
            spans.append([time.time(), time.time()])
    time.sleep(0.02)
took = time.monotonic() - lab.began - at_start
busy_s = sum(b - a for a, b in spans)
lab.wait_for(lambda: not lab.sealing(), PATIENCE_S, "sealing is over")
quiet_from = time.time() + 1
time.sleep(min(max(busy_s, 10), 120) + 1)
quiet = [[quiet_from, time.time()]]
after_kb = lab.resident_kb()
lab.stop_logger()
if priorities != {19}:
    riglab.fail(f"the sealing process has priority {priorities}, not 19")
print(f"the sealing process took at most {peak_kb} kB, the logger {resident_kb} kB meanwhile and "
      f"{after_kb} kB at the end")
after = {path: os.path.getsize(path) for path in old}
print(f"sealed in {took:.1f} s beside the recording; "
      f"{before[old[0]] / 1e6:.1f} MB became {after[old[0]] / 1e6:.2f} MB")
for path in old:
    if samples_in(path) != sizes[path]:
        riglab.fail(f"{path}: {samples_in(path)} samples of {sizes[path]}")
    if after[path] > before[path] / 4:
        riglab.fail(f"{path} is not small: {after[path]} bytes of {before[path]}")
lab.integrity()

# What was recorded meanwhile, and after: ten samples a second of each modem.
newest = max(lab.drives(), key=lambda p: (p not in old, os.path.getmtime(p)))
labels = {s["id"]: s["label"] for s in drive_reader.records(newest, "sources")}
rows = [r for r in drive_reader.records(newest, "samples") if r["request_ns"] is not None]


def gaps(within):
    """Milliseconds between one sample of a modem and its next, those that begin in these spans,
    and how many samples fewer there are than slots of 100 ms."""
    found, missing = [], 0
    for number in [n for n, label in labels.items() if label in lab.modems]:
        times = sorted(r["time_ns"] / 1e9 for r in rows if r["source"] == number)
        for low, high in within:
            own = [t for t in times if low <= t < high]
            found += [1000 * (b - a) for a, b in zip(own, own[1:])]
            missing += max(0, round(10 * (own[-1] - own[0])) + 1 - len(own)) if own else 0
    return sorted(found), missing


shares = {}
for name, within in (("sealing", spans), ("not sealing", quiet)):
    found, lost = gaps(within)
    if len(found) < 200:
        riglab.fail(f"{len(found)} samples only while {name}")
    shares[name] = lost / (len(found) + lost)
    print(f"{name}: {sum(b - a for a, b in within):.1f} s, {len(found)} gaps of 100 ms wanted: "
          f"median {found[len(found) // 2]:.1f} ms, 99 % {found[int(len(found) * 0.99)]:.1f} ms, "
          f"longest {found[-1]:.1f} ms; {lost} samples lost")
if shares["sealing"] > shares["not sealing"] + 0.01:
    riglab.fail(f"samples lost while sealing: {shares}")
if resident_kb > 32 * 1024:
    riglab.fail(f"the logger took {resident_kb} kB while sealing")
