#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Eight modems at ten samples a second and GPS at ten: nothing is lost. CORRIDOR_LONG=1: five
minutes instead of twenty seconds."""
import os

import riglab

long = os.environ.get("CORRIDOR_LONG") == "1"
duration = 305 if long else 24
more = ""
for number, operator in enumerate(("Red", "Green", "Blue", "Red"), 4):
    more += f"[modem more{number}]\noperator={operator}\ngain-db=-{number}\n"
lab = riglab.Lab(duration=duration, faults=more)
lab.rig()
lab.gpsd()
lab.configure(interval="100 ms", modem="cell-interval=1 s")
lab.logger()
lab.at(5)
began, memory = lab.cpu_seconds(), lab.resident_kb()
lab.at(duration - 3)
used = (lab.cpu_seconds() - began) / (duration - 8)
grown = lab.resident_kb() - memory
print(f"CPU {100 * used:.2f} % of a core, resident {lab.resident_kb()} kB, grown {grown} kB")
lab.finish()
lab.compare(loss=0.01, lag=1.5, span=(3, duration - 2))
if len(lab.modems) != 8:
    riglab.fail("not eight modems")
