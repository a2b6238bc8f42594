#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM at any time, also before anything answers: exit 0, drives closed, whole and made small,
each with its evidence."""
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import riglab


def catches_sigterm(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        caught = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt:"))
    return caught >> (signal.SIGTERM - 1) & 1


riglab.enter()
seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(10**6)
print("seed", seed)
rng = random.Random(seed)
lab = riglab.Lab(duration=60, gps_rate=5)
lab.rig()
lab.gpsd()
lab.configure(interval="200 ms")
for turn in range(10):
    process = lab.logger(wait=False)
    # While its libraries are still being loaded nothing can be ended in order, nor has it begun.
    lab.wait_for(lambda: catches_sigterm(process.pid), 10, "the logger listens to SIGTERM")
    if turn > 0:
        time.sleep(rng.uniform(0, 2.5))
    began = time.monotonic()
    lab.stop_logger()
    if time.monotonic() - began > 5:
        riglab.fail(f"turn {turn}, seed {seed}: took {time.monotonic() - began:.1f} s to end")
lab.integrity()
for path in lab.drives():
    db = sqlite3.connect(path)
    if db.execute("SELECT value FROM meta WHERE key = 'closed'").fetchone() != ("1",):
        riglab.fail(f"{path} is not closed, seed {seed}")
    rows = db.execute("SELECT count(*) FROM samples").fetchone()[0]
    db.close()
    if rows > 0 or not os.path.exists(path + ".evidence"):
        riglab.fail(f"{path}: {rows} rows are not sealed, or it has no evidence, seed {seed}")
if lab.sealing():
    riglab.fail(f"a process is left: {lab.sealing()}")
corridor = os.path.join(riglab.BUILD, "analyzer/corridor")
if os.path.exists(corridor):
    subprocess.run([corridor, "verify", *lab.drives()], check=True, stdout=subprocess.DEVNULL)
print(f"{len(lab.drives())} drives, {len(lab.records('samples'))} samples")
