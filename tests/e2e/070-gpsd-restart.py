#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gpsd is killed, started again, the receiver falls silent, then sends rubbish: positions come back,
samples never stop."""
import riglab

lab = riglab.Lab(duration=28, gps_rate=5, faults="""
[fault silence]
kind=gps-silence
at-s=14
for-s=4
[fault corrupt]
kind=gps-corrupt
at-s=20
for-s=3
""")
lab.rig()
lab.gpsd()
lab.configure(gps="stale-after=1 s")
lab.logger()
lab.at(5)
lab.gpsd_process.kill()
lab.gpsd_process.wait()
lab.at(8)
lab.gpsd()
lab.finish()
lab.compare(quiet=[(None, 20, 23)], span=(2, 19))
lab.want_event("gps-lost", after=4, before=9)
lab.want_event("gps-found", after=7, before=14)
lab.want_event("gps-lost", after=14, before=18)
lab.want_event("gps-found", after=17)
