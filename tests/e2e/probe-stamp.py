#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""STAMP against the emulator's truth: counts exact, IPv6, keys, interfaces that go, tshark."""
import csv
import os
import shutil
import subprocess
import sys
import threading
import time

import netlab
import streamtruth


def exact(lab, checks):
    """Loss, reordering and duplicates as the emulator says, per way."""
    path = os.path.join(lab.folder, "truth")
    link = lab.link("wwan0", truth=path)
    lab.reflector(link)
    link.set("up delay=15 loss=5 spare=20 swap=60")
    link.set("down delay=25 ge=0.02,0.3 spare=20 twice=50")
    records = lab.probe(link, "stamp", "-s", "20")
    link.close()
    probe = netlab.table(records, "probes")[0]["detail"]
    rows = netlab.table(records, "latencies")
    true = streamtruth.stream(path, probe["sent"])
    # Requests still under way at the end are not counted at all; an answer or its double may be.
    for name, slack in (("lost_up", 0), ("sent", 0), ("received", 1), ("duplicates", 1),
                        ("reordered", 1)):
        checks.near(probe[name], true[name], slack, name)
    checks.near(probe["lost_down"] + probe["lost_unknown"], true["lost_down"], 1, "lost down")
    checks.near(probe["sent"], 1000, 5, "packets sent")
    checks.that(probe["sent"] - probe["received"] ==
                probe["lost_up"] + probe["lost_down"] + probe["lost_unknown"], f"sum of {probe}")
    checks.that(true["reordered"] >= 10, f"the link reordered too little: {true}")
    checks.that(sum(r["sent"] for r in rows) == probe["sent"], "rows add up to the probe")
    checks.that(sum(r["received"] for r in rows) == probe["received"], "rows add up to the probe")
    checks.near(netlab.table(records, "probes")[0]["value"], 42, 3.0, "round trip of 40 ms")
    checks.that(probe["ttl_up"] == 64 and probe["ttl_down"] == 64, f"TTL in {probe}")


def keys(lab, checks):
    """Authenticated, wrong key, stranger, stateless, IPv6."""
    link = lab.link("wwan1")
    link.set("both delay=5")
    lab.reflector(link)
    for more in ([], ["--no-stamp-key"], ["-6", "-r", link.address6]):
        records = lab.probe(link, "stamp", "-s", "1.5", *more)
        probe = netlab.table(records, "probes")[0]
        checks.that(probe["status"] == "ok" and probe["detail"]["received"] >= 70,
                    f"{more}: {probe}")
    wrong = os.path.join(lab.folder, "wrong")
    with open(wrong, "w") as f:
        f.write(netlab.KEY[::-1])
    os.chmod(wrong, 0o600)
    # A peer with a wrong key gets answers without one, which its probe does not take.
    records = lab.probe(link, "stamp", "-s", "2.5", "-k", wrong)
    probe = netlab.table(records, "probes")[0]
    checks.that(probe["detail"]["received"] == 0, f"wrong key: {probe}")
    records = lab.probe(link, "meeting", "-s", "5", "-k", wrong, "--timeout", "2")
    probe = netlab.table(records, "probes")[0]
    checks.that(probe["status"] == "failed" and probe["reason"] == "no-answer", f"{probe}")
    records = lab.probe(link, "stamp", "-s", "1", "-r", "no.such.name.invalid", "--timeout", "1")
    probe = netlab.table(records, "probes")[0]
    checks.that(probe["status"] == "failed" and probe["reason"] == "dns", f"{probe}")
    records = lab.probe(link, "stamp", "-s", "1", "-i", "wwan77")
    probe = netlab.table(records, "probes")[0]
    checks.that(probe["status"] == "skipped" and probe["reason"] == "no-interface", f"{probe}")


def outage(lab, checks):
    """Outage, another address, then the interface gone: events, and it goes on where it can."""
    link = lab.link("wwan2")
    link.set("both delay=5")
    lab.reflector(link)
    done = []
    thread = threading.Thread(
        target=lambda: done.append(lab.probe(link, "stamp", "-s", "14", "--no-stamp-key")))
    thread.start()
    time.sleep(2)
    link.set("both outage=1")
    time.sleep(4)
    link.set("both outage=0")
    time.sleep(2)
    lab.run(link.client, ["ip", "address", "del", link.client_address, "peer", link.address,
                          "dev", "wwan2"])
    lab.run(link.client, ["ip", "address", "add", "10.99.0.1", "dev", "wwan2"])
    lab.run(link.client, ["ip", "route", "add", "default", "dev", "wwan2", "metric", "5"],
            check=False)
    lab.run(link.server, ["ip", "route", "add", "10.99.0.1", "dev", "lab0"])
    time.sleep(4)
    link.close()  # the interface is gone with its emulator
    thread.join()
    events = [e["kind"] for e in netlab.table(done[0], "events")]
    for kind in ("probe-silent", "probe-resumed", "probe-address-changed", "probe-interface-gone"):
        checks.that(kind in events, f"no event {kind} in {events}")
    rows = netlab.table(done[0], "latencies")
    checks.that(sum(r["received"] == 0 for r in rows) >= 3, "seconds of outage with sent > 0")
    checks.that(rows[-2]["received"] > 0 or rows[-3]["received"] > 0, "resumed on the new address")
    probe = netlab.table(done[0], "probes")[0]
    checks.that(probe["status"] == "cut" and probe["reason"] == "no-interface", f"{probe}")


