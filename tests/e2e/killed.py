#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands killed while they write: what they had begun goes with the next run that has the same
output, while that of a run that still goes on stays, and the output is whole."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("CORRIDOR_BUILD", os.path.join(SOURCE, "build"))
CORRIDOR = os.path.join(BUILD, "analyzer", "corridor")
DEMO = os.path.join(os.path.abspath(SOURCE), "fixtures", "demo")
BEGUN = re.compile(r"\.new-\d+-\d+|^\..*\.\d+-[0-9a-f]{8}\.gpkg")
failures = []


def run(*arguments):
    subprocess.run([CORRIDOR, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def begun():
    return {os.path.join(where, name) for where, _, names in os.walk(".") for name in names
            if BEGUN.search(name)}


def stopped_while_writing(arguments):
    """A process that stands still with its output begun; None if it was always too fast."""
    for _ in range(40):
        before = begun()
        process = subprocess.Popen([CORRIDOR, *arguments], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        while process.poll() is None and not begun() - before:
            time.sleep(0.0002)
        if process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            if begun() - before:
                return process
            process.kill()
        process.wait()
    return None


def try_command(name, *arguments, new=None):
    first, second = stopped_while_writing(arguments), stopped_while_writing(arguments)
    if first is None or second is None:
        failures.append(f"{name}: never seen writing")
        return
    mine = {pid: {n for n in begun() if re.search(rf"[.-]{pid}-", n)} for pid in (first.pid, second.pid)}
    first.kill()
    first.wait()
    run(*arguments)
    if new is not None:  # is not written over
        os.unlink(new)
    if {n for n in mine[first.pid] if os.path.exists(n)}:
        failures.append(f"{name}: what a killed run had begun stays: {mine[first.pid]}")
    if {n for n in mine[second.pid] if not os.path.exists(n)}:
        failures.append(f"{name}: what a living run had begun is gone: {mine[second.pid]}")
    second.kill()
    second.wait()
    run(*arguments)
    if begun():
        failures.append(f"{name}: left over: {begun()}")
    print(f"{name}: {len(mine[first.pid])} and {len(mine[second.pid])} files begun")


def main():
    work = tempfile.TemporaryDirectory(prefix="corridor-killed.")
    os.chdir(work.name)
    alfa = os.path.join(DEMO, "alfa.csv")
    try_command("import", "import", "--operator", "Alfa", "-o", "alfa.drive", alfa, new="alfa.drive")
    try_command("network from-track", "network", "from-track", "-o", "net.gpkg", "--name", "L", "alfa.drive")
    try_command("match", "match", "-n", "net.gpkg", "--csv", "match.csv", "alfa.drive")
    try_command("analyze", "analyze", "-n", "net.gpkg", "-o", "out.gpkg", "alfa.drive")
    run("analyze", "-n", "net.gpkg", "-o", "later.gpkg", "alfa.drive")
    try_command("diff", "diff", "-o", "diff.gpkg", "out.gpkg", "later.gpkg")
    try_command("report", "report", "-o", "report", "out.gpkg")
    try_command("export of results", "export", "-f", "geojson", "-o", "out.geojson", "out.gpkg")
    try_command("export of a drive", "export", "-f", "kml", "-o", "alfa.kml", "alfa.drive")
    try_command("recover", "recover", "alfa.drive", "saved.drive", new="saved.drive")
    try_command("scrub", "scrub", "--cells", "alfa.drive", "scrubbed.drive", new="scrubbed.drive")
    os.chdir("/")
    work.cleanup()
    print("\n".join(failures) or "nothing left over")
    sys.exit(1 if failures else 0)


main()
