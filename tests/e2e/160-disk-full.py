#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The disk fills up: recording stops with an event while keep-free is still free, what is there stays
whole and is deleted by nobody; once there is room it goes on."""
import os
import subprocess
import threading
import time

import riglab

KEEP_FREE = 1 << 20
lab = riglab.Lab(duration=90, gps_rate=10)
os.makedirs(lab.drives_dir)
mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=777", "tmpfs",
                          lab.drives_dir], capture_output=True, check=False)
if mounted.returncode != 0:
    riglab.skip("no right to mount")
filler = os.path.join(lab.drives_dir, "not-a-drive")
with open(filler, "wb") as f:
    f.write(bytes(4 << 20))


def free():
    disk = os.statvfs(lab.drives_dir)
    return disk.f_bavail * disk.f_frsize


least = [free()]


def watch():
    while True:
        least[0] = min(least[0], free())
        time.sleep(0.01)


threading.Thread(target=watch, daemon=True).start()
lab.rig()
lab.gpsd()
lab.configure(interval="100 ms", store="rotate-size=0 B\nseal=no\nevidence=no")
lab.logger()
lab.at(8)


def fill():
    """Another program takes what is left, all but keep-free and a little."""
    spare = free() - KEEP_FREE - (300 << 10)
    if spare > 0:
        with open(filler, "ab") as file:
            file.write(bytes(spare))


def stopped():
    fill()
    return "recording stops" in lab.read("logger.log")


lab.wait_for(stopped, 60, "the disk is full")
first = lab.drives()
time.sleep(2)
if lab.logger_process.poll() is not None:
    riglab.fail("the logger gave up:", lab.read("logger.log")[-2000:])
print(f"stopped after {lab.live_samples()} samples with {free()} bytes free, at least {least[0]}")
if least[0] < KEEP_FREE:
    riglab.fail(f"only {least[0]} bytes were left free, not {KEEP_FREE}")
if len(lab.events("disk-low")) != 1:
    riglab.fail("not one event told that the disk was low:", lab.events("disk-low"))
lab.want_event("disk-full")
kept = len(lab.records("samples"))
if kept < 100:
    riglab.fail("hardly anything was recorded")
os.unlink(filler)
lab.wait_for(lambda: "recording goes on" in lab.read("logger.log"), 30, "recording goes on")
time.sleep(2)
lab.stop_logger()
lab.integrity()
lab.want_event("recording-resumed")
if lab.drives()[:len(first)] != first or len(lab.records("samples")) <= kept:
    riglab.fail(f"{first} became {lab.drives()}")

# No room for the chunks of a drive: told, and it stays as it was.
def seal(path):
    return subprocess.run([riglab.LOGGER, "seal", path], capture_output=True, text=True, check=False)


before = len(lab.records("samples"))
with open(filler, "wb") as f:
    f.write(bytes(max(0, free() - (64 << 10))))
full = seal(first[0])
if full.returncode != 4 or len(full.stderr.splitlines()) != 1:
    riglab.fail(f"sealing on a full disk ended with {full.returncode}: {full.stderr}")
lab.integrity()
if len(lab.records("samples")) != before:
    riglab.fail("sealing on a full disk changed what is in the drive")
os.unlink(filler)
sealed = seal(first[0])
if sealed.returncode != 0 or len(lab.records("samples")) != before:
    riglab.fail(f"sealing ended with {sealed.returncode}: {sealed.stderr}")
print(full.stderr.strip())
