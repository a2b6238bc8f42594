#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The disk fills up: recording stops with an event, what is there stays whole; a disk that cannot be
written is told in one line."""
import os
import subprocess

import riglab

lab = riglab.Lab(duration=40, gps_rate=10)
os.makedirs(lab.drives_dir)
mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1200k,mode=777", "tmpfs",
                          lab.drives_dir], capture_output=True, check=False)
if mounted.returncode != 0:
    riglab.skip("no right to mount")
lab.rig()
lab.gpsd()
lab.configure(interval="100 ms", store="seal=no\nrotate-size=0 B")
with open(lab.path("logger.conf"), encoding="utf-8") as f:
    text = f.read().replace("keep-free=1 MiB", "keep-free=200 KiB") \
                   .replace("warn-free=2 MiB", "warn-free=600 KiB")
with open(lab.path("logger.conf"), "w", encoding="utf-8") as f:
    f.write(text)
lab.logger()
lab.at(30)
if lab.logger_process.poll() is not None:
    riglab.fail("the logger gave up:", lab.read("logger.log")[-2000:])
lab.stop_logger()
free = os.statvfs(lab.drives_dir)
print(f"free at the end: {free.f_bavail * free.f_frsize} bytes, "
      f"{len(lab.records('samples'))} samples kept, events {sorted({e['kind'] for e in lab.records('events')})}")
lab.integrity()
if len(lab.records("samples")) < 100:
    riglab.fail("hardly anything was recorded")
kinds = {e["kind"] for e in lab.records("events")}
if not kinds & {"disk-low", "disk-full"}:
    riglab.fail(f"no event tells of the full disk: {kinds}\n{lab.read('logger.log')[-2000:]}")
