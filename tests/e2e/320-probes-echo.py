#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where there is no reflector the logger's stream is ICMP echo: through an outage, told as one, and
with the daily budget used up in the end."""
import riglab
import probelab

OUT, BACK = 7, 11

lab = probelab.Lab(links={"red": "wwan0"}, duration=24, gps_rate=5, faults=f"""
[link a]
modem=red
delay-ms=30
[link b]
modem=red
at-s={OUT}
outage=yes
[link c]
modem=red
at-s={BACK}
delay-ms=30
""")
lab.configure_probes(f"""echo-target={probelab.FAR}
echo-rate=10
daily-budget=24 kB""", reflector=False)
lab.rig()
lab.gpsd()
lab.logger()
lab.finish()

want = lab.want
rows = [r for r in lab.records("latencies") if r["source"] == "red" and r["kind"] == "echo"]
trips = sorted(r["rtt_ms"] for r in rows if r["received"])
want(trips and 59.9 <= trips[0] < 75, "round trips", trips)
want(all(r["lost_up"] is None and r["lost_down"] is None for r in rows), "echo told ways apart")
dark = [r for r in rows if OUT + 0.5 <= lab.seconds(r["time_ns"]) < BACK - 1.5]
want(dark and all(r["sent"] > 0 and r["received"] == 0 for r in dark), "outage", dark)
lab.want_event("probe-silent", "red", after=OUT + 1, before=BACK + 1)
lab.want_event("probe-resumed", "red", after=BACK - 0.5, before=BACK + 5)
# 1.5 kB a second both ways: 24 kB are gone some time after the outage, and nothing is sent then.
reached = lab.want_event("budget-reached", "red", after=BACK)[0]
want([p for p in lab.probes("echo", "red", "cut") if p["reason"] == "budget"], "nothing was cut")
want(23000 <= reached["value"] <= 24000 + 1600, "budget reached at", reached["value"])
want(not [r for r in rows if r["time_ns"] > reached["time_ns"] + 1e9], "it went on")
want(lab.probes("train", "red") == [] and lab.probes("meeting", "red") == [],
     "trains or meetings without a reflector")
