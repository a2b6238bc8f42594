#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The probes against the emulator's truth and against other programs, side by side on one link.

Prints figures and what the project wants to reach; asserts nothing. Parts: rtt, others, throughput,
cpu, counts, one-way, trains, passive, budget, verdicts (all without an argument).
"""
import csv
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
import netlab  # noqa: E402
import streamtruth  # noqa: E402
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


def captured(path):
    """Packets of a pcap file of raw IPv4: time ns, source, port or ICMP type, destination port."""
    with open(path, "rb") as f:
        data = f.read()
    assert data[:4] == bytes.fromhex("4d3cb2a1"), "nanoseconds, little-endian"
    at = 24
    while at + 16 <= len(data):
        seconds, ns, size, _ = struct.unpack_from("<IIII", data, at)
        packet = data[at + 16:at + 16 + size]
        at += 16 + size
        if len(packet) < 28 or packet[0] >> 4 != 4:
            continue
        head = 4 * (packet[0] & 15)
        if packet[9] == 1:
            ports = ("icmp", packet[head])
        else:
            ports = struct.unpack_from(">HH", packet, head)
        yield seconds * 10**9 + ns, packet[12:16], ports


class Capture:
    """tcpdump at both ends of a link: the round trip of each packet as the network gave it."""

    def __init__(self, lab, link):
        self.paths = [os.path.join(lab.folder, f"{end}.pcap") for end in ("client", "server")]
        self.dumps = [lab.start(space, ["tcpdump", "-i", interface, "-w", path, "-n", "-q", "-U",
                                        "--time-stamp-precision=nano", "-s", "64", "-Z", "root",
                                        "ip"])
                      for space, interface, path in ((link.client, link.interface, self.paths[0]),
                                                     (link.server, "lab0", self.paths[1]))]
        time.sleep(1)

    def end(self):
        time.sleep(0.5)
        for dump in self.dumps:
            dump.terminate()
            dump.wait(10)

    def trips(self, up, down):
        """ms: from leaving the client to coming back, without the time at the far end. Packets are
        told apart by ports and paired by order: nothing is lost on this link."""
        ends = []
        for path in self.paths:
            times = {"up": [], "down": []}
            for at, _, ports in captured(path):
                if up(ports):
                    times["up"].append(at)
                elif down(ports):
                    times["down"].append(at)
            ends.append(times)
        client, server = ends
        return [((d - u) - (e - b)) / 1e6 for u, d, b, e in
                zip(client["up"], client["down"], server["up"], server["down"])]


def held_through(truth, up, down):
    """ms: how long the emulator held each packet, both ways, paired by order."""
    held = {"up": [], "down": []}
    with open(truth) as f:
        for way, arrived, released, _, fate, source, destination, _ in csv.reader(f):
            ports = int(source), int(destination)
            if fate == "sent" and (up if way == "up" else down)(ports):
                held[way].append(int(released) - int(arrived))
    return [(u + d) / 1e6 for u, d in zip(held["up"], held["down"])]


def to(port):
    return lambda ports: ports[1] == port


def by(port):
    return lambda ports: ports[0] == port


def stamp_once(lab, place):
    packets = os.path.join(lab.folder, "packets1")
    lab.run(place.space, [netlab.RUNNER, "-i", place.interface, "-r", place.address, "-k", lab.key,
                          "-s", "4", "--packets", packets, "stamp"])
    with open(packets) as f:
        return {"stamp": [int(row[3]) / 1e6 for row in csv.reader(f) if row[2] == "1"]}


def echo_once(lab, place):
    done = lab.run(place.space, [netlab.RUNNER, "-i", place.interface, "-s", "4", "--per-second",
                                 "50", "--echo", place.address, "echo"])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {"echo": [r["rtt_ms"] for r in netlab.table(rows, "latencies") if "rtt_ms" in r]}


def irtt_once(name, port, before=(), more=()):
    def once(lab, place):
        path = os.path.join(lab.folder, "irtt.json")
        lab.run(place.space, [*before, "irtt", "client", "-Q", "-i", "20ms", "-d", "4s", "-l", "92",
                              "-o", path, *more, f"{place.address}:{port}"])
        with open(path) as f:
            return {name: [trip["delay"]["rtt"] / 1e6 for trip in json.load(f)["round_trips"]
                           if "rtt" in trip["delay"]]}
    return once


def ping_once(lab, place):
    text = lab.run(place.space, ["ping", "-i", "0.02", "-c", "200", place.address]).stdout
    return {"ping": [float(line.split("time=")[1].split()[0]) for line in text.splitlines()
                     if "time=" in line and "bytes from" in line]}


def user_stamps_once(lab, place):
    text = lab.run(place.space, [os.path.join(netlab.BUILD, "tests/bench/user-stamps"),
                                 place.interface, place.address, "863", "4", "50"]).stdout
    names = ("same packets: kernel", "same packets: user, client", "same packets: user, both ends")
    return dict(zip(names, map(list, zip(*(map(float, line.split())
                                           for line in text.splitlines())))))


class Place:
    """Where a program measures from, by which interface, against whom."""

    def __init__(self, space, interface, address):
        self.space, self.interface, self.address = space, interface, address


def others(lab):
    """One link, one program after the other and again: each one's own median round trip beside what
    the emulator and tcpdump at both ends say of its packets, and beside its zero: what it says of the
    loopback of the far end, where there is no way at all. user-stamps times the same STAMP packets in
    the kernel and in user space: what a program without kernel stamps adds."""
    truth = os.path.join(lab.folder, "truth1")
    link = lab.link("wwan1", truth=truth)
    link.set("both delay=20")
    lab.reflector(link, "--peer", "127.0.0.0/8")
    lab.reflector(link, "--peer", "127.0.0.0/8", "--stamp-port", "863", "--session-port", "8763")
    for space in (link.client, link.server):
        lab.run(space, ["sh", "-c", "echo 0 0 > /proc/sys/net/ipv4/ping_group_range"])
    programs = [stamp_once, echo_once, ping_once, user_stamps_once]
    if shutil.which("irtt"):
        urgent = ["chrt", "-f", "20"]  # not kept waiting by the machine's other work
        for before, port, more in (((), 2112, ()), (urgent, 2113, ()),
                                   ((), 2114, ("--thread", "--hmac=0x01020304"))):
            lab.start(link.server, [*before, "irtt", "server", "-b",
                                    f"{link.address}:{port},127.0.0.1:{port}", *more])
        programs += [irtt_once("irtt", 2112),
                     irtt_once("irtt, real-time, busy timer", 2113, urgent, ("--timer=busy",)),
                     irtt_once("irtt --thread --hmac", 2114, (),
                               ("--thread", "--hmac=0x01020304"))]
        time.sleep(0.5)
    capture = Capture(lab, link) if shutil.which("tcpdump") else None
    found, zeros = {}, {}
    for _ in range(3):
        for once in programs:
            for place, kept in ((Place(link.client, link.interface, link.address), found),
                                (Place(link.server, "lo", "127.0.0.1"), zeros)):
                for name, values in once(lab, place).items():
                    kept.setdefault(name, []).extend(values)
    if capture:
        capture.end()
    link.close()
    tell_others(truth, capture, found, zeros)


def tell_others(truth, capture, found, zeros):
    echo_up, echo_down = (lambda p: p == ("icmp", 8)), (lambda p: p == ("icmp", 0))
    ways = {"stamp": (to(862), by(862)), "irtt": (to(2112), by(2112)),
            "irtt, real-time, busy timer": (to(2113), by(2113)),
            "irtt --thread --hmac": (to(2114), by(2114)), "ping": (echo_up, echo_down),
            "same packets: kernel": (to(863), by(863)),
            "same packets: user, both ends": (to(863), by(863))}
    ours = statistics.median(found["stamp"]) - statistics.median(zeros["stamp"])
    for name, values in found.items():
        median, zero = statistics.median(values), statistics.median(zeros[name])
        line = f"others: {name:29s} median {median:7.3f} ms"
        nets = []
        for what, trips in (("emulator", name in ways and name != "ping" and
                             held_through(truth, *ways[name])),
                            ("tcpdump", capture and name in ways and capture.trips(*ways[name]))):
            if trips:
                nets.append(statistics.median(trips))
                line += f", {what} {nets[-1]:7.3f}"
        if nets:
            line += f": off by {median - nets[-1]:+.3f}"
        print(f"{line}; zero {zero:.3f}; without it {median - zero:7.3f}, stamp differs by "
              f"{ours - (median - zero):+.3f} (within 0.1)")


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


def counts(lab):
    """Losses by way, duplicates and reordering of a bad link against the emulator's."""
    truth = os.path.join(lab.folder, "truth4")
    link = lab.link("wwan4", truth=truth)
    lab.reflector(link)
    link.set("up delay=15 loss=5 spare=20 swap=60")
    link.set("down delay=25 ge=0.02,0.3 spare=20 twice=50")
    detail = netlab.table(lab.probe(link, "stamp", "-s", "30"), "probes")[0]["detail"]
    link.close()
    true = streamtruth.stream(truth, detail["sent"])
    for name in ("lost_up", "lost_down", "duplicates", "reordered"):
        print(f"counts: {name:10s} {detail[name]:4d}, emulator {true[name]:4d} (equal)")


