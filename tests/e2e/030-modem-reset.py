#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A modem resets while the vehicle moves, another loses its connection once: both are back soon,
the others do not notice."""
import riglab

lab = riglab.Lab(duration=30, gps_rate=5, faults="""
[fault reset]
kind=reset
modem=red
at-s=6
for-s=3
[fault drop]
kind=drop
modem=green
at-s=14
for-s=0.5
""")
lab.rig()
lab.gpsd()
lab.logger()
lab.finish()
lab.compare(quiet=[("red", 5, 16), ("green", 13, 22)], span=(2, 29))
lab.want_event("modem-lost", "red", after=5)
lab.want_event("modem-found", "red", after=8)
lab.want_event("modem-lost", "green", after=13)
if lab.events("modem-lost", "blue") or lab.events("modem-lost", "white"):
    riglab.fail("a modem that was well is called lost")
