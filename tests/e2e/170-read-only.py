#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that cannot be written, a store in use, a wrong configuration: one clear line, exit 1 or
2, and the store is not touched."""
import os
import subprocess

import riglab

lab = riglab.Lab(duration=25, gps_rate=5)
lab.rig()
lab.gpsd()
lab.configure()
lab.logger()
second = subprocess.run([riglab.LOGGER, "--config", lab.path("logger.conf")], capture_output=True,
                        text=True, timeout=20, check=False)
if second.returncode != 1 or not second.stderr.strip():
    riglab.fail("a second logger on one store:", second.returncode, second.stderr)
print("second:", second.stderr.strip().splitlines()[-1])
if lab.logger_process.poll() is not None:
    riglab.fail("the first logger ended")
lab.stop_logger()
lab.integrity()

mounted = subprocess.run("mount --bind . . && mount -o remount,bind,ro .", shell=True,
                         cwd=lab.drives_dir, capture_output=True, check=False)
if mounted.returncode == 0:
    third = subprocess.run([riglab.LOGGER, "--config", lab.path("logger.conf")],
                           capture_output=True, text=True, timeout=20, check=False)
    if third.returncode != 1 or "drives" not in third.stderr:
        riglab.fail("a read-only store:", third.returncode, third.stderr)
    print("read-only:", third.stderr.strip().splitlines()[-1])
    subprocess.run(["umount", lab.drives_dir], check=False)

with open(lab.path("logger.conf"), "a", encoding="utf-8") as f:
    f.write("[store]\nfoldre=/x\n")
fourth = subprocess.run([riglab.LOGGER, "--config", lab.path("logger.conf")], capture_output=True,
                        text=True, timeout=20, check=False)
if fourth.returncode not in (1, 2) or "logger.conf:" not in fourth.stderr:
    riglab.fail("a wrong key:", fourth.returncode, fourth.stderr)
print("wrong key:", fourth.stderr.strip())
missing = subprocess.run([riglab.LOGGER, "--config", os.path.join(lab.work, "none.conf")],
                         capture_output=True, text=True, timeout=20, check=False)
if missing.returncode not in (1, 2) or len(missing.stderr.strip().splitlines()) != 1:
    riglab.fail("no configuration:", missing.returncode, missing.stderr)
