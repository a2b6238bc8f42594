#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Modems known by the hash of their IMEI, which `check` shows: two of them, one over QMI and one over
MBIM beside them, change places; each goes on under its own name."""
import re
import subprocess
import time

import riglab

SWAP = 16
lab = riglab.Lab(duration=32, gps_rate=5, faults=f"""
[fault red]
kind=renumber
modem=red
at-s={SWAP}
for-s=3
text=cdc-wdm1
[fault green]
kind=renumber
modem=green
at-s={SWAP}
for-s=3
text=cdc-wdm0
[fault white]
kind=renumber
modem=white
at-s={SWAP}
for-s=2
text=mbim7
""")
lab.text = riglab.set_key(lab.text, "modem red", "device", "cdc-wdm0")
lab.text = riglab.set_key(lab.text, "modem green", "device", "cdc-wdm1")
lab.text = riglab.set_key(lab.text, "modem blue", "device", "cdc-wdm2")
lab.text = riglab.set_key(lab.text, "modem white", "device", "mbim3")
lab.rig()
lab.gpsd()
# The first start makes the key of the hashes.
lab.logger()
lab.stop_logger()


def check():
    return subprocess.run([riglab.LOGGER, "--config", lab.path("logger.conf"), "check"],
                          capture_output=True, text=True, timeout=60, check=False).stdout


hashes = dict(re.findall(r"(?m)^ok +modem (\w+): .*imei-hash ([0-9a-f]{12})$", check()))
if len(set(hashes.values())) != 4:
    riglab.fail("check does not show four hashes:", check())
with open(lab.path("logger.conf"), encoding="utf-8") as f:
    text = f.read()
for name, hashed in hashes.items():
    if name != "blue":  # stays known by its node, which nobody else may try
        where = "mbim*" if name == "white" else "cdc-wdm*"
        text = text.replace(f"device={lab.path('dev')}/by-path/{name}",
                            f"device={lab.path('dev')}/{where}\nimei-hash={hashed}")
with open(lab.path("logger.conf"), "w", encoding="utf-8") as f:
    f.write(text)
shown = check()
for name, hashed in hashes.items():
    if not re.search(rf"(?m)^ok +modem {name}: .*imei-hash {hashed}$", shown):
        riglab.fail(f"check does not find {name} by its hash:", shown)
# The logger's clock settles on late messages of gpsd at first; that is not what this is about.
started = time.monotonic() - lab.began
settling = [(modem, 0, started + 3) for modem in lab.modems]
lab.logger()
lab.finish()
lab.compare(quiet=settling + [(m, SWAP - 1, SWAP + 8) for m in ("red", "green", "white")],
            span=(12, 31))
for modem, to in (("red", "cdc-wdm0 .*cdc-wdm1"), ("green", "cdc-wdm1 .*cdc-wdm0"),
                  ("white", "mbim3 .*mbim7")):
    lab.want_event("modem-found", modem, after=SWAP)
    moved = lab.want_event("modem-renumbered", modem, after=SWAP)
    if not re.search(to, moved[0]["detail"]):
        riglab.fail(f"{modem} moved {moved[0]['detail']}")
for source in lab.records("sources"):
    if source["label"] in hashes and not source["device_hash"].startswith(hashes[source["label"]]):
        riglab.fail(f"{source['label']} is recorded with the IMEI of another")
if lab.events("modem-other") or lab.events("modem-reset"):
    riglab.fail("a modem was taken for another")
