#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Slots lost on a busy machine: loggers side by side on one made vehicle, eight modems at ten samples
a second, beside busy loops; one logger as it is, one with the priority that its unit gives it. Needs
root (a higher priority).

Usage: bench-load.py [SECONDS [BUSY_LOOPS [OTHER_LOGGER]]]"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
import riglab  # noqa: E402

if os.geteuid() != 0:
    riglab.skip("root is needed")
riglab.enter()
seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
loops = int(sys.argv[2]) if len(sys.argv) > 2 else 4
variants = [("as it is", riglab.LOGGER, []), ("nice -10", riglab.LOGGER, ["nice", "-n", "-10"])]
if len(sys.argv) > 3:
    variants.insert(0, ("the other", sys.argv[3], []))
MORE = "".join(f"[modem more{n}]\noperator={o}\ngain-db=-{n}\n"
               for n, o in enumerate(("Red", "Green", "Blue", "Red"), 4))
lab = riglab.Lab(duration=seconds + 30, faults=MORE)
lab.rig()
# The modems of a vehicle do not slow down with the box.
subprocess.run(["renice", "-n", "-15", "-p", str(lab.rig_process.pid)], check=True,
               stdout=subprocess.DEVNULL)
lab.gpsd()
runs = []
for number, (name, logger, prefix) in enumerate(variants):
    lab.drives_dir = lab.path(f"drives{number}")
    os.makedirs(lab.drives_dir)
    lab.configure(interval="100 ms", modem="cell-interval=1 s")
    with open(lab.path("logger.conf"), encoding="utf-8") as f:
        text = f.read().replace("logger.sock", f"logger{number}.sock")
    with open(lab.path(f"conf{number}"), "w", encoding="utf-8") as f:
        f.write(text)
    runs.append((name, lab.drives_dir, lab.start([*prefix, logger, "--config",
                                                  lab.path(f"conf{number}")],
                                                 stdout=subprocess.DEVNULL,
                                                 stderr=subprocess.DEVNULL)))
time.sleep(4)
busy = [lab.start(["sh", "-c", "while :; do :; done"]) for _ in range(loops)]
time.sleep(seconds)
for process in busy:
    process.kill()
for _, _, process in runs:
    process.terminate()
    process.wait(20)
print(f"{seconds} s beside {loops} busy loops, load {os.getloadavg()[0]:.1f}")
for name, lab.drives_dir, _ in runs:
    times = {}
    for sample in lab.records("samples"):
        if sample["request_ns"] is not None:
            times.setdefault(sample["source"], []).append(sample["request_ns"])
    lost = wanted = 0
    for asked in times.values():
        slots = round((max(asked) - min(asked)) / 1e8) + 1
        wanted += slots
        lost += max(0, slots - len(asked))
    events = lab.events("samples-lost")
    told = sum(e["value"] for e in events)
    print(f"{name:12} {lost} of {wanted} slots lost ({100 * lost / max(1, wanted):.3f} %), "
          f"{told:.0f} told by events" + "".join(sorted({f"; {e['detail']}" for e in events})))
