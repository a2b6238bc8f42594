#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A modem vanishes and comes back as another device node behind the same lasting link."""
import riglab

lab = riglab.Lab(duration=30, gps_rate=5, faults="""
[fault renumber]
kind=renumber
modem=red
at-s=6
for-s=3
text=cdc-wdm9
[fault vanish]
kind=vanish
modem=white
at-s=8
for-s=4
""")
lab.rig()
lab.gpsd()
lab.logger()
lab.finish()
lab.compare(quiet=[("red", 5, 18), ("white", 7, 22)], span=(2, 29))
for modem in ("red", "white"):
    lab.want_event("modem-lost", modem, after=5)
    lab.want_event("modem-found", modem, after=8)
if len({s["source"] for s in lab.records("samples")}) != 4:
    riglab.fail("the renumbered modem became another source")