def one_way(lab, checks):
    """Delays each way where both clocks follow UTC, against how long the emulator held each packet;
    none where one of them does not, or not well."""
    path = os.path.join(lab.folder, "one-way")
    link = lab.link("wwan5", truth=path)
    link.set("up delay=15")
    link.set("down delay=35")
    reflector = lab.reflector(link, env=netlab.disciplined())
    records = lab.probe(link, "stamp", "-s", "6", "--no-stamp-key", env=netlab.disciplined(2000))
    rows = [r for r in netlab.table(records, "latencies") if r["received"]]
    checks.that(len(rows) >= 5 and all("delay_up_ms" in r and "delay_down_ms" in r for r in rows),
                f"one-way delays are missing: {rows}")
    for env in (None, netlab.disciplined(6000)):  # no discipline, and more than 5 ms off
        records = lab.probe(link, "stamp", "-s", "1.5", "--no-stamp-key", env=env)
        checks.that(not any("delay_up_ms" in r for r in netlab.table(records, "latencies")),
                    "one-way delays from a clock that does not follow UTC")
    reflector.terminate()
    reflector.wait(5)
    lab.reflector(link)
    records = lab.probe(link, "stamp", "-s", "1.5", "--no-stamp-key", env=netlab.disciplined())
    checks.that(not any("delay_up_ms" in r for r in netlab.table(records, "latencies")),
                "one-way delays from a reflector whose clock does not follow UTC")
    link.close()
    held = {"up": [], "down": []}
    with open(path) as f:
        for way, arrived, released, _, fate, source, destination, _ in csv.reader(f):
            if fate == "sent" and "862" in (source, destination):
                held[way].append((int(released) - int(arrived)) / 1e6)
    for way, column in (("up", "delay_up_ms"), ("down", "delay_down_ms")):
        got = sorted(r[column] for r in rows if column in r)
        checks.near(got[len(got) // 2] if got else None, sorted(held[way])[len(held[way]) // 2], 2.0,
                    f"delay {way}")


def echo(lab, checks):
    link = lab.link("wwan3")
    link.set("both delay=12")
    lab.run(link.client, ["sh", "-c", "echo 0 0 > /proc/sys/net/ipv4/ping_group_range"])
    for more in ([], ["-6"]):
        target = link.address6 if more else link.address
        records = lab.probe(link, "echo", "-s", "2", "--per-second", "20", "--echo", target, *more)
        probe = netlab.table(records, "probes")[0]
        checks.that(probe["status"] == "ok" and probe["detail"]["received"] >= 35, f"{probe}")
        checks.near(probe["value"], 26, 3.0, "echo round trip of 24 ms")


def wireshark(lab, checks):
    """tshark reads our packets as the test packets they are (TWAMP Test has STAMP's layout)."""
    if not shutil.which("tshark") or not shutil.which("dumpcap"):
        print("note: no tshark, its dissector is not asked")
        return
    link = lab.link("wwan4")
    link.set("both delay=5")
    lab.reflector(link)
    path = os.path.join(lab.folder, "stamp.pcap")
    dump = lab.start(link.client, ["dumpcap", "-q", "-P", "-i", "wwan4", "-w", path, "-a",
                                   "duration:4"])
    time.sleep(1)
    lab.probe(link, "stamp", "-s", "1.5", "--no-stamp-key", "--size", "72")
    if dump.wait(15) != 0:
        print("note: dumpcap may not capture here:", dump.stdout.read().strip()[-200:])
        return
    fields = ["udp.dstport", "twamp.test.seq_number", "twamp.test.sender_seq_number",
              "twamp.test.sender_ttl", "_ws.malformed"]
    done = subprocess.run(
        ["tshark", "-r", path, "-d", "udp.port==862,twamp.test", "-Y", "udp && !icmp", "-T",
         "fields", *(word for field in fields for word in ("-e", field))],
        capture_output=True, text=True)
    requests = replies = 0
    for line in done.stdout.splitlines():
        port, seq, sender_seq, ttl, malformed = (line.split("\t") + [""] * 5)[:5]
        checks.that(seq != "" and malformed == "", f"tshark does not read {line!r}")
        if port == "862":
            requests += 1
        else:
            replies += 1
            checks.that(sender_seq != "" and ttl == "64", f"tshark reads a reply as {line!r}")
    checks.that(requests >= 70 and replies >= 70,
                f"tshark: {requests} requests, {replies} replies {done.stderr.strip()[-200:]}")


def main():
    lab = netlab.Lab()
    checks = netlab.Checks()
    checks.together(lab, (exact, keys, outage, echo, wireshark, one_way))
    checks.end()


if __name__ == "__main__":
    sys.exit(main())
