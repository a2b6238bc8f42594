#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The logger beside what a script would do: gpspipe, and one qmicli a second. One made vehicle, one
gpsd, one table: CPU in per cent of a core, memory as resident at the most, samples a second.

Usage: bench-logger.py [SECONDS of each measurement]"""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
import riglab  # noqa: E402

for tool in ("gpspipe", "qmicli", "gpsd"):
    if not shutil.which(tool):
        riglab.skip(f"{tool} is needed")
riglab.enter()
seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30
MORE = "".join(f"[modem more{n}]\noperator={o}\n"
               for n, o in enumerate(("Red", "Green", "Blue", "Red"), 4))
lab = riglab.Lab(duration=int(4 * seconds) + 60, gps_rate=10, faults=MORE)
lab.rig()
lab.gpsd()
TICKS = os.sysconf("SC_CLK_TCK")
rows = []


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


def measure(name, pids, rate):
    """Programs that run on; rate(seconds) gives the samples a second."""
    time.sleep(3)  # what only the start takes
    began, used = time.monotonic(), sum(lab.cpu_seconds(p) for p in pids)
    count = rate()
    time.sleep(seconds)
    took = time.monotonic() - began
    used = sum(lab.cpu_seconds(p) for p in pids) - used
    rows.append((name, 100 * used / took, max(map(resident_kb, pids)) / 1024,
                 (rate() - count) / took))


def run_logger(name, modems, **options):
    all_modems, lab.modems = lab.modems, {m: lab.modems[m] for m in modems}
    lab.configure(**options)
    lab.modems = all_modems
    lab.logger()
    measure(name, [lab.logger_process.pid], lab.live_samples)
    lab.stop_logger()
    shutil.rmtree(lab.drives_dir)


def run_qmicli():
    """One poll a second, as a script does it: a process for each."""
    device = lab.path("dev") + "/by-path/red"
    used = largest = 0.0
    polls = 0
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        started = time.monotonic()
        process = subprocess.Popen(["qmicli", "-d", device, "--device-open-qmi", "-p",
                                    "--nas-get-signal-info"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        if status != 0:
            riglab.fail("qmicli failed")
        used += usage.ru_utime + usage.ru_stime
        largest = max(largest, usage.ru_maxrss / 1024)
        polls += 1
        time.sleep(max(0, started + 1 - time.monotonic()))
    took = time.monotonic() - began
    rows.append(("qmicli, one modem, one value a second", 100 * used / took, largest, polls / took))


pipe = lab.start(["gpspipe", "-w", "-o", lab.path("gps.json"), f"localhost:{riglab.GPSD_PORT}"],
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
measure("gpspipe, positions at 10 Hz", [pipe.pid],
        lambda: lab.read("gps.json").count('"TPV"'))
pipe.kill()
run_qmicli()
run_logger("corridor-logger, one modem at 1 Hz, GPS at 10 Hz", ["red"], interval="1 s")
run_logger("corridor-logger, 8 modems at 10 Hz, GPS at 10 Hz", list(lab.modems), interval="100 ms",
           modem="cell-interval=1 s")
print(f"{'':52} {'CPU %':>7} {'MB':>6} {'1/s':>6}")
for name, cpu, memory, rate in rows:
    print(f"{name:52} {cpu:7.2f} {memory:6.1f} {rate:6.1f}")
script = rows[0][1] + rows[1][1]
print(f"gpspipe and qmicli together take {script / rows[2][1]:.1f} times the CPU of the logger that "
      f"records the same\nmodem, and {script / rows[3][1]:.1f} times that of the logger with eight "
      "modems at 10 Hz.")
