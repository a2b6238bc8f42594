#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A modem hears but says nothing: an event, back-off, and samples again when it answers."""
import riglab

lab = riglab.Lab(duration=34, gps_rate=5, faults="""
[fault mute]
kind=mute
modem=red
at-s=6
for-s=8
[fault mute-mbim]
kind=mute
modem=white
at-s=7
for-s=8
""")
lab.rig()
lab.gpsd()
lab.configure(modem="timeout=1 s\nwedge-after=3 s")
lab.logger()
lab.finish()
lab.compare(quiet=[("red", 5, 26), ("white", 6, 27)], span=(2, 33))
for modem in ("red", "white"):
    lab.want_event("modem-silent", modem, after=5, before=16)
    late = lab.truth("fixes")[-1]["time_ns"] - 4 * 10**9
    if not any(s["time_ns"] > late for s in lab.records("samples") if s["source"] == modem):
        riglab.fail(f"{modem} never came back")
lab.want_event("modem-answers", "red", after=13)
for modem in ("blue", "green"):
    if lab.events("modem-silent", modem):
        riglab.fail(f"{modem} is called silent")
