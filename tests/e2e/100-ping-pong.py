#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The serving cell changes every second: each change is an event with both cells."""
import itertools

import riglab


def steady_changes(cells):
    """Changes between cells that stayed for two polls; what is shorter may be missed."""
    runs = [(cell, len(list(run))) for cell, run in itertools.groupby(cells)]
    stayed = [cell for cell, length in runs if length >= 4]
    return len(list(itertools.groupby(stayed))) - 1


lab = riglab.Lab(duration=20, gps_rate=5, faults="""
[fault ping]
kind=ping-pong
modem=red
at-s=4
for-s=12
value=1.5
[fault ping-mbim]
kind=ping-pong
modem=white
at-s=4
for-s=12
value=1.5
""")
lab.rig()
lab.gpsd()
lab.configure(interval="200 ms", modem="cell-interval=200 ms")
lab.logger()
lab.finish()
lab.compare(span=(2, 19), wrong=0.02)
for modem in ("red", "white"):
    cells = [t["cell_id"] for t in lab.truth("samples") if t["source"] == modem]
    true = sum(1 for a, b in zip(cells, cells[1:]) if a != b)
    lab.want_event("cell-change", modem, least=steady_changes(cells) - 1)
    if len(lab.events("cell-change", modem)) > true + 2:
        riglab.fail(f"{modem}: more changes than there were ({true})")
