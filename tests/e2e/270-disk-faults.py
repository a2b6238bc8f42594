#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk on which each flush takes 2 s, then one that answers EIO, then ENOSPC, then EROFS: the slow
one costs no record and the logger stays answerable; the failing ones are events, recording goes on
by itself when the disk does, and every drive stays whole.

Usage: 270-disk-faults.py"""
import os
import socket
import time

import drive_reader
import riglab

SHIM = os.path.join(riglab.BUILD, "tests/rig/disk-fault.so")
if not os.path.exists(SHIM):
    riglab.skip("the failing disk is not built")
# faults come this long after the start, for so long; the recorder tries again each 10 s
PHASES = [(4, 8, "slow 2"), (16, 3, "eio"), (34, 3, "enospc"), (52, 3, "erofs")]
DURATION = 72
lab = riglab.Lab(duration=DURATION, gps_rate=5, path__speed_mps=25, path__points="59.0,18.0 59.1,18.0")
lab.rig()
lab.gpsd()
lab.configure(store="seal=no")
control = lab.path("fault")
with open(control, "w", encoding="utf-8"):
    pass
lab.logger(prefix=["env", f"LD_PRELOAD={SHIM}", f"DISK_FAULT={control}"])


def set_fault(text):
    with open(control + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(control + ".new", control)


def answer_s():
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as ask:
        ask.connect(lab.path("logger.sock"))
        while ask.recv(65536):
            pass
    return time.monotonic() - began


slowest = 0.0
for at, length, fault in PHASES:
    lab.at(at)
    set_fault(fault)
    while time.monotonic() - lab.began < at + length:
        slowest = max(slowest, answer_s())
        time.sleep(0.2)
    set_fault("")
lab.at(DURATION - 1)
lab.stop_logger(seconds=20)
lab.wait_rig()
beside = [name for name in os.listdir(lab.drives_dir) if name.endswith(("-wal", "-journal"))]
if beside:
    riglab.fail(f"not closed when the disk worked again: {beside}")
lab.integrity()
print(f"status answered within {1000 * slowest:.0f} ms during the faults")
if slowest > 1.5:
    riglab.fail(f"the main loop waited {slowest:.1f} s for the disk")

start = lab.truth("fixes")[0]["time_ns"]
failed = [round((e["time_ns"] - start) / 1e9, 1) for e in lab.events("disk-failed")]
full = [round((e["time_ns"] - start) / 1e9, 1) for e in lab.events("disk-full")]
resumed = [(round((e["time_ns"] - start) / 1e9, 1), e["value"], e["detail"])
           for e in lab.events("recording-resumed")]
print("disk-failed at", failed, "disk-full at", full, "resumed at", resumed)
if len(resumed) != 3:
    riglab.fail(f"recording was resumed {len(resumed)} times, not 3\n"
                f"{lab.read('logger.log')[-3000:]}")
if len(failed) < 2 or len(failed) + len(full) != 3:
    riglab.fail(f"disk-failed at {failed}, disk-full at {full}: not one for each fault")
for name in lab.modems:
    times = sorted((s["time_ns"] - start) / 1e9 for s in lab.records("samples")
                   if s["source"] == name)
    holes = [(round(a, 1), round(b, 1)) for a, b in zip(times, times[1:]) if b - a > 3.5]
    print(f"{name}: {len(times)} samples, holes {holes}")
    slow_from, slow_to = PHASES[0][0] - 1, PHASES[1][0] - 1
    if any(b > slow_from and a < slow_to for a, b in holes):
        riglab.fail(f"{name}: the slow disk cost samples: {holes}")
    if len(holes) > 3 or times[-1] < DURATION - 6:
        riglab.fail(f"{name}: holes {holes}, last sample at {times[-1]:.1f} s")
for path in lab.drives():
    drive_reader.records(path, "samples")
