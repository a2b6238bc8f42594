#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tunnel without GPS and without service: the hole in coverage is recorded as a measured one."""
import riglab

lab = riglab.Lab(duration=22, gps_rate=5,
                 faults="[tunnel t]\nfrom-m=540\nto-m=1170\nloss-db=120\n")
lab.rig()
lab.gpsd()
lab.configure(interval="500 ms", gps="stale-after=1 s")
lab.logger()
lab.finish()
lab.compare(span=(2, 21))
inside = [f["time_ns"] for f in lab.truth("fixes") if f["mode"] == 1]
low, high = inside[0] + 10**9, inside[-1] - 10**9
for modem in lab.modems:
    rows = [s for s in lab.records("samples") if s["source"] == modem and low < s["time_ns"] < high]
    if len(rows) < 6 or any(s["service"] != "none" or s["rsrp_dbm"] is not None for s in rows):
        riglab.fail(f"{modem}: in the tunnel {[(s['service'], s['rsrp_dbm']) for s in rows]}")
if any(f["lat"] is not None for f in lab.records("fixes") if low < f["time_ns"] < high):
    riglab.fail("a position in the tunnel")
lab.want_event("gps-lost")
lab.want_event("gps-found")
lab.want_event("rat-change", "red", least=2)
