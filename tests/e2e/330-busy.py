#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The box is short of processor: the standing stream stops, what is due is recorded as skipped, and
all go on when the load is a quarter below busy-load; the modems are asked all the while."""
import os
import subprocess

import riglab
import probelab

# Trains are due at about 1, 6 and 11 s and take 2 s: the stream is under way when it gets busy.
BUSY, LESS, FREE = 4.5, 10, 13
MOST = os.cpu_count()  # busy-load=1

lab = probelab.Lab(links={"red": "wwan0"}, duration=19, gps_rate=5, faults="""
[link a]
modem=red
delay-ms=30
""")
file = lab.path("loadavg")


def load(value):
    with open(file, "w", encoding="ascii") as f:
        f.write(f"{value:.2f} {value:.2f} {value:.2f} 1/100 1000\n")


load(0)
if subprocess.run(["mount", "--bind", file, "/proc/loadavg"], capture_output=True).returncode != 0:
    riglab.skip("/proc/loadavg cannot be covered")
load(0.9 * MOST)
lab.configure_probes("stream-rate=20\ntrain-every=5 s\ntrain-every-distance=0 m\nbusy-load=1")
lab.rig()
lab.gpsd()
lab.logger()
for at, share in ((BUSY, 1.1), (LESS, 0.8), (FREE, 0.7)):
    lab.at(at)
    load(share * MOST)
lab.finish()

want = lab.want


def sent(low, high):
    return sum(r["sent"] for r in lab.records("latencies")
               if low <= lab.seconds(r["time_ns"]) < high)


def trains(status, low, high):
    return [p for p in lab.probes("train", "red", status)
            if low <= lab.seconds(p["time_ns"]) < high]


paused = lab.want_event("probes-paused", "red", after=BUSY - 0.5, before=BUSY + 3)
want([e["detail"] for e in paused] == ["cpu"], "paused for", paused)
lab.want_event("probes-resumed", "red", after=FREE - 0.5, before=FREE + 3)
want(sent(0, BUSY) > 0 and sent(FREE + 2, 19) > 0, "the stream did not run")
want(sent(BUSY + 2, FREE - 1) == 0, "the stream ran on", sent(BUSY + 2, FREE - 1))
want([p for p in lab.probes(source="red", status="cut") if p["reason"] == "cpu"], "nothing was cut")
want(trains("ok", 0, BUSY), "no train before")
skipped = trains("skipped", BUSY + 1, FREE)
want(skipped and all(p["reason"] == "cpu" for p in skipped), "skipped:", skipped)
want(not trains("ok", BUSY + 1, FREE - 0.5), "a train ran while the box was busy")
want(trains("ok", FREE, 19), "no train after")
asked = [s for s in lab.records("samples") if s["source"] == "red" and s["request_ns"] is not None
         and BUSY <= lab.seconds(s["time_ns"]) < FREE]
want(len(asked) >= FREE - BUSY - 2, "samples while the box was busy:", len(asked))
