#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The logger under valgrind: four modems by QMI and MBIM, one of which resets, gpsd that restarts,
a drive closed and sealed; then status and check. No wrong access, nothing definitely lost; nothing of
the libraries has to be excused."""
import glob
import os
import shutil
import subprocess
import time

import riglab

riglab.enter()
if not shutil.which("valgrind"):
    riglab.skip("valgrind is needed")
DURATION_S = 40
lab = riglab.Lab(duration=DURATION_S, gps_rate=2, faults="""
[fault reset]
kind=reset
modem=red
at-s=18
for-s=3
""")
lab.configure(interval="500 ms", store="seal=no")
lab.rig()
lab.gpsd()
os.environ.update(G_SLICE="always-malloc", G_DEBUG="gc-friendly")
valgrind = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
            f"--log-file={lab.path('valgrind')}-%p", "--num-callers=30"]


def logs():
    text = ""
    for path in glob.glob(lab.path("valgrind-*")):
        with open(path, encoding="utf-8", errors="replace") as f:
            text += f.read()
    return text


def check(code, what, good=(0,)):
    if code not in good:
        riglab.fail(f"{what} ended with {code}:\n{logs()[:12000]}")
    print(f"{what}: clean")


lab.logger(wait=False, prefix=valgrind)
lab.wait_for(lambda: lab.live_samples() > 0, 30, "the first sample")
lab.at(24)
lab.gpsd_process.kill()
lab.gpsd_process.wait()
time.sleep(1)
lab.gpsd()
check(subprocess.run([*valgrind, riglab.LOGGER, "status", "--socket", lab.path("logger.sock")],
                     stdout=subprocess.DEVNULL, check=False).returncode, "status")
lab.at(DURATION_S - 4)
lab.logger_process.terminate()
check(lab.logger_process.wait(120), "recording")
lab.integrity()
samples = lab.records("samples")
seen = {s["source"] for s in samples}
if seen != set(lab.modems) or not lab.events("modem-lost") or not lab.events("gps-lost"):
    riglab.fail("the drive was not what was meant:", seen, lab.events("modem-lost"),
                lab.events("gps-lost"))
for path in lab.drives():
    check(subprocess.run([*valgrind, riglab.LOGGER, "seal", path], check=False).returncode,
          "sealing")
check(subprocess.run([*valgrind, riglab.LOGGER, "check", "--config", lab.path("logger.conf")],
                     stdout=subprocess.DEVNULL, check=False).returncode, "check", good=(0, 1))
after = lab.records("samples")
if len(after) != len(samples):
    riglab.fail(f"{len(after)} samples of {len(samples)} after sealing")
print(f"{len(samples)} samples of {len(seen)} modems")
