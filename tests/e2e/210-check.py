#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`corridor-logger check` says of each part whether it works, and of what does not what to fix."""
import os
import subprocess

import riglab

lab = riglab.Lab(duration=120, gps_rate=5)
lab.rig()
lab.gpsd()
os.makedirs(lab.drives_dir)
key = lab.path("key")
with open(key, "w", encoding="utf-8") as f:
    f.write("00112233445566778899aabbccddeeff\n")
os.chmod(key, 0o600)
reflector = lab.start([os.path.join(riglab.BUILD, "logger/corridor-reflector"), "--listen",
                       "127.0.0.1", "--stamp-port", "8620", "--key", key],
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
REFLECTOR = f"[reflector]\nhost=localhost\nfamily=ipv4\nstamp-port=8620\nkey-file={key}\n"


def check(extra=REFLECTOR, status=0, changes=(), **keys):
    lab.configure(extra=extra, modem="interface=lo", **keys)
    with open(lab.path("logger.conf"), encoding="utf-8") as f:
        text = f.read()
    for old, new in changes:
        if old not in text:
            riglab.fail(f"no {old} in {text}")
        text = text.replace(old, new, 1)
    with open(lab.path("logger.conf"), "w", encoding="utf-8") as f:
        f.write(text)
    done = subprocess.run([riglab.LOGGER, "--config", lab.path("logger.conf"), "check"],
                          capture_output=True, text=True, timeout=120, check=False)
    for line in done.stdout.splitlines():
        if not line.startswith(("ok   ", "note ", "FIX  ")):
            riglab.fail("a line of another kind:", line)
    if done.returncode != status:
        riglab.fail(f"check ended with {done.returncode}, not {status}:\n{done.stdout}{done.stderr}")
    return done.stdout


def want(text, *lines):
    for line in lines:
        if not any(line in have for have in text.splitlines()):
            riglab.fail(f"nothing says {line!r}:\n{text}")


def lines(text, mark):
    return [line for line in text.splitlines() if line.startswith(mark)]


lab.wait_for(lambda: "position" in check(status=0, extra=""), 20, "gpsd has a position")
good = check()
print(good)
want(good, "ok   configuration:", "ok   store:", "ok   gps: gpsd answers and has a position",
     "ok   qmi-proxy: runs", "ok   mbim-proxy: runs", "ok   reflector: localhost answers through lo")
for modem in lab.modems:
    want(good, f"ok   modem {modem}: ")
if lines(good, "FIX"):
    riglab.fail("something is wrong:\n" + good)

# What is wrong is said in one line each, and all else is still tested.
for what, text in (
        ("reflector: localhost port 8621 cannot be asked through lo: Connection refused", check(
            status=1, extra=REFLECTOR.replace("8620", "8621"))),
        ("reflector: no.such.host.invalid: ", check(
            status=1, extra=REFLECTOR.replace("localhost", "no.such.host.invalid"))),
        ("probes: ", check(status=1, extra=REFLECTOR.replace(key, "/no/such/key")))):
    want(text, "FIX  " + what, "ok   modem white: ")
    print(lines(text, "FIX")[0])

broken = check(status=1, changes=(
    ("interface=lo", "interface=wwan77"), (f"port={riglab.GPSD_PORT}", "port=2999"),
    ("by-path/blue", "by-path/absent"), (lab.drives_dir, "/proc/nothing")))
for wanted in ("modem red: there is no interface wwan77; see `ip link`",
               "gps: no gpsd at 127.0.0.1:2999", "modem blue: ", "store: /proc/nothing: "):
    want(broken, "FIX  " + wanted)
want(broken, "ok   modem white: ")
print("\n".join(lines(broken, "FIX")))
want(check(status=1, extra="", changes=(("keep-free=1 MiB", "keep-free=900000 GB"),)), "FIX  disk: ")

wrong = check(status=1, store="foldre=/x")
want(wrong, "FIX  configuration: ")
if len(wrong.splitlines()) != 1 or "logger.conf:" not in wrong:
    riglab.fail("a wrong configuration is not one line:\n" + wrong)

# A running logger is noticed, not disturbed.
lab.configure()
lab.logger()
want(check(status=0, extra=""), "; a logger is running there")
lab.stop_logger()
