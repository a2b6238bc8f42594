# SPDX-License-Identifier: Apache-2.0
"""A made vehicle for tests: corridor-rig, gpsd and the unmodified corridor-logger in a network
namespace of their own, and the comparison of the drives with the rig's truth.

    lab = riglab.Lab(scenario="four", duration=20)   exits 77 where namespaces are not allowed
    lab.rig(); lab.gpsd(); lab.logger()              start
    lab.wait_rig()                                   until the scenario is over
    lab.stop_logger()
    lab.compare()                                    every sample and fix against the truth
    lab.want_event("modem-reset", source="red")
"""
import atexit
import glob
import json
import math
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import drive_reader

BUILD = os.environ.get("CORRIDOR_BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
SOURCE = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "../.."))
RIG = os.path.join(BUILD, "tests/rig/corridor-rig")
LOGGER = os.environ.get("CORRIDOR_LOGGER", os.path.join(BUILD, "logger/corridor-logger"))
GPSD_PORT = 2950

EXACT = ("rat", "service", "roaming", "plmn", "tac", "cell_id", "pci", "arfcn", "band",
         "nr_pci", "nr_arfcn", "nr_cell_id")
LEVELS = {"rsrp_dbm": 0.0, "rsrq_db": 0.0, "sinr_db": 0.0, "nr_rsrp_dbm": 0.0, "nr_rsrq_db": 0.0,
          "nr_sinr_db": 0.0, "rscp_dbm": 0.0, "ecio_db": 0.0, "rxlev_dbm": 0.0}
# MBIM carries SINR in half and whole decibels.
MBIM_SLACK = {"sinr_db": 1.0, "nr_sinr_db": 1.0}
STEP_NS = 100_000_000


def skip(why):
    print("SKIPPED:", why)
    sys.exit(77)


def fail(*why):
    print("FAILED:", *why, file=sys.stderr)
    sys.exit(1)