def one_way(lab):
    """Delays each way, with clocks that say they follow UTC, against the emulator's."""
    truth = os.path.join(lab.folder, "truth8")
    link = lab.link("wwan8", truth=truth)
    link.set("up delay=15")
    link.set("down delay=35")
    lab.reflector(link, env=netlab.disciplined())
    rows = netlab.table(lab.probe(link, "stamp", "-s", "15", env=netlab.disciplined()), "latencies")
    link.close()
    held = {"up": [], "down": []}
    with open(truth) as f:
        for way, arrived, released, _, fate, source, destination, _ in csv.reader(f):
            if fate == "sent" and "862" in (source, destination):
                held[way].append((int(released) - int(arrived)) / 1e6)
    for way in ("up", "down"):
        ours = statistics.median(r[f"delay_{way}_ms"] for r in rows if f"delay_{way}_ms" in r)
        true = statistics.median(held[way])
        print(f"one-way: {way:4s} {ours:.3f} ms, emulator {true:.3f}: off by {ours - true:+.3f}")


def trains(lab):
    """Verdicts of 200 ms trains on links that have the rate or have not, and what they cost."""
    link = lab.link("wwan5")
    lab.reflector(link)
    repeats = 4
    for rate in (2, 4, 7, 12, 20, 40):
        link.set(f"both reset=1 delay=25 rate={rate} queue=400")
        right = done = 0
        for _ in range(repeats):
            records = lab.probe(link, "train", "--rates", "3,8,10,30/3,8,10")
            for row in netlab.table(records, "throughputs"):
                done += 1
                right += row["reached"] == (0.84 * row["target_bps"] <= rate * 1e6)
        print(f"trains: link of {rate:2d} Mbit/s: {right} of {done} verdicts right (by definition a "
              f"link passes from 84 % of the rate on)")
    link.set("both reset=1 delay=25 rate=40 queue=400")
    probe = netlab.table(lab.probe(link, "train", "--rates", "12/"), "probes")[0]
    bytes_each = probe["bytes_down"] + probe["bytes_up"]
    print(f"trains: 12 Mbit/s down each 500 m at 100 km/h: {bytes_each * 200 / 1e6:.1f} MB/h (about 60)")
    link.close()


