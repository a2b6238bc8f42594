#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The probes against the emulator's truth and against other programs, side by side on one link.

Prints figures and what the project wants to reach; asserts nothing. Parts: rtt, others, throughput,
cpu (all without an argument).
"""
import csv
import json
import os
import shutil
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
import netlab  # noqa: E402
import webserver  # noqa: E402


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def held_by(truth, packets):
    """Per packet: round trip by the probe, and how long the emulator held it both ways, ns."""
    held = {"up": {}, "down": {}}
    with open(truth) as f:
        for way, arrived, released, _, fate, source, destination, word in csv.reader(f):
            if fate == "sent" and "862" in (source, destination):
                held[way].setdefault(int(word), int(released) - int(arrived))
    # Down, the first word is the reflector's number: the n-th request that came through.
    through = {seq: n for n, seq in enumerate(sorted(held["up"]))}
    with open(packets) as f:
        for seq, _, answered, trip, _, _ in csv.reader(f):
            seq = int(seq)
            if answered == "1" and through.get(seq) in held["down"]:
                yield int(trip), held["up"][seq] + held["down"][through[seq]]


def rtt(lab):
    """Each round trip against how long the emulator really held the two packets."""
    for delay, more in ((20, ""), (5, "jitter=3"), (60, "jitter=20 loss=1")):
        truth, packets = (os.path.join(lab.folder, n) for n in ("truth", "packets"))
        link = lab.link("wwan0", truth=truth)
        link.set(f"both delay={delay} {more}")
        lab.reflector(link)
        lab.probe(link, "stamp", "-s", "20", "--packets", packets)
        link.close()
        errors = [(got - held) / 1e6 for got, held in held_by(truth, packets)]
        print(f"rtt {2 * delay:3d} ms {more:17s} {len(errors)} packets: error median "
              f"{statistics.median(errors):.3f} ms (< 0.05), p99 "
              f"{percentile([abs(e) for e in errors], 0.99):.3f} ms (< 0.2), max "
              f"{max(errors):.3f} ms")


def others(lab):
    """One link, one after the other and again: our median beside irtt's and ping's, and beside what
    the emulator did. irtt takes its times in user space, so waking up is part of them."""
    truth, packets = (os.path.join(lab.folder, n) for n in ("truth1", "packets1"))
    link = lab.link("wwan1", truth=truth)
    link.set("both delay=20")
    lab.reflector(link)
    lab.run(link.client, ["sh", "-c", "echo 0 0 > /proc/sys/net/ipv4/ping_group_range"])
    irtt = shutil.which("irtt")
    if irtt:
        lab.start(link.server, [irtt, "server", "-b", f"{link.address}:2112"])
        time.sleep(0.5)
    found = {"stamp": [], "echo": [], "irtt": [], "ping": []}
    for _ in range(3):
        records = lab.probe(link, "stamp", "-s", "5", "--packets", packets)
        found["stamp"].append(netlab.table(records, "probes")[0]["value"])
        records = lab.probe(link, "echo", "-s", "5", "--per-second", "50", "--echo", link.address)
        found["echo"].append(netlab.table(records, "probes")[0]["value"])
        if irtt:
            path = os.path.join(lab.folder, "irtt.json")
            lab.run(link.client, [irtt, "client", "-Q", "-i", "20ms", "-d", "5s", "-l", "92", "-o",
                                  path, f"{link.address}:2112"])
            found["irtt"].append(json.load(open(path))["stats"]["rtt"]["median"] / 1e6)
        text = lab.run(link.client, ["ping", "-i", "0.02", "-c", "250", link.address]).stdout
        trips = [float(line.split("time=")[1].split()[0]) for line in text.splitlines()
                 if "time=" in line and "bytes from" in line]
        found["ping"].append(statistics.median(trips))
    link.close()
    print(f"others: emulator's truth "
          f"{statistics.median(held for _, held in held_by(truth, packets)) / 1e6:.3f} ms")
    middle = {name: statistics.median(values) for name, values in found.items() if values}
    for name, value in middle.items():
        print(f"others: {name:5s} median round trip {value:.3f} ms, "
              f"stamp differs by {middle['stamp'] - value:+.3f} ms (within 0.1)")


def throughput(lab):
    """Content by HTTP beside iperf3, both TCP with three streams, the first two seconds left out."""
    iperf = shutil.which("iperf3")
    link = lab.link("wwan2")
    webserver.nginx(lab, link)
    if iperf:
        lab.start(link.server, [iperf, "-s", "-B", link.address])
    time.sleep(0.5)
    base = f"http://{link.address}"
    for rate in (1, 10, 50, 200):
        link.set(f"both delay=10 rate={rate} queue={200 if rate == 1 else 60}")
        time.sleep(1)
        for kind, url, reverse in (("download", base + "/big", ["-R"]),
                                   ("upload", base + "/up/x", [])):
            records = lab.probe(link, kind, "-u", url, "-s", "9", "--warm-up", "2")
            ours = netlab.table(records, "probes")[0]["value"] / 1e6
            theirs = None
            if iperf:
                text = lab.run(link.client, [iperf, "-c", link.address, "-J", "-t", "7", "-O", "2",
                                             "-P", "3", *reverse, "--bind-dev", "wwan2"]).stdout
                theirs = json.loads(text)["end"]["sum_received"]["bits_per_second"] / 1e6
            compared = f"iperf3 {theirs:8.3f}, ratio {ours / theirs:.4f} (within 3 %)" \
                if theirs else "no iperf3"
            print(f"throughput {rate:3d} Mbit/s {kind:8s}: {ours:8.3f} Mbit/s, {compared}")
    link.close()


def cpu(lab):
    """Processor time of meetings by the kernel's account, of one core."""
    link = lab.link("wwan3")
    link.set("both delay=20")
    lab.reflector(link)
    for copies, want in ((1, 1), (8, 8)):
        records = lab.probe(link, "meeting", "-s", "20", "--copies", str(copies))
        probes = netlab.table(records, "probes")
        runner = netlab.table(records, "runner")[0]
        share = 100 * runner["cpu_s"] / runner["wall_s"]
        print(f"cpu: {copies} meeting(s) of 20 s: {share:.2f} % of a core (< {want} %), "
              f"{runner['max_rss_kb'] / 1024:.1f} MB, values {[p.get('value') for p in probes]}")
    records = lab.probe(link, "stamp", "-s", "20", "-q")
    runner = netlab.table(records, "runner")[0]
    print(f"cpu: one STAMP stream: {100 * runner['cpu_s'] / runner['wall_s']:.2f} % of a core")
    link.close()


def main():
    lab = netlab.Lab()
    webserver.need()
    parts = {"rtt": rtt, "others": others, "throughput": throughput, "cpu": cpu}
    print("load average", " ".join(f"{load:.2f}" for load in os.getloadavg()))
    for name in sys.argv[1:] or parts:
        parts[name](lab)
    print("load average", " ".join(f"{load:.2f}" for load in os.getloadavg()))


if __name__ == "__main__":
    main()
