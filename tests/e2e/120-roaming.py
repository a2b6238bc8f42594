#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The vehicle crosses a border: registered in a foreign network, then at home again."""
import riglab

lab = riglab.Lab(duration=22, gps_rate=5, faults="""
[fault border]
kind=roaming
at-s=6
for-s=8
text=24201
""")
lab.rig()
lab.gpsd()
lab.logger()
lab.finish()
lab.compare(span=(2, 21))
for modem in lab.modems:
    rows = [s for s in lab.records("samples") if s["source"] == modem]
    if {s["plmn"] for s in rows if s["plmn"]} < {"24201"} or \
            not any(s["plmn"] == "24201" for s in rows):
        riglab.fail(f"{modem}: networks {({s['plmn'] for s in rows})}")
    if modem != "blue" and not any(s["roaming"] == 1 for s in rows):
        riglab.fail(f"{modem}: roaming is not noted")
states = {(r["source"], r["state"]) for r in lab.records("registrations")}
if not {("red", "home"), ("red", "roaming"), ("white", "roaming")} <= states:
    riglab.fail(f"registrations {states}")