def passive(lab):
    """What the capture says of a download beside what the download says."""
    truth = os.path.join(lab.folder, "truth6")
    link = lab.link("wwan6", truth=truth)
    webserver.nginx(lab, link)
    for rate, loss in ((10, 0), (50, 0), (10, 0.5)):
        link.set(f"both reset=1 delay=15 rate={rate} queue=80")
        link.set(f"down loss={loss}")
        capture = lab.start(link.client, [netlab.RUNNER, "-i", "wwan6", "-s", "60", "capture"])
        time.sleep(0.5)
        begin_ns = time.time_ns()
        records = lab.probe(link, "download", "-u", f"http://{link.address}/big", "-s", "6")
        probe = netlab.table(records, "probes")[0]
        active = netlab.table(records, "throughputs")
        end_ns = time.time_ns()
        time.sleep(1)
        capture.terminate()
        rows = [json.loads(line) for line in capture.communicate(timeout=10)[0].splitlines()]
        down = [r for r in netlab.table(rows, "throughputs") if r["direction"] == "down"]
        window = probe["time_ns"] + 1e9, probe["time_ns"] + 5e9
        seen, told = (sum(r["bytes"] for r in of if window[0] <= r["time_ns"] < window[1])
                      for of in (down, active))
        again = sum(r["retransmissions"] for r in down)
        trips = sorted(r["delay_ms"] for r in netlab.table(rows, "throughputs") if "delay_ms" in r)
        link.set("both queue=80")  # the emulator writes its truth out
        with open(truth) as f:
            lost = sum(row[0] == "down" and row[4] in ("lost", "queue") and
                       begin_ns <= int(row[1]) <= end_ns for row in csv.reader(f) if len(row) == 8)
        print(f"passive: {rate} Mbit/s, {loss} % lost: goodput of the capture / content of the "
              f"download, 4 s: {seen / told:.4f}; sent again {again}, lost by the emulator "
              f"{lost}; least TCP round trip {trips[0]:.1f} ms of 30")
    link.close()


