#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The 5G leg is added and dropped while LTE stays: NR-NSA and LTE rows, nothing of the leg left over
in the LTE rows though the modem sends its -32768."""
import riglab

lab = riglab.Lab(scenario="endc", duration=24, gps_rate=5)
lab.rig()
lab.gpsd()
lab.configure(interval="500 ms", modem="card-interval=500 ms")
lab.logger()
lab.finish()
lab.compare(span=(2, 23))
for modem in ("red", "white"):
    rats = [s["rat"] for s in lab.records("samples") if s["source"] == modem]
    if not {"LTE", "NR-NSA"} <= set(rats):
        riglab.fail(f"{modem}: only {set(rats)}")
    lab.want_event("rat-change", modem, least=2)
    for sample in lab.records("samples"):
        if sample["rat"] == "LTE" and any(sample[c] is not None for c in
                                          ("nr_rsrp_dbm", "nr_sinr_db", "nr_pci")):
            riglab.fail(f"{modem}: a leg in an LTE row: {sample}")
# What the data systems say of it (DSD), beside what signal information says.
samples = [s for s in lab.records("samples") if s["source"] == "red"]
compared = wrong = 0
for record in lab.records("registrations"):
    near = [s["rat"] for s in samples if abs(s["time_ns"] - record["time_ns"]) < 1.5e9]
    if record["source"] != "red" or not record["bearer"] or len(set(near)) != 1:
        continue
    compared += 1
    wrong += (record["bearer"] == "LTE+NR") != (near[0] == "NR-NSA")
print(f"red: {compared} bearers compared, {wrong} differ")
if compared < 10 or wrong:
    riglab.fail(f"{wrong} of {compared} bearers are not what was on the air")
