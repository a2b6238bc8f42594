#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up meson's test logs: prints the failed and skipped tests and one closing line."""
import json
import sys


def main():
    failed_builds = int(sys.argv[1])
    passed, failed, skipped = 0, [], []
    for path in sys.argv[2:]:
        try:
            lines = open(path, encoding="utf-8").read().splitlines()
        except OSError:
            failed.append(f"no test log {path}")
            continue
        for line in lines:
            test = json.loads(line)
            if test["result"] in ("OK", "EXPECTEDFAIL"):
                passed += 1
            elif test["result"] == "SKIP":
                skipped.append(test["name"])
            else:
                failed.append(f'{test["name"]}: {test["result"]}')
    for name in skipped:
        print(f"skipped: {name}")
    for name in failed:
        print(f"failed: {name}")
    for _ in range(failed_builds):
        print("failed: a build, see above")
    n_failed = len(failed) + failed_builds
    print(f"{passed} passed, {n_failed} failed, {len(skipped)} skipped")
    sys.exit(1 if n_failed or not passed else 0)


main()