def budget(lab):
    """A budget of 12 MB on a 20 Mbit/s link: what the interface carried, and where it stopped."""
    link = lab.link("wwan7")
    link.set("both delay=15 rate=20 queue=80")
    lab.reflector(link)
    webserver.nginx(lab, link)
    state = os.path.join(lab.folder, "state7")
    os.mkdir(state)

    before = link.carried()
    for run in ("first run", "after a restart"):
        lab.probe(link, "schedule", "-u", f"http://{link.address}/big", "--plan", "download=6",
                  "--state", state, "--daily", "12", "--rates", "3/", "-s", "12")
        used = link.carried() - before
        print(f"budget: {run}: {used / 1e6:.2f} of 12 MB, {(used - 12e6) * 8 / 20e6:+.2f} s of the "
              f"link beyond (< 1)")
    link.close()


def verdicts(_):
    """Meeting verdicts of scripted impairments, and the worked values of the E-model, as the tests
    count them."""
    test = os.path.join(netlab.SOURCE, "tests/e2e/probe-meeting.py")
    done = subprocess.run([sys.executable, test], capture_output=True, text=True,
                          env=dict(os.environ, CORRIDOR_LONG="1"))
    lines = done.stdout.strip().splitlines() or [done.stderr.strip()[-300:]]
    again = sum(line.startswith("note") for line in lines)
    print(f"verdicts: {lines[0]}: {lines[-1]}, {again} checks only when tried again")
    for name in ("emodel", "stamp-packet"):
        path = os.path.join(netlab.BUILD, f"tests/unit/test-logger-{name}")
        done = subprocess.run([path], capture_output=True, text=True,
                              env=dict(os.environ, G_TEST_SRCDIR=netlab.SOURCE))
        good = sum(line.startswith("ok ") for line in done.stdout.splitlines())
        print(f"verdicts: unit test {name}: {good} good, exit {done.returncode}")


def main():
    lab = netlab.Lab()
    webserver.need()
    parts = {"rtt": rtt, "others": others, "throughput": throughput, "cpu": cpu,
             "counts": counts, "one-way": one_way, "trains": trains, "passive": passive, "budget": budget,
             "verdicts": verdicts}
    print("load average", " ".join(f"{load:.2f}" for load in os.getloadavg()))
    for name in sys.argv[1:] or parts:
        parts[name](lab)
    print("load average", " ".join(f"{load:.2f}" for load in os.getloadavg()))


if __name__ == "__main__":
    main()
