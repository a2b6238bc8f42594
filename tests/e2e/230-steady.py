#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Eight modems at ten samples a second and GPS at ten, for long: memory, descriptors and the main
loop's answer stay what they were, drives are rotated and sealed beside, no sample is lost.

Usage: 230-steady.py [MINUTES]; 3 minutes if not given."""
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import time

import drive_reader
import riglab

riglab.enter()
minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 3
duration = int(minutes * 60) + 15
LOOK_EVERY_S = 5

# A path that is long enough for the whole run.
more = ""
for number, operator in enumerate(("Red", "Green", "Blue", "Red"), 4):
    more += f"[modem more{number}]\noperator={operator}\ngain-db=-{number}\n"
lab = riglab.Lab(duration=duration, faults=more, path__speed_mps=25,
                 path__points=f"59.0,18.0 {59.0 + max(0.1, duration * 25 / 111000 * 1.1):.4f},18.0")
lab.rig()
lab.gpsd()
lab.configure(interval="100 ms", modem="cell-interval=1 s",
              store=f"rotate-after={max(60, int(duration / 4))} s")
lab.logger()


def answer_ms():
    """How long the main loop takes to answer, from outside."""
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as ask:
        ask.connect(lab.path("logger.sock"))
        while ask.recv(65536):
            pass
    return 1000 * (time.monotonic() - began)


def descriptors():
    return len(os.listdir(f"/proc/{lab.logger_process.pid}/fd"))


lab.at(12)
pid = lab.logger_process.pid
cpu_began, at_began = lab.cpu_seconds(), time.monotonic()
looks = []
while time.monotonic() < lab.began + duration - 3:
    looks.append((time.monotonic() - lab.began, lab.resident_kb(), descriptors(), answer_ms()))
    time.sleep(LOOK_EVERY_S)
cpu = 100 * (lab.cpu_seconds() - cpu_began) / (time.monotonic() - at_began)
with open(f"/proc/{pid}/status", encoding="utf-8") as f:
    peak = next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
status = subprocess.run([riglab.LOGGER, "status", "--json", "--socket", lab.path("logger.sock")],
                        capture_output=True, text=True, check=True).stdout
lab.stop_logger()
lab.wait_rig()

quarter = max(1, len(looks) // 4)
# From the second on: the first drive has been made small by then, and all code is in memory.
first = statistics.median(kb for _, kb, _, _ in looks[quarter:2 * quarter])
last = statistics.median(kb for _, kb, _, _ in looks[-quarter:])
answers = sorted(ms for _, _, _, ms in looks)
print(f"{minutes:g} minutes: CPU {cpu:.2f} % of a core; resident {first:.0f} kB in the second quarter, "
      f"{last:.0f} kB in the last, highest {peak} kB (with sealing)")
print(f"descriptors {min(n for _, _, n, _ in looks)} to {max(n for _, _, n, _ in looks)}; "
      f"main loop answers in {answers[len(answers) // 2]:.1f} ms (median), "
      f"{answers[int(len(answers) * 0.99)]:.1f} ms (99 %), {answers[-1]:.1f} ms (worst)")
step = max(1, len(looks) // 12)
for at, kb, fds, ms in looks[::step]:
    print(f"  {at:7.0f} s  {kb} kB  {fds} descriptors  {ms:.1f} ms")

lab.integrity()
lost = wanted = 0
for name in lab.modems:
    times = []
    for path in lab.drives():
        label = {s["id"]: s["label"] for s in drive_reader.records(path, "sources")}
        times += [s["time_ns"] for s in drive_reader.records(path, "samples")
                  if label[s["source"]] == name and s["request_ns"] is not None]
    times.sort()
    slots = round((times[-1] - times[0]) / 1e8)
    hole = max(b - a for a, b in zip(times, times[1:])) / 1e9
    wanted += slots
    lost += max(0, slots + 1 - len(times))
    print(f"  {name}: {len(times)} polled samples, {slots + 1} true, longest hole {hole:.2f} s")
fixes = sum(len(drive_reader.records(p, "fixes")) for p in lab.drives())
truth = sqlite3.connect(f"file:{lab.path('truth.drive')}?mode=ro", uri=True)
true_fixes = truth.execute("SELECT count(*) FROM fixes").fetchone()[0]
print(f"{lost} of {wanted} samples lost; {fixes} fixes of {true_fixes}; {len(lab.drives())} drives")
print(status[-600:] if os.environ.get("RIGLAB_KEEP") else "", end="")
told = sum(e["value"] for e in lab.events("samples-lost"))
if told < lost:
    riglab.fail(f"{lost} samples lost, {told} told")
if lost > 0.001 * wanted:
    riglab.fail(f"{lost} of {wanted} samples lost")
if last > first + 1024:
    riglab.fail(f"memory grew from {first:.0f} to {last:.0f} kB")
if looks[-1][2] > looks[0][2] + 2:
    riglab.fail(f"descriptors grew from {looks[0][2]} to {looks[-1][2]}")