def enter():
    """Runs the script again in network and mount namespaces of its own, so that neither sockets
    nor mounts are seen outside."""
    if os.environ.get("RIGLAB_INSIDE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    for tool in ("unshare", "ip"):
        if not shutil.which(tool):
            skip(f"{tool} is needed")
    kinds = [["-n", "-m"]] if os.geteuid() == 0 else []
    for flags in kinds + [["-U", "-r", "-n", "-m"]]:
        if subprocess.run(["unshare", *flags, "true"], capture_output=True).returncode == 0:
            os.environ["RIGLAB_INSIDE"] = "1"
            os.execvp("unshare", ["unshare", *flags, sys.executable, *sys.argv])
    skip("no right to make namespaces")


def fixture(name):
    with open(os.path.join(SOURCE, "fixtures/scenarios", name + ".scenario"),
              encoding="utf-8") as f:
        return f.read()


def set_key(text, group, key, value):
    """Sets a key of a scenario, adding it at the start of its group."""
    head = f"[{group}]\n"
    if head not in text:
        return text + f"\n{head}{key}={value}\n"
    before, after = text.split(head, 1)
    body, _, rest = after.partition("\n[")
    body = re.sub(rf"(?m)^{re.escape(key)}=.*\n?", "", body)
    return f"{before}{head}{key}={value}\n{body}" + (f"\n[{rest}" if rest else "")


class Lab:
    def __init__(self, scenario="four", duration=20, faults="", gps_rate=10, text=None, **keys):
        """`text` is a scenario of its own instead of a fixture; a key is GROUP__KEY=value."""
        enter()
        self.work = tempfile.mkdtemp(prefix="corridor-rig.")
        os.chmod(self.work, 0o755)
        self.processes = []
        self.duration = duration
        self.problems = []
        atexit.register(self.clean)
        text = set_key(text or fixture(scenario), "rig", "duration-s", duration)
        text = set_key(text, "gps", "rate-hz", gps_rate)
        for key, value in keys.items():
            group, _, name = key.partition("__")
            text = set_key(text, group.replace("_", " "), name.replace("_", "-"), value)
        self.text = text + "\n" + faults
        self.modems = {m: self.value(f"modem {m}", "protocol", "qmi")
                       for m in re.findall(r"(?m)^\[modem (\S+)\]", self.text)}
        self.interval = {m: 1.0 for m in self.modems}
        self.drives_dir = self.path("drives")
        self.logger_process = None

    def path(self, name):
        return os.path.join(self.work, name)

    def value(self, group, key, default):
        body = self.text.split(f"[{group}]\n", 1)
        found = re.search(rf"(?m)^{key}=(.*)$", body[1].split("\n[")[0]) if len(body) > 1 else None
        return found.group(1) if found else default

    def start(self, command, **options):
        process = subprocess.Popen(command, **options)
        self.processes.append(process)
        return process

    def rig(self):
        with open(self.path("scenario"), "w", encoding="utf-8") as f:
            f.write(self.text)
        self.rig_log = open(self.path("rig.log"), "w+", encoding="utf-8")
        self.rig_process = self.start(
            [RIG, "--devices", self.path("dev"), "--truth", self.path("truth"),
             self.path("scenario")], stdout=self.rig_log, stderr=subprocess.STDOUT)
        self.wait_for(lambda: "ready" in self.read("rig.log"), 5, "the rig is ready")
        self.began = time.monotonic()

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def wait_for(self, condition, seconds, what):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.05)
        fail(f"after {seconds} s not yet: {what}\n{self.read('rig.log')}\n"
             f"{self.read('logger.log')[-3000:]}")

    def gpsd(self, device="udp://127.0.0.1:5000"):
        if not shutil.which("gpsd"):
            skip("gpsd is needed")
        self.gpsd_process = self.start(
            ["gpsd", "-N", "-n", "-S", str(GPSD_PORT), device],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def configure(self, extra="", store="", gps="", modem="", interval=None):
        """The logger's configuration; `modem` is added to every modem."""
        lines = ["[vehicle]", "name=rig", "[store]", f"folder={self.drives_dir}",
                 "keep-free=1 MiB", "warn-free=2 MiB", store,
                 "[gps]", "host=127.0.0.1", f"port={GPSD_PORT}", gps,
                 "[status]", f"socket={self.path('logger.sock')}"]
        for name, protocol in self.modems.items():
            driver = "qmi" if protocol == "qmi" else "mbim"
            lines += [f"[modem {name}]", f"driver={driver}",
                      f"device={self.path('dev')}/by-path/{name}",
                      f"operator={self.value('modem ' + name, 'operator', name)}",
                      f"interval={interval or '1 s'}", modem]
            if "cell-interval" not in modem:
                # MBIM tells of a new cell only when it is asked.
                lines.append(f"cell-interval={interval or '1 s'}")
            if protocol == "mbim":
                lines.append("qmi-over-mbim=no")
        if interval:
            number, unit = interval.split()
            for name in self.modems:
                self.interval[name] = float(number) * (0.001 if unit == "ms" else 1)
        with open(self.path("logger.conf"), "w", encoding="utf-8") as f:
            f.write("\n".join(line for line in lines if line) + "\n" + extra + "\n")

    def logger(self, wait=True, prefix=()):
        if not os.path.exists(LOGGER):
            skip("corridor-logger is not built")
        if not os.path.exists(self.path("logger.conf")):
            self.configure()
        os.makedirs(self.drives_dir, exist_ok=True)
        self.logger_log = open(self.path("logger.log"), "a", encoding="utf-8")
        self.logger_process = self.start([*prefix, LOGGER, "--config", self.path("logger.conf")],
                                         stdout=self.logger_log, stderr=subprocess.STDOUT)
        if wait:
            self.wait_for(lambda: self.live_samples() > 0 or self.logger_process.poll() is not None,
                          10, "the logger's first sample")
            if self.logger_process.poll() is not None:
                fail("the logger ended:", self.read("logger.log")[-3000:])
        return self.logger_process

    def live_samples(self, drives=None):
        total = 0
        for path in self.drives() if drives is None else drives:
            try:
                db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
                total += db.execute("SELECT count(*) FROM samples").fetchone()[0]
                db.close()
            except sqlite3.Error:
                pass
        return total

    def stop_logger(self, how=signal.SIGTERM, status=0, seconds=10):
        self.logger_process.send_signal(how)
        try:
            got = self.logger_process.wait(seconds)
        except subprocess.TimeoutExpired:
            fail(f"the logger did not end in {seconds} s\n{self.read('logger.log')[-3000:]}")
        if how == signal.SIGTERM and got != status:
            fail(f"the logger ended with {got}\n{self.read('logger.log')[-3000:]}")

    def at(self, seconds):
        """Sleeps until so many seconds after the rig began."""
        time.sleep(max(0, self.began + seconds - time.monotonic()))

    def wait_rig(self):
        if self.rig_process.wait(600) != 0:
            fail("the rig failed:", self.read("rig.log"))

    def finish(self):
        """Stops the logger just before the scenario ends: its modems are not lost, it is over."""
        self.at(self.duration - 0.5)
        self.stop_logger()
        self.wait_rig()

    def drives(self):
        return sorted(glob.glob(os.path.join(self.drives_dir, "**/*.drive"), recursive=True))

    def records(self, table):
        """Of all drives, with the label of the source in `source`."""
        rows = []
        for path in self.drives():
            labels = {s["id"]: s["label"] for s in drive_reader.records(path, "sources")}
            for row in drive_reader.records(path, table):
                row["source"] = labels.get(row.get("source"))
                rows.append(row)
        return sorted(rows, key=lambda r: r.get("time_ns", 0))

    def truth(self, table):
        path = self.path("truth.drive")
        labels = {s["id"]: s["label"] for s in drive_reader.records(path, "sources")}
        rows = drive_reader.records(path, table)
        for row in rows:
            row["source"] = labels.get(row.get("source"))
        return sorted(rows, key=lambda r: r["time_ns"])

    def integrity(self):
        for path in self.drives():
            db = sqlite3.connect(path)
            got = db.execute("PRAGMA integrity_check").fetchone()[0]
            db.close()
            if got != "ok":
                fail(f"{path}: {got}")

    # -- comparison -------------------------------------------------------------------------------

    def compare(self, loss=0.05, quiet=(), noise_m=12.0, modems=None, wrong=0.0, fixes=True,
                span=None, missing=0.05, lag=0.0,
                needed=("rat", "service", "cell_id", "rsrp_dbm", "pci")):
        """Every sample against the truth of its time, none missing but the share `loss`, outside
        the `quiet` spans (modem or None, from, to in seconds of the scenario). Cells may be as old
        as `lag` seconds where they are asked for less often than levels."""
        self.integrity()
        truth = self.truth("samples")
        if not truth:
            fail("the truth is empty")
        start = truth[0]["time_ns"]
        samples = self.records("samples")
        finer = [s for s in samples if s["time_ns"] % 1000 or (s["request_ns"] or 0) % 1000]
        if finer:
            self.problem(f"{len(finer)} samples with parts of a microsecond, e.g. {finer[0]}")
        for name in modems or self.modems:
            own_truth = [t for t in truth if t["source"] == name]
            own = [s for s in samples if s["source"] == name]
            if not own:
                self.problem(f"{name}: no samples at all")
                continue
            spans = [(start + int(a * 1e9), start + int(b * 1e9)) for m, a, b in quiet
                     if m in (None, name)]
            self.compare_values(name, own, own_truth, wrong, missing, spans, lag, needed)
            self.compare_presence(name, own, own_truth, loss, spans, start, span)
        if fixes:
            self.compare_fixes(noise_m, start, quiet)
        if self.problems:
            fail("\n        ".join(self.problems))

    def problem(self, text):
        self.problems.append(text)

    def compare_values(self, name, own, truth, wrong, missing, spans, lag, needed):
        mbim = self.modems[name] != "qmi"
        at, bad, absent, compared = 0, [], {}, 0
        for sample in own:
            asked = sample["request_ns"] or sample["time_ns"]
            # A poll is several answers: the world may have moved on between them.
            low, high = asked - 4 * STEP_NS - int(lag * 1e9), sample["time_ns"] + 2 * STEP_NS
            if any(a - 2 * STEP_NS <= sample["time_ns"] < b + 2 * STEP_NS for a, b in spans):
                continue
            while at < len(truth) and truth[at]["time_ns"] < low:
                at += 1
            window = []
            for row in truth[at:at + 200]:
                if row["time_ns"] > high:
                    break
                window.append(row)
            if not window:
                continue
            compared += 1
            if len({(r["rat"], r["cell_id"]) for r in window}) > 1 and \
                    (sample["rat"], sample["cell_id"]) in {(r["rat"], r["cell_id"])
                                                          for r in window}:
                continue  # a change of cell in the middle of a poll
            for column in EXACT + tuple(LEVELS):
                got = sample.get(column)
                wanted = [r[column] for r in window]
                if got is None:
                    if all(w is not None for w in wanted):
                        absent[column] = absent.get(column, 0) + 1
                    continue
                slack = MBIM_SLACK.get(column, LEVELS.get(column, 0)) if mbim else \
                    LEVELS.get(column, 0)
                if column in EXACT:
                    good = got in wanted
                else:
                    known = [w for w in wanted if w is not None]
                    good = bool(known) and min(known) - slack <= got <= max(known) + slack
                if not good:
                    bad.append((round((sample["time_ns"] - truth[0]["time_ns"]) / 1e9, 2), column,
                                got, sorted({str(w) for w in wanted})))
        share = len(bad) / max(1, compared)
        print(f"{name}: {len(own)} samples, {compared} compared, {len(bad)} values differ, "
              f"not given: {absent}")
        if share > wrong:
            self.problem(f"{name}: {len(bad)} values differ from the truth, e.g. {bad[:6]}")
        for column in needed:
            if absent.get(column, 0) > missing * max(1, compared):
                self.problem(f"{name}: {column} is missing in {absent[column]} of {compared} samples")

    def compare_presence(self, name, own, truth, loss, spans, start, span):
        """Each interval while the modem was there has its sample."""
        interval = int(self.interval[name] * 1e9)
        first = max(own[0]["time_ns"], truth[0]["time_ns"])
        last = min(own[-1]["time_ns"], truth[-1]["time_ns"])
        if span:
            first, last = start + int(span[0] * 1e9), start + int(span[1] * 1e9)
        there = [t["time_ns"] for t in truth]
        times = [s["time_ns"] for s in own]
        expected = lost = at = seen = 0
        holes = []
        for slot in range(first, last - interval, interval):
            end = slot + interval
            if any(a - interval < end and slot < b + interval for a, b in spans):
                continue
            while at < len(there) and there[at] < slot:
                at += 1
            if at >= len(there) or there[at] > end:
                continue
            expected += 1
            # One interval of slack on both sides: polls and slots are not in step.
            while seen < len(times) and times[seen] < slot - interval // 2:
                seen += 1
            if seen >= len(times) or times[seen] > end + interval // 2:
                lost += 1
                holes.append(round((slot - start) / 1e9, 1))
        count = sum(1 for t in times if first <= t < last)
        print(f"{name}: {expected} slots of {self.interval[name]} s, {lost} empty, {count} samples")
        if expected == 0:
            self.problem(f"{name}: nothing to compare")
        if lost > loss * expected:
            self.problem(f"{name}: {lost} of {expected} samples lost, at {holes[:10]} s")

    def compare_fixes(self, noise_m, start, quiet):
        truth = self.truth("fixes")
        times = [t["time_ns"] for t in truth]
        fixes = [f for f in self.records("fixes") if f["lat"] is not None]
        if not fixes:
            self.problem("no fixes")
            return
        spans = [(start + int(a * 1e9), start + int(b * 1e9)) for m, a, b in quiet if m is None]
        at, far, used = 0, [], 0
        for fix in fixes:
            if any(a <= fix["time_ns"] < b for a, b in spans):
                continue
            while at + 1 < len(times) and times[at + 1] <= fix["time_ns"]:
                at += 1
            if not (at + 1 < len(times) and times[at] <= fix["time_ns"] <= times[at + 1]):
                continue
            used += 1
            a, b = truth[at], truth[at + 1]
            f = (fix["time_ns"] - times[at]) / (times[at + 1] - times[at])
            lat, lon = (a[k] + f * (b[k] - a[k]) for k in ("lat", "lon"))
            metres = math.hypot((fix["lat"] - lat) * 111195,
                                (fix["lon"] - lon) * 111195 * math.cos(math.radians(lat)))
            if metres > noise_m:
                far.append((round((fix["time_ns"] - start) / 1e9, 2), round(metres, 1)))
        print(f"fixes: {used} compared, {len(far)} farther than {noise_m} m from the truth")
        if used == 0:
            self.problem("no fix within the truth's time")
        if far:
            self.problem(f"{len(far)} of {used} fixes are off: {far[:6]}")

    def events(self, kind, source=None):
        return [e for e in self.records("events")
                if e["kind"] == kind and (source is None or e["source"] == source)]

    def want_event(self, kind, source=None, least=1, after=None, before=None):
        start = self.truth("fixes")[0]["time_ns"]
        found = [e for e in self.events(kind, source)
                 if (after is None or e["time_ns"] >= start + after * 1e9)
                 and (before is None or e["time_ns"] <= start + before * 1e9)]
        if len(found) < least:
            seen = [(e["kind"], e["source"], round((e["time_ns"] - start) / 1e9, 1), e["detail"])
                    for e in self.records("events")]
            fail(f"{len(found)} events {kind} of {source}, not {least}; there are {seen}")
        return found

    def resident_kb(self):
        with open(f"/proc/{self.logger_process.pid}/status", encoding="utf-8") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def cpu_seconds(self, pid=None):
        with open(f"/proc/{pid or self.logger_process.pid}/stat", encoding="utf-8") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def sealing(self):
        """Process ids of those that make drives of this lab small."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
                    words = f.read().split("\0")
            except OSError:
                continue
            if words[1:2] == ["seal"] and words[2].startswith(self.work):
                found.append(int(pid))
        return found

    def clean(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        if os.environ.get("RIGLAB_KEEP"):
            print("kept:", self.work)
            return
        subprocess.run(["umount", "-q", self.drives_dir], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.work, ignore_errors=True)
