#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""QMI over MBIM gives the fuller set; older MBIM extensions still give what they have."""
import riglab

lab = riglab.Lab(duration=18, gps_rate=5, modem_red__protocol="qmi-over-mbim",
                 modem_green__protocol="mbim", modem_green__mbimex=1,
                 modem_white__mbimex=2)
lab.rig()
lab.gpsd()
lab.logger()
lab.finish()
# Without extensions RSRP comes with the cells only.
lab.compare(span=(4, 17), missing=0.75)
red = [s for s in lab.records("samples") if s["source"] == "red"]
if not any(s["band"] == 3 for s in red):
    riglab.fail("the fuller set (band) is missing over QMI over MBIM")
if not any(c["source"] == "red" for c in lab.records("carriers")):
    riglab.fail("no carriers over QMI over MBIM")
