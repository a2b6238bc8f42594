#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corridor-reflector as its users and its enemies see it: usage, hostile packets, amplification,
SIGTERM. Its answers to each kind of wrong packet are the subject of the unit test."""
import hashlib
import hmac
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import netlab

KEY = bytes.fromhex(netlab.KEY)


def usage(lab, checks):
    """One line on standard error, and the right exit status."""
    open_key = os.path.join(lab.folder, "open-key")
    with open(open_key, "w") as f:
        f.write(netlab.KEY)
    os.chmod(open_key, 0o644)
    for arguments, status in ((["--peer", "10.0.0.0/8", "word"], 2), ([], 2), (["--wrong"], 2),
                              (["--peer", "10.0.0.0/99"], 2), (["--rate", "0", "--key", "x"], 2),
                              (["--stamp-port", "7", "--session-port", "7", "--key", "x"], 2),
                              (["--key", "/nonexistent"], 1), (["--key", open_key], 1),
                              (["--peer", "::/0", "--listen", "not-an-address"], 1)):
        done = subprocess.run([netlab.REFLECTOR, *arguments], capture_output=True, text=True,
                              timeout=5)
        checks.that(done.returncode == status and done.stderr.count("\n") == 1 and
                    done.stderr.startswith("corridor-reflector: "),
                    f"{arguments}: {done.returncode} {done.stderr!r}")
    done = subprocess.run([netlab.REFLECTOR, "--version"], capture_output=True, text=True)
    checks.that(done.returncode == 0 and "corridor-reflector" in done.stdout, done.stdout)


def counts(log):
    """The counts the reflector prints, by name."""
    line = re.findall(r"counts: (.*)", log)[-1]
    return {k: int(v) for k, v in (word.split("=") for word in line.split())}


def stamp(seq, size=44):
    body = struct.pack(">IQHH", seq, 0x1112131415161718, 0x8001, 7)
    return body + bytes(size - len(body))


def sealed(data):
    return data + hmac.new(KEY, data, hashlib.sha256).digest()[:16]


def hostile(lab, checks):
    """From a script inside the client's namespace: floods of all kinds; what comes back is counted."""
    link = lab.link("wwan0")
    log_path = os.path.join(lab.folder, "reflector.log")
    with open(log_path, "w") as log:
        reflector = lab.start(link.server, [netlab.REFLECTOR, "--key", lab.key, "--peer",
                                            "10.200.0.0/16", "--rate", "200"], stdout=log)
    time.sleep(0.5)
    result = lab.run(link.client, [sys.executable, __file__, "attack", link.address], timeout=60)
    sent, got = (int(n) for n in result.stdout.split())
    checks.that(got <= sent, f"amplified: {sent} bytes sent, {got} came back")
    checks.that(got < sent * 0.2, f"too talkative to strangers: {sent} sent, {got} back")
    # It still serves those who may ask.
    probe = netlab.table(lab.probe(link, "stamp", "-s", "2", "--per-second", "20"), "probes")[0]
    checks.that(probe["detail"]["received"] >= 30, f"after the flood: {probe}")
    meeting = netlab.table(lab.probe(link, "meeting", "-s", "2"), "probes")[0]
    checks.that(meeting["status"] == "ok", f"after the flood: {meeting}")
    rss = int(open(f"/proc/{child(reflector)}/statm").read().split()[1]) * 4
    checks.that(rss < 32000, f"{rss} kB resident after the flood")
    # The meeting said STOP; nothing is held but the two STAMP sessions of a minute.
    os.kill(child(reflector), signal.SIGUSR1)
    time.sleep(0.3)
    held = counts(open(log_path).read())
    checks.that(held["sessions_held"] == 0, f"sessions are left: {held}")
    for name in ("malformed", "stranger", "wrong_key", "replayed", "limited"):
        checks.that(held[name] > 0, f"{name} was not counted: {held}")
    # SIGTERM in the middle of a meeting: clean and at once.
    runner = lab.start(link.client, [netlab.RUNNER, "-i", "wwan0", "-r", link.address, "-k",
                                     lab.key, "-s", "5", "meeting"])
    time.sleep(2)
    start = time.monotonic()
    os.kill(child(reflector), signal.SIGTERM)
    status = reflector.wait(5)
    checks.that(status == 0 and time.monotonic() - start < 2, f"SIGTERM: {status}")
    output = runner.communicate(timeout=30)[0]
    checks.that('"record":"probes"' in output, "a meeting whose reflector went away ends")


def child(process):
    """The program under nsenter, which execs: the same process."""
    return process.pid


def attack(address):
    """Prints bytes sent and bytes received."""
    random.seed(4)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setblocking(False)
    sent = got = 0

    def drain():
        nonlocal got
        while True:
            try:
                got += len(s.recv(4096))
            except OSError:
                return

    def throw(data, port):
        nonlocal sent
        try:
            s.sendto(data, (address, port))
            sent += len(data)
        except OSError:
            pass

    good = sealed(struct.pack(">I12xQHH68x", 1, 5, 0x8001, 9))
    hello = sealed(struct.pack(">IB3xQQ", 0x43525331, 1, 77, 1) + bytes(120))
    start = sealed(struct.pack(">IB3xQQ", 0x43525331, 3, 77, 1) + bytes(16) +
                   struct.pack(">BHHHII", 1, 50, 160, 30, 1200000, 60) + bytes(89))
    media = struct.pack(">IBBHQIIQIIQ", 0x43524d31, 0, 0, 0, 99, 1, 0, 0, 0, 0, 0)
    for i in range(60):
        for _ in range(40):
            throw(stamp(i), 862)                                  # stranger
            throw(stamp(i, 112), 862)                             # wrong key
            throw(os.urandom(random.randrange(0, 1400)), 862)
            throw(os.urandom(random.randrange(0, 1400)), 8762)
            throw(media, 8762)                                    # no such token
            broken = bytearray(hello)
            broken[random.randrange(len(broken))] ^= 1
            throw(bytes(broken), 8762)
        throw(good, 862)                                          # replayed
        throw(good, 862)
        throw(hello, 8762)
        throw(start, 8762)                                        # cookie made up
        throw(b"", 862)
        throw(good[:50], 862)
        drain()
        time.sleep(0.05)
    time.sleep(0.5)
    drain()
    print(sent, got)


def main():
    if sys.argv[1:2] == ["attack"]:
        attack(sys.argv[2])
        return
    lab = netlab.Lab()
    checks = netlab.Checks()
    usage(lab, checks)
    hostile(lab, checks)
    checks.end()


if __name__ == "__main__":
    sys.exit(main())
