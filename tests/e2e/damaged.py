#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives of which something cannot be read: each command uses the rest, ends with 0, and says in one
line a piece what is lost, each time it is run; results say it too."""
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("CORRIDOR_BUILD", os.path.join(SOURCE, "build"))
CORRIDOR = os.path.join(BUILD, "analyzer", "corridor")
DEMO = os.path.join(os.path.abspath(SOURCE), "fixtures", "demo")
failures = []


def corridor(*arguments):
    return subprocess.run([CORRIDOR, *arguments], capture_output=True, text=True, check=False)


def made(*arguments):
    done = corridor(*arguments)
    if done.returncode != 0 or done.stderr:
        sys.exit(f"FAILED: {arguments}: {done.returncode}: {done.stderr}")


def damage_chunk(name, source, kind):
    """Flips bits in the middle of a chunk of a kind; what is lost, as it is told."""
    shutil.copy(source, name)
    with sqlite3.connect(name) as drive:
        number, n, data = drive.execute("SELECT id, n, data FROM chunks WHERE kind = ?", (kind,)).fetchone()
        data = bytearray(data)
        data[len(data) // 2] ^= 0x55
        drive.execute("UPDATE chunks SET data = ? WHERE id = ?", (bytes(data), number))
    drive.close()
    return f"{name}: chunk {number} of {kind}: ", f"; its {n} rows are lost"


def cut_last_page(name):
    """What lay on the page that a copy was cut in."""
    with open("alfa.drive", "rb") as whole, open(name, "wb") as cut:
        cut.write(whole.read()[:-100])
    return f"{name}: chunk ", " rows are lost"


def expect(told, arguments, status=0):
    done = corridor(*arguments)
    lines = [line for line in done.stderr.splitlines() if " lost" in line]
    good = len(lines) == len(told) and all(
        line.startswith(f"corridor {arguments[0]}: warning: {begin}") and line.endswith(end)
        for line, (begin, end) in zip(lines, told))
    if done.returncode != status or not good:
        failures.append(f"{' '.join(arguments)}: {done.returncode}, {done.stderr!r}, not {status}, {told}")


def main():
    with tempfile.TemporaryDirectory(prefix="corridor-damaged.") as work:
        os.chdir(work)
        for name in ("alfa", "beta", "gamma"):
            made("import", "--operator", name, "-o", f"{name}.drive", os.path.join(DEMO, f"{name}.csv"))
        made("network", "from-track", "-o", "net.gpkg", "--name", "Line", "alfa.drive")
        cut = cut_last_page("cut.drive")
        samples = damage_chunk("samples.drive", "gamma.drive", "samples")
        fixes = damage_chunk("fixes.drive", "beta.drive", "fixes")
        for _ in range(2):  # the second time with what was kept beside the drives
            expect([cut], ["analyze", "-n", "net.gpkg", "-o", "out.gpkg", "cut.drive"])
            expect([fixes, samples], ["analyze", "-n", "net.gpkg", "-o", "out.gpkg", "alfa.drive",
                                      "fixes.drive", "samples.drive"])
            expect([], ["analyze", "-n", "net.gpkg", "-o", "whole.gpkg", "alfa.drive"])
            with sqlite3.connect("out.gpkg") as results:
                found = [row[0] for row in results.execute("SELECT problems FROM drives ORDER BY name")]
            results.close()
            if len(found) != 3 or found[0] is not None or not found[1].startswith(fixes[0]) or \
                    not found[2].startswith(samples[0]):
                failures.append(f"the results say {found}")
        expect([fixes], ["match", "-n", "net.gpkg", "--csv", "fixes.csv", "fixes.drive", "alfa.drive"])
        expect([samples], ["export", "-f", "csv", "-o", "samples.csv", "samples.drive"])
        made("export", "-f", "csv", "-o", "alfa.csv", "alfa.drive")
        done = corridor("network", "from-track", "-o", "two.gpkg", "--name", "Two", "fixes.drive", "alfa.drive")
        if done.returncode != 0 or f"corridor network from-track: warning: {fixes[0]}" not in done.stderr:
            failures.append(f"network from-track: {done.returncode}, {done.stderr!r}")
        os.chdir("/")
    print("\n".join(failures) or "every loss was told")
    sys.exit(1 if failures else 0)


main()
