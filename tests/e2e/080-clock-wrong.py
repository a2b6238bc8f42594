#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The box's clock is two years behind GPS at boot, and GPS comes late: all times end up right. Later
the clock is off by five more seconds: a step is recorded."""
import riglab

TWO_YEARS = 2 * 365 * 86400
lab = riglab.Lab(duration=30, gps_rate=5, gps__clock_offset_s=TWO_YEARS, gps__cold_start_s=5,
                 faults="[fault step]\nkind=clock-step\nat-s=16\nfor-s=1\nvalue=5\n")
lab.rig()
lab.gpsd()
lab.logger()
lab.finish()
truth = lab.truth("fixes")
first, last = truth[0]["time_ns"], truth[-1]["time_ns"]
for table in ("samples", "fixes", "events"):
    wrong = [r for r in lab.records(table)
             if not first - 10**9 <= r["time_ns"] <= last + 10**9]
    if wrong:
        riglab.fail(f"{table}: {len(wrong)} times are not GPS time, e.g. {wrong[0]}")
steps = lab.want_event("clock-step")
sizes = [e["value"] or 0 for e in steps]
if not any(abs(abs(s) - TWO_YEARS) < 10 for s in sizes):
    riglab.fail(f"no step of two years among {sizes}")
if not any(abs(abs(s) - 5) < 0.5 for s in sizes):
    riglab.fail(f"no step of five seconds among {sizes}")
lab.compare(quiet=[(None, 15, 28)], span=(7, 15), fixes=False)
origins = {c["origin"] for c in lab.records("clocks")}
if not {"system"} < origins:
    riglab.fail(f"clock mappings from {origins} only")
