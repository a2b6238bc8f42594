#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The unmodified logger runs every kind of probe as configured, on four modems at once: over links
that work, and while an interface goes away, an address changes, a network is foreign, and names
cannot be looked up. All of it is told, and all of it goes on afterwards."""
import riglab
import probelab

GONE, BACK = 20, 25          # s: green's interface
MOVED = 20                   # blue's address
BORDER, HOME = 20, 27        # white is abroad
DEAF, HEARS = 31, 38         # the name server
LINKS = {"red": "wwan0", "green": "wwan1", "blue": "wwan2", "white": "wwan3"}
DELAY = {"red": 20, "green": 30, "blue": 15, "white": 25}

lab = probelab.Lab(links=LINKS, duration=58, gps_rate=5, faults=f"""
[fault border]
kind=roaming
modem=white
at-s={BORDER}
for-s={HOME - BORDER}
text=24201
""" + "".join(f"""
[link {modem}]
modem={modem}
delay-ms={delay}
up-kbps=20000
down-kbps=40000
""" for modem, delay in DELAY.items()))
lab.own_names()
lab.configure_probes(f"""train-every-distance=1500 m
train-down=3
train-up=3
meeting-every=90 s
meeting-length=5 s
download-every=90 s
upload-every=90 s
transfer-length=2 s
warm-up=500 ms
{probelab.TRANSFERS}""", name=probelab.NAME)
lab.rig()
lab.gpsd()
lab.logger()

lab.at(GONE)
green, blue = lab.links["green"], lab.links["blue"]
green.close()
lab.net.run(blue.client, ["ip", "address", "del", blue.client_address, "peer", blue.address, "dev",
                          "wwan2"])
lab.net.run(blue.client, ["ip", "address", "add", "10.99.0.1", "dev", "wwan2"])
lab.net.run(blue.client, ["ip", "route", "replace", "default", "dev", "wwan2", "metric", "103"])
lab.net.run(blue.server, ["ip", "route", "add", "10.99.0.1", "dev", "lab0"])
lab.at(BACK)
green.open("wwan1", down=1)
green.set("both delay=30 rate=20")
lab.at(DEAF)
lab.names.silent = True
lab.at(HEARS)
lab.names.silent = False
lab.finish()
lab.compare(span=(2, 57), modems=["red"])

want = lab.want
latencies = lab.records("latencies")
throughputs = lab.records("throughputs")


def rows(modem, begin, end):
    """Seconds of the stream that began between these."""
    return [r for r in latencies if r["source"] == modem and r["kind"] == "stamp" and
            begin <= lab.seconds(r["time_ns"]) < end]


ratios = []
for modem in LINKS:
    done = {(p["kind"], p["direction"]) for p in lab.probes(source=modem, status="ok")}
    kinds = {kind for kind, _ in done}
    want({"stamp", "train", "meeting", "throughput"} <= kinds, modem, "ran only", done)
    want({("throughput", "down"), ("throughput", "up")} <= done, modem, "transfers", done)
    ran = sorted((p["time_ns"], p["end_ns"], p["kind"]) for p in lab.probes(source=modem)
                 if p["status"] != "skipped")
    want(not [1 for a, b in zip(ran, ran[1:]) if b[0] < a[1] - 1000000], modem, "overlap", ran)
    passive = [r for r in throughputs if r["source"] == modem and r["kind"] == "passive"]
    want({r["direction"] for r in passive} == {"down", "up"}, modem, "no passive rows")
    want(any(r["rate_bps"] and r["rate_bps"] > 5e6 for r in passive), modem, "passive rates")
    trains = [r for r in throughputs if r["source"] == modem and r["kind"] == "train"]
    want({r["direction"] for r in trains} == {"down", "up"}, modem, "no trains")
    # What the capture saw while a probe ran is what the probe counted.
    for probe in lab.probes(source=modem, status="ok"):
        ratio = probe["passive_ratio"]
        if probe["kind"] == "stamp":
            want(ratio is None, modem, "a ratio of a stream", probe)
            continue
        ratios.append(ratio)
        want(ratio is None or 0.98 <= ratio <= 1.02, modem, "probe and capture", probe)
        way = {"down": "bytes_down", "up": "bytes_up"}.get(probe["direction"])
        if ratio and way:
            # All of it: content and a little more, up also what was not yet acknowledged.
            want(probe[way] <= probe["passive_" + probe["direction"]] <= 1.3 * probe[way], modem,
                 "goodput", probe)
    meeting = lab.probes("meeting", modem, "ok")[0]
    want(meeting["setup_ms"] >= 4 * DELAY[modem], modem, "set up after", meeting["setup_ms"])
    judged = [r for r in lab.records("meetings")
              if r["source"] == modem and r["probe"] == meeting["id"] and not r["is_window"]]
    want(len(judged) == 5, modem, len(judged), "seconds of a meeting of 5")
    # The way it went, and what the modem saw.
    for word in ("from_lat", "to_lat", "metres", "level_min_dbm", "cells"):
        want(f'"{word}":' in meeting["detail"], modem, word, "is not in", meeting["detail"])
    trips = sorted(r["rtt_ms"] for r in rows(modem, 3, 20) if r["received"])
    want(trips and 2 * DELAY[modem] - 0.1 <= trips[0] < 2 * DELAY[modem] + 20, modem,
         "round trips", trips)
    # It goes on to the end.
    want(sum(r["received"] for r in rows(modem, 48, 57)) > 100, modem, "is silent at the end")
    last = max(lab.probes(source=modem), key=lambda p: p["time_ns"])
    want((last["status"], last["reason"]) == ("cut", "stop"), modem, "ended by", last)
# None where the capture lost packets, as it may on a machine that is too busy.
known = [ratio for ratio in ratios if ratio is not None]
print(f"probe to capture: {len(known)} of {len(ratios)} ratios, {min(known):.4f} to {max(known):.4f}")
want(len(known) > 0.7 * len(ratios), "ratios", ratios)
ids = [p["id"] for p in lab.probes()]
want(len(ids) == len(set(ids)), "numbers of probes are not unique")

lab.want_event("probes-paused", "green", after=GONE, before=GONE + 6)
lab.want_event("probes-resumed", "green", after=BACK - 1, before=BACK + 8)
want(not rows("green", GONE + 3, BACK - 1), "green: rows without an interface")
want(sum(r["received"] for r in rows("green", BACK, DEAF)) > 50, "green: not back")
want([r for r in throughputs if r["source"] == "green" and r["kind"] == "passive" and
      lab.seconds(r["time_ns"]) > BACK], "green: no passive rows from the new interface")

lab.want_event("probe-silent", "blue", after=MOVED, before=MOVED + 10)
lab.want_event("probe-address-changed", "blue", after=MOVED, before=MOVED + 10)
lab.want_event("probe-resumed", "blue", after=MOVED, before=MOVED + 10)
want(sum(r["received"] for r in rows("blue", MOVED + 6, DEAF)) > 50, "blue: not resumed")

paused = lab.want_event("probes-paused", "white", after=BORDER, before=BORDER + 7)[0]
want(paused["detail"] == "roaming", "white paused for", paused["detail"])
lab.want_event("probes-resumed", "white", after=HOME - 1, before=HOME + 8)
want(not rows("white", BORDER + 4.5, HOME - 1), "white: measured abroad")
want(any(p["reason"] == "roaming" and p["status"] == "cut" for p in lab.probes(source="white")),
     "white: nothing was cut")
want(sum(r["received"] for r in rows("white", HOME + 1, DEAF)) > 50, "white: not resumed")

lab.want_event("probe-name-failed", after=DEAF, before=HEARS + 10, least=len(LINKS))
for modem in LINKS:
    lab.want_event("probe-resumed", modem, after=HEARS)
    want(any(p["reason"] == "dns" for p in lab.probes("train", modem, "failed")), modem,
         "the train without a name did not fail")
