#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The SIM is pulled and put back, with QMI and with MBIM."""
import riglab

lab = riglab.Lab(duration=26, gps_rate=5, faults="""
[fault sim]
kind=sim-lost
modem=red
at-s=6
for-s=8
[fault sim-mbim]
kind=sim-lost
modem=white
at-s=6
for-s=8
""")
lab.rig()
lab.gpsd()
lab.logger()
lab.finish()
lab.compare(span=(2, 25))
for modem in ("red", "white"):
    lab.want_event("sim-lost", modem, after=5, before=14)
    lab.want_event("sim-found", modem, after=13)
if lab.events("sim-lost", "blue"):
    riglab.fail("blue never lost its SIM")
