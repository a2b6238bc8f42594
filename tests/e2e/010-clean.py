#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A clean drive: three operators over QMI, one over MBIM; every sample and fix is the truth's."""
import riglab

lab = riglab.Lab(duration=20)
lab.rig()
lab.gpsd()
lab.configure(interval="500 ms")
lab.logger()
lab.finish()
lab.compare(span=(2, 19))
lab.want_event("start")
lab.want_event("stop")
changes = {m: [t["cell_id"] for t in lab.truth("samples") if t["source"] == m] for m in lab.modems}
for modem, cells in changes.items():
    true = sum(1 for a, b in zip(cells, cells[1:]) if a != b)
    if true:
        lab.want_event("cell-change", modem, least=max(1, true // 2))
neighbours = {(n["source"], n["pci"]) for n in lab.records("neighbours")}
for modem in ("red", "white"):
    if len([n for n in neighbours if n[0] == modem]) < 2:
        riglab.fail(f"{modem}: all neighbours alike: {neighbours}")
if not any(c["number"] for c in lab.records("carriers") if c["source"] == "red"):
    riglab.fail("no secondary carrier")
if {n["arfcn"] for n in lab.records("samples") if n["source"] == "green"} != {66536}:
    riglab.fail("an EARFCN beyond 16 bits is cut")
