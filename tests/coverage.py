#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines of each room that the tests of a build with -Db_coverage=true went through, by gcovr.

Usage: coverage.py BUILD. Exit 1 where a room has less than it should."""
import json
import os
import subprocess
import sys

WANTED = {"formats": 85, "analyzer": 85, "logger": 80}  # per cent


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: coverage.py BUILD")
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    filters = [word for room in WANTED for word in ("--filter", f"{source}/{room}/")]
    summary = json.loads(subprocess.run(
        ["gcovr", "--root", source, *filters, "--json-summary", "-", sys.argv[1]],
        check=True, stdout=subprocess.PIPE).stdout)
    is_enough = True
    print(f"{'room':<10}{'lines':>7}{'of':>8}{'wanted':>9}")
    for room, wanted in WANTED.items():
        files = [f for f in summary["files"] if f["filename"].startswith(room + "/")]
        total = sum(f["line_total"] for f in files)
        share = 100 * sum(f["line_covered"] for f in files) / total if total else 0
        is_enough = is_enough and share >= wanted
        print(f"{room:<10}{share:>5.1f} %{total:>8,}{wanted:>7} %")
    sys.exit(not is_enough)


main()
