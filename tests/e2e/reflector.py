#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corridor-reflector as its users and its enemies see it: usage, hostile packets, amplification,
SIGTERM. Its answers to each kind of wrong packet are the subject of the unit test."""
import hashlib
import hmac
import os
import random
import re
import shutil
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


def refusals(lab, checks):
    """Wrong keys, ports that are taken or forbidden, interfaces and addresses that are not there: one
    line that names it, exit 1, and whoever answered before still does."""
    link = lab.link("wwan1")
    lab.reflector(link)
    files = {"empty": b"", "short": b"00112233\n", "no-hex": b"x" * 64, "odd": b"0" * 33,
             "binary": bytes(range(256)), "two": netlab.KEY.encode() + b"\n" + b"0" * 32 + b"\n"}
    for name, content in files.items():
        path = os.path.join(lab.folder, name)
        with open(path, "wb") as f:
            f.write(content)
        os.chmod(path, 0o600)
    folder = os.path.join(lab.folder, "folder")
    os.mkdir(folder, 0o700)
    rows = [(["--key", os.path.join(lab.folder, name)], 1, name) for name in files]
    rows += [(["--key", folder], 1, "a key is a file"),
             (["--key", lab.key], 1, "UDP port 862 of 0.0.0.0"),
             (["--key", lab.key, "--stamp-port", "900"], 1, "UDP port 8762 of"),
             (["--key", lab.key, "--stamp-port", "900", "--session-port", "901", "--interface",
               "wwan99"], 1, "wwan99"),
             (["--key", lab.key, "--listen", "192.0.2.77"], 1, "192.0.2.77"),
             (["--peer", "10.0.0.300/8"], 2, "10.0.0.300/8"), (["--peer", "fe80::/200"], 2, "/200"),
             (["--peer", "10.0.0.0/-1"], 2, "/-1"), (["--peer", "everybody"], 2, "everybody"),
             (["--peer", "10.0.0.1/8"], 2, "10.0.0.1/8"), (["--rate", "x", "--key", "x"], 2, "--rate"),
             (["--sessions", "0", "--key", "x"], 2, "--sessions"),
             (["--max-rate", "-5", "--key", "x"], 2, "--max-rate"),
             (["--stamp-port", "0", "--key", "x"], 2, "port"), (["--key"], 2, "--key")]
    for arguments, status, word in rows:
        done = lab.run(link.server, [netlab.REFLECTOR, *arguments], check=False, timeout=10)
        checks.that(done.returncode == status and done.stderr.count("\n") == 1 and
                    done.stderr.startswith("corridor-reflector: ") and word in done.stderr,
                    f"{arguments}: {done.returncode} {done.stderr!r}")
    # As nobody: port 862 is not ours to take. Needs a user beside root.
    if shutil.which("setpriv") and os.geteuid() == 0:
        done = lab.run(link.server, ["env", "-u", "LD_PRELOAD", "setpriv", "--reuid=65534",
                                     "--regid=65534", "--clear-groups",
                                     netlab.REFLECTOR, "--peer", "::/0", "--listen", "127.0.0.1"],
                       check=False, timeout=10)
        if "setpriv" not in done.stderr and "Permission denied (os" not in done.stderr:
            checks.that(done.returncode == 1 and "CAP_NET_BIND_SERVICE" in done.stderr and
                        done.stderr.count("\n") == 1, f"as nobody: {done.returncode} {done.stderr!r}")
    probe = netlab.table(lab.probe(link, "stamp", "-s", "1"), "probes")[0]
    checks.that(probe["detail"]["received"] >= 20, f"the first one answers no more: {probe}")
    link.close()


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
    # whoever started it (here root), it holds nothing once its ports are bound
    for task in os.listdir(f"/proc/{child(reflector)}/task"):
        with open(f"/proc/{child(reflector)}/task/{task}/status", encoding="utf-8") as f:
            sets = [int(line.split()[1], 16) for line in f if line.startswith(("CapEff", "CapPrm", "CapInh", "CapAmb"))]
        checks.that(len(sets) == 4 and not any(sets), f"thread {task} of the reflector has capabilities {sets}")
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
    refusals(lab, checks)
    hostile(lab, checks)
    checks.end()


if __name__ == "__main__":
    sys.exit(main())
