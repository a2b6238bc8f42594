#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments: at most one second lost each time, never a broken drive. 12 times;
CORRIDOR_LONG=1: 200 times."""
import os
import random
import sys
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
slowest = worst = 0
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
    # One second of commits and one interval.
    if lost > 1.25:
        riglab.fail(f"turn {turn}, seed {seed}: {lost:.2f} s lost")
    if turn % 10 == 0:
        lab.integrity()
lab.integrity()
print(f"{turns} kills: at most {worst:.2f} s lost, first sample stored after at most {slowest:.2f} s")
