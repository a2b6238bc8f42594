#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments: at most one second lost each time, never a broken drive. 12 times;
CORRIDOR_LONG=1: 200 times. What the machine itself takes to write and flush a page meanwhile is measured
beside and allowed: on a busy disk that is the most of it."""
import os
import random
import sys
import threading
import time

import riglab

riglab.enter()
seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(10**6)
turns = 200 if os.environ.get("CORRIDOR_LONG") == "1" else 12
print("seed", seed)
rng = random.Random(seed)
lab = riglab.Lab(duration=20 + 6 * turns, gps_rate=5)
lab.rig()
lab.gpsd()
lab.configure(interval="100 ms")
slowest = worst = worst_flush = 0
flushes = []  # (when it began, how long it took)


def flush():
    """As the logger does, all the while: a page, and a second of waiting in small parts."""
    with open(lab.path("flush"), "wb", buffering=0) as f:
        while True:
            began = time.monotonic()
            f.write(bytes(4096))
            os.fsync(f.fileno())
            time.sleep(0.01)
            flushes.append((began, time.monotonic() - began - 0.01))


threading.Thread(target=flush, daemon=True).start()
for turn in range(turns):
    began = time.monotonic()
    before = set(lab.drives())
    lab.logger(wait=False)
    lab.wait_for(lambda: set(lab.drives()) - before, 10, "a drive")
    # of that drive: those of earlier turns are made small meanwhile
    lab.wait_for(lambda: lab.live_samples(set(lab.drives()) - before) > 0, 10, "a sample")
    slowest = max(slowest, time.monotonic() - began)
    time.sleep(rng.uniform(0.2, 1.8))
    killed_ns = time.time_ns()
    lab.logger_process.kill()
    lab.logger_process.wait()
    last = max((s["time_ns"] for s in lab.records("samples")), default=0)
    lost = (killed_ns - last) / 1e9
    worst = max(worst, lost)
    machine = max(took for at, took in flushes if at > time.monotonic() - 4)
    worst_flush = max(worst_flush, machine)
    # 0.8 s from commit to commit, one interval, the commit itself, and others who want the processor
    if lost > 1.25 + 2 * machine:
        riglab.fail(f"turn {turn}, seed {seed}: {lost:.2f} s lost, a flush took {machine:.2f} s")
    if turn % 10 == 0:
        lab.integrity()
lab.integrity()
print(f"{turns} kills: at most {worst:.2f} s lost, a flush of one page took up to "
      f"{worst_flush:.2f} s, first sample stored after at most {slowest:.2f} s")
