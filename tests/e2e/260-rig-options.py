#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the other scenarios leave out of the rig: UMTS and GSM as serving cells, a receiver on a
pseudo-terminal, the rig as gpsd with its pulse, and compressed time."""
import subprocess
import sys

import riglab

OLD = """[rig]
duration-s=20
seed=3
[path]
points=59.3300,18.0600 59.3400,18.0900
speed-mps=40
[gps]
output=udp:127.0.0.1:5000
[operator Old]
plmn=24024
[operator Older]
plmn=24025
[cell umts]
operator=Old
rat=UMTS
band=1
frequency-mhz=2140
arfcn=10700
spacing-m=900
cell-id=0x1230001
tac=120
pci=33
[cell gsm]
operator=Older
rat=GSM
band=8
frequency-mhz=940
arfcn=62
spacing-m=900
cell-id=0x4501
tac=130
pci=12
[modem old]
operator=Old
[modem older]
operator=Older
"""
riglab.enter()


def levels(lab, modem, column, low, high):
    values = [s[column] for s in lab.records("samples") if s["source"] == modem]
    if not values or any(v is None or not low <= v <= high for v in values[2:]):
        riglab.fail(f"{modem}: {column} is {values[:8]}")


def other_radio():
    """UMTS has RSCP and Ec/Io, GSM has RXLEV; neither has RSRP."""
    lab = riglab.Lab(text=OLD, duration=16)
    lab.rig()
    lab.gpsd()
    lab.configure(interval="500 ms")
    lab.logger()
    lab.finish()
    lab.compare(span=(3, 15), fixes=False, needed=("rat", "service", "cell_id"))
    levels(lab, "old", "rscp_dbm", -120, -25)
    levels(lab, "older", "rxlev_dbm", -113, -25)
    for sample in lab.records("samples"):
        if sample["rsrp_dbm"] is not None:
            riglab.fail("RSRP where there is none:", sample)


def receiver_on_a_pty():
    lab = riglab.Lab(duration=25, gps_rate=5)
    lab.text = riglab.set_key(lab.text, "gps", "output", "pty:" + lab.path("gps"))
    lab.rig()
    lab.gpsd(lab.path("gps"))
    lab.logger()
    lab.finish()
    lab.compare(span=(10, 24))
    if len([f for f in lab.records("fixes") if f["lat"] is not None]) < 40:
        riglab.fail("few fixes come through the pseudo-terminal")


def rig_is_gpsd():
    """GPS time is 2 s off the machine's clock; the pulse says so more exactly than messages."""
    lab = riglab.Lab(duration=16, gps_rate=5, gps__output=f"json:{riglab.GPSD_PORT}",
                     gps__pps="yes", gps__clock_offset_s=2)
    lab.rig()
    lab.logger()
    lab.finish()
    lab.compare(span=(3, 15))
    origins = {c["origin"] for c in lab.records("clocks")}
    if "pps" not in origins:
        riglab.fail("the pulse is not used:", origins)


def compressed():
    """Four times as fast: the vehicle comes four times as far, polls stay what they are."""
    lab = riglab.Lab(duration=40, gps_rate=5, rig__compress=4)
    lab.duration = 10
    lab.rig()
    lab.gpsd()
    lab.configure(interval="200 ms")
    lab.logger()
    lab.finish()
    lab.compare(span=(2, 9), noise_m=40)
    true = lab.truth("fixes")
    seconds = (true[-1]["time_ns"] - true[0]["time_ns"]) / 1e9
    if not 8 < seconds < 12:
        riglab.fail(f"40 s of scenario took {seconds} s")


PARTS = {part.__name__: part for part in (other_radio, receiver_on_a_pty, rig_is_gpsd, compressed)}
if len(sys.argv) > 1:
    PARTS[sys.argv[1]]()
    sys.exit(0)
# Each in a process of its own, which takes its rig and gpsd with it.
for name in PARTS:
    print("--", name, flush=True)
    if subprocess.run([sys.executable, __file__, name], check=False).returncode != 0:
        riglab.fail(name)
