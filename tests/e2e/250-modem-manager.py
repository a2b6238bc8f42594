#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The logger beside a real ModemManager on the same two modems, both through the real qmi-proxy and
mbim-proxy: ModemManager finds, enables and reads them, the logger finds them by USB port and IMEI and
loses no sample. umockdev shows both programs the modems in /sys, /dev and udev; behind the device
nodes are the rig's pseudo-terminals."""
import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import time

import riglab

PROXIES = ("/usr/libexec/qmi-proxy", "/usr/libexec/mbim-proxy")
for tool in ("ModemManager", "mmcli", "umockdev-run", "dbus-run-session"):
    if not shutil.which(tool):
        riglab.skip(f"{tool} is needed")
if not all(map(os.path.exists, PROXIES)):
    riglab.skip("libqmi-proxy and libmbim-proxy are needed")
riglab.enter()
DURATION = 45
MODEMS = {"red": ("cdc-wdm0", "1-1"), "white": ("cdc-wdm1", "1-2")}
keys = {f"modem_{m}__pty": "yes" for m in ("red", "green", "blue", "white")}
keys |= {f"modem_{m}__device": node for m, (node, _) in MODEMS.items()}
lab = riglab.Lab(duration=DURATION, gps_rate=5, modem_white__imei="356938035643809", **keys)
if subprocess.run(["mount", "--bind", lab.work, lab.work], check=False,
                  capture_output=True).returncode != 0:
    riglab.skip("no right to mount")
subprocess.run(["umount", lab.work], check=True)
lab.rig()
lab.gpsd()

# The test bed stays while this process lives; others join it by its environment.
described = os.path.join(riglab.SOURCE, "fixtures/umockdev/two-modems.umockdev")
bed_process = lab.start(
    ["umockdev-run", f"--device={described}", "--", "dbus-run-session", "--", "sh", "-c",
     f"env >{lab.path('env.part')}; mv {lab.path('env.part')} {lab.path('env')}; sleep 300"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
lab.wait_for(lambda: os.path.exists(lab.path("env")), 20, "the test bed")
bed = dict(os.environ)
for name in ("UMOCKDEV_DIR", "LD_PRELOAD", "DBUS_SESSION_BUS_ADDRESS"):
    bed[name] = re.search(rf"(?m)^{name}=(.*)$", lab.read("env")).group(1)


def put_away():
    os.killpg(bed_process.pid, signal.SIGKILL)
    for node, _ in MODEMS.values():
        subprocess.run(["umount", "-q", "-l", os.path.join(bed["UMOCKDEV_DIR"], "dev", node)],
                       check=False)
    shutil.rmtree(bed["UMOCKDEV_DIR"], ignore_errors=True)


atexit.register(put_away)
bed["DBUS_SYSTEM_BUS_ADDRESS"] = bed["DBUS_SESSION_BUS_ADDRESS"]
for driver in ("usb", "qmi_wwan", "cdc_mbim"):
    os.makedirs(os.path.join(bed["UMOCKDEV_DIR"], "sys/bus/usb/drivers", driver), exist_ok=True)
for modem, (node, _) in MODEMS.items():
    # A link would lead out of the bed, which the realpath() of umockdev 0.17 does not survive.
    shown = os.path.join(bed["UMOCKDEV_DIR"], "dev", node)
    os.unlink(shown)
    open(shown, "w", encoding="utf-8").close()
    subprocess.run(["mount", "--bind", os.path.realpath(lab.path("dev/" + node)), shown],
                   check=True)
for proxy in PROXIES:
    lab.start([proxy, "--no-exit"], env=bed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

for modem in ("green", "blue"):
    del lab.modems[modem]
lab.configure(interval="500 ms", extra="[identity]\nclear=yes")
text = lab.read("logger.conf")
for modem, (_, port) in MODEMS.items():
    # One by its port, one by its IMEI alone among all nodes that udev shows.
    name = f"usb-path={port}" if modem == "red" else "imei-hash=" + lab.value(
        f"modem {modem}", "imei", "")
    text = text.replace(f"device={lab.path('dev')}/by-path/{modem}", name)
with open(lab.path("logger.conf"), "w", encoding="utf-8") as f:
    f.write(text)
lab.logger(prefix=("env", f"LD_PRELOAD={bed['LD_PRELOAD']}",
                   f"UMOCKDEV_DIR={bed['UMOCKDEV_DIR']}"))
manager_log = open(lab.path("manager.log"), "w", encoding="utf-8")
lab.start(["ModemManager", "--test-session", "--debug"], env=bed, stdout=manager_log,
          stderr=subprocess.STDOUT)


def mmcli(*arguments):
    done = subprocess.run(["mmcli", "-J", *arguments], env=bed, capture_output=True, text=True,
                          timeout=60, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {}


def managed():
    """Path of each modem by its primary port, once ModemManager knows it."""
    found = {}
    for path in mmcli("-L").get("modem-list", []):
        generic = mmcli("-m", path).get("modem", {}).get("generic", {})
        if generic.get("state") not in (None, "unknown", "initializing", "--"):
            found[generic.get("primary-port")] = path
    return found


lab.wait_for(lambda: len(managed()) == 2, 40, "ModemManager knows both modems")
paths = managed()
for modem, (node, _) in MODEMS.items():
    done = subprocess.run(["mmcli", "-m", paths[node], "--enable"], env=bed, capture_output=True,
                          text=True, timeout=60, check=False)
    if done.returncode != 0:
        riglab.fail(f"ModemManager cannot enable {modem}: {done.stdout}{done.stderr}")


def state_of(node):
    return mmcli("-m", paths[node]).get("modem", {}).get("generic", {}).get("state")


lab.wait_for(lambda: all(state_of(n) in ("registered", "connected") for n, _ in MODEMS.values()),
             30, "ModemManager registers both modems")
for modem, (node, _) in MODEMS.items():
    print(f"{modem}: ModemManager says {state_of(node)}")
    subprocess.run(["mmcli", "-m", paths[node], "--signal-setup=1"], env=bed, check=False,
                   capture_output=True, timeout=60)


def reads_level(modem, path):
    """For MBIM, ModemManager 1.20 gives levels with the cells only."""
    if lab.modems[modem] == "qmi":
        signal = mmcli("-m", path, "--signal-get").get("modem", {}).get("signal", {})
        return signal.get("lte", {}).get("rsrp", "--") != "--"
    done = subprocess.run(["mmcli", "-m", path, "--get-cell-info"], env=bed, check=False,
                          capture_output=True, text=True, timeout=60)
    return "rsrp" in done.stdout


reads = {m: 0 for m in MODEMS}
while time.monotonic() < lab.began + DURATION - 4:
    for modem, (node, _) in MODEMS.items():
        reads[modem] += reads_level(modem, paths[node])
    time.sleep(0.5)
print("levels read by ModemManager meanwhile:", reads)
if not all(reads.values()):
    riglab.fail("ModemManager read no levels:", reads)
lab.finish()
lab.compare(span=(6, DURATION - 1))
for modem in MODEMS:
    if lab.events("modem-lost", modem) or lab.events("modem-silent", modem):
        riglab.fail("the logger lost a modem:", lab.records("events"))
