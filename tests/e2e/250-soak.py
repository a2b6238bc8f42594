#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An hour of trouble: eight modems reset at random, gpsd dies every minute. Memory, descriptors, the
main loop's answer and the rate of samples stay what they were; no drive is damaged, and the chain of
evidence is whole.

Usage: 250-soak.py [MINUTES [SEED]]; 60 minutes if not given."""
import os
import random
import socket
import statistics
import subprocess
import sys
import time

import drive_reader
import riglab

riglab.enter()
minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60
seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time()) % 100000
print(f"seed {seed}")
chance = random.Random(seed)
duration = int(minutes * 60) + 20
RESET_EVERY_S, AWAY_S, BACK_S, LOOK_EVERY_S = 90, 4, 16, 5

more = ""
for number, operator in enumerate(("Red", "Green", "Blue", "Red"), 4):
    more += f"[modem more{number}]\noperator={operator}\ngain-db=-{number}\n"
names = ["red", "green", "blue", "white"] + [f"more{n}" for n in range(4, 8)]
resets = {name: [] for name in names}
for name in names:
    at = chance.uniform(10, RESET_EVERY_S)
    while at < duration - 20:
        resets[name].append(at)
        kind = chance.choice(("reset", "vanish", "drop", "mute"))
        more += (f"[fault {name}-{int(at)}]\nkind={kind}\nmodem={name}\nat-s={at:.1f}\n"
                 f"for-s={AWAY_S}\n")
        at += BACK_S + chance.expovariate(1 / (RESET_EVERY_S - BACK_S))

lab = riglab.Lab(duration=duration, faults=more, path__speed_mps=25,
                 path__points=f"59.0,18.0 {59.0 + max(0.1, duration * 25 / 111000 * 1.1):.4f},18.0")
lab.rig()
lab.gpsd()
lab.configure(interval="200 ms", modem="cell-interval=1 s\nwedge-after=5 s",
              store=f"rotate-after={max(60, int(duration / 5))} s", gps="stale-after=2 s")
lab.logger()


def answer_ms():
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as ask:
        ask.connect(lab.path("logger.sock"))
        while ask.recv(65536):
            pass
    return 1000 * (time.monotonic() - began)


looks, gpsd_due, deaths = [], 30.0, 0
while (now := time.monotonic() - lab.began) < duration - 4:
    if lab.logger_process.poll() is not None:
        riglab.fail("the logger ended:", lab.read("logger.log")[-3000:])
    if now > gpsd_due and now < duration - 40:
        lab.gpsd_process.kill()
        lab.gpsd_process.wait()
        time.sleep(1.5)
        lab.gpsd()
        gpsd_due += 60
        deaths += 1
    looks.append((now, lab.resident_kb(),
                  len(os.listdir(f"/proc/{lab.logger_process.pid}/fd")), answer_ms()))
    time.sleep(LOOK_EVERY_S)
lab.stop_logger(seconds=30)
lab.wait_rig()
lab.integrity()

quarter = max(1, len(looks) // 4)
# The first quarter ends with the first drive that is sealed; from there on nothing is new.
first = statistics.median(kb for _, kb, _, _ in looks[quarter:2 * quarter])
last = statistics.median(kb for _, kb, _, _ in looks[-quarter:])
fds_first = statistics.median(n for _, _, n, _ in looks[:quarter])
fds_last = statistics.median(n for _, _, n, _ in looks[-quarter:])
answers = sorted(ms for _, _, _, ms in looks)
worst99 = answers[int(len(answers) * 0.99) - 1]
print(f"{minutes:g} minutes, {sum(map(len, resets.values()))} faults of modems, gpsd killed {deaths} "
      f"times; resident {first:.0f} kB early, {last:.0f} kB late; descriptors {fds_first:.0f} early, "
      f"{fds_last:.0f} late; main loop answers in {answers[len(answers) // 2]:.1f} ms (median), "
      f"{worst99:.1f} ms (99 %), {answers[-1]:.1f} ms (worst)")

for now, kb, fds, ms in looks[::max(1, len(looks) // 20)]:
    print(f"  {now:7.0f} s  {kb} kB  {fds} descriptors  {ms:.1f} ms")

# Polls outside the faults, by third of the run.
truth = lab.truth("fixes")
start = truth[0]["time_ns"]
rates = []
samples = lab.records("samples")
for third in range(3):
    low = 10 + third * (duration - 20) / 3
    high = 10 + (third + 1) * (duration - 20) / 3
    well = count = 0.0
    for name in names:
        free, at = [], low
        for reset in resets[name]:
            if low < reset < high:
                free.append((at, reset - 1))
            at = max(at, reset + BACK_S)
        free.append((at, high))
        free = [(a, b) for a, b in free if b - a > 2]
        well += sum(b - a for a, b in free)
        for sample in samples:
            second = (sample["time_ns"] - start) / 1e9
            if sample["source"] == name and sample["request_ns"] is not None and \
                    any(a <= second < b for a, b in free):
                count += 1
    rates.append(count / well)
print("samples a second and modem, away from faults:", ", ".join(f"{r:.3f}" for r in rates))
fixes = len([f for f in lab.records("fixes") if f["lat"] is not None])
print(f"{fixes} fixes of {len(truth)}; {len(lab.drives())} drives; "
      f"{len(lab.events('gps-lost'))} times GPS lost, {len(lab.events('modem-lost'))} modems lost")

# From the second quarter on all code is in memory, and sealing leaves nothing behind.
if last > first + 1024:
    riglab.fail(f"memory grew from {first:.0f} to {last:.0f} kB")
if fds_last > fds_first + 4:
    riglab.fail(f"descriptors grew from {fds_first:.0f} to {fds_last:.0f}")
if min(rates) < 0.95 * max(rates) or min(rates) < 4.5:
    riglab.fail(f"the rate of samples is not flat: {rates}")
if worst99 > 250:
    riglab.fail(f"the main loop took {worst99:.0f} ms")
if fixes < 0.85 * len(truth):
    riglab.fail(f"only {fixes} of {len(truth)} fixes")
corridor = os.path.join(riglab.BUILD, "analyzer/corridor")
without = [d for d in lab.drives() if not os.path.exists(d + ".evidence")]
if without:
    riglab.fail("no evidence of", without)
if os.path.exists(corridor):
    subprocess.run([corridor, "verify", *lab.drives()], check=True, stdout=subprocess.DEVNULL)
    print(f"{len(lab.drives())} drives verified")
for path in lab.drives():
    drive_reader.records(path, "samples")
