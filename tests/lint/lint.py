#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint.py CHECK ROOT: one check of the source tree; each finding is one line, exit 1 if any."""
import json
import multiprocessing.pool
import os
import re
import shlex
import shutil
import subprocess
import sys

ROOMS = ("formats", "logger", "analyzer", "tests")
CODE = (".c", ".h")
TEXT = CODE + (".py", ".sh", ".build", ".txt", ".md", ".scd", ".js", ".css", ".conf")

# What a room may include of the others.
MAY_INCLUDE = {
    "formats": {"formats"},
    "logger": {"formats", "logger"},
    "analyzer": {"formats", "analyzer"},
    "tests": {"formats", "logger", "analyzer", "tests"},
}
# Foreign header -> the only product files that may know it.
ONLY_IN = {
    r"(gdal|ogr_\w+|cpl_\w+)\.h": r"analyzer/(layer|raster)[\w-]*\.c",
    r"(proj|geodesic)\.h": r"analyzer/crs\.[ch]",
    r"sqlite3\.h": r"formats/(drive|chunk|sql)[\w-]*\.[ch]|analyzer/layer-(bulk|pages|rtree)\.[ch]",
    r"libqmi-glib\.h": r"logger/(modem-)?qmi[\w-]*\.[ch]|logger/modem-mbim[\w-]*\.[ch]",
    r"libmbim-glib\.h": r"logger/(modem-)?mbim[\w-]*\.[ch]",
    r"gps\.h": r"logger/gps[\w-]*\.[ch]",
    r"pcap(/pcap)?\.h": r"logger/capture[\w-]*\.[ch]",
    r"openssl/.*": r"formats/(evidence|file-hash)\.c",
    r"curl/curl\.h": r"logger/probe-throughput[\w-]*\.[ch]",
}


def tracked(root):
    if os.path.isdir(os.path.join(root, ".git")) or os.path.isfile(os.path.join(root, ".git")):
        out = subprocess.run(["git", "-c", "safe.directory=*", "-C", root, "ls-files"], check=True,
                             capture_output=True, text=True).stdout
        return [f for f in out.splitlines() if os.path.exists(os.path.join(root, f))]
    files = []
    for folder, folders, names in os.walk(root):
        folders[:] = [d for d in folders if not d.startswith(("build", "."))]
        files += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return sorted(files)


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as f:
        return f.read()


def is_code(name):
    return name.endswith(CODE) and name.split("/")[0] in ROOMS


def check_text(root):
    for name in tracked(root):
        if not name.endswith(TEXT) or name.startswith(("fixtures/", "tests/fuzz/corpus")):
            continue
        text = read(root, name)
        if text and not text.endswith("\n"):
            yield f"{name}: no newline at the end"
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip(" \t") and not name.endswith(".md"):
                yield f"{name}:{number}: blanks at the end of the line"
            if "\t" in line and not name.endswith(".scd"):
                yield f"{name}:{number}: tab"
            if re.search("[\u200b-\u200f\u202a-\u202e\u2060\ufeff]", line):
                yield f"{name}:{number}: invisible character"
        if name.endswith((".c", ".h", ".py", ".sh", "meson.build")):
            if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.split("\n")[:3]):
                yield f"{name}:1: no SPDX line"
        if re.search(r"\b(TODO|FIXME|XXX)\b", text) and name != "tests/lint/lint.py":
            yield f"{name}: TODO, FIXME or XXX"


def check_includes(root):
    for name in tracked(root):
        if not is_code(name):
            continue
        room = name.split("/")[0]
        for number, line in enumerate(read(root, name).split("\n"), 1):
            match = re.match(r'#include ([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            kind, header = match.groups()
            if kind == '"':
                other = header.split("/")[0]
                if "/" not in header and not header.startswith("corridor-"):
                    yield f"{name}:{number}: write the room: \"{header}\""
                elif other in MAY_INCLUDE and other not in MAY_INCLUDE[room]:
                    yield f"{name}:{number}: {room} must not know {other}"
            elif room != "tests":
                for pattern, where in ONLY_IN.items():
                    if re.fullmatch(pattern, header) and not re.fullmatch(where, name):
                        yield f"{name}:{number}: only {where} may include {header}"


def check_headers(root):
    """Each header compiles alone."""
    packages = ["glib-2.0", "gio-2.0", "gio-unix-2.0", "sqlite3", "json-glib-1.0"]
    flags = subprocess.run(["pkg-config", "--cflags"] + packages, check=True, capture_output=True,
                           text=True).stdout.split()
    for name in tracked(root):
        if not (is_code(name) and name.endswith(".h")) or name.endswith("-list.h"):
            continue
        result = subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-fsyntax-only", "-I", root]
                                + flags + ["-include", "glib.h", "-x", "c",
                                           os.path.join(root, name)],
                                capture_output=True, text=True)
        own = [l for l in result.stderr.split("\n") if "error:" in l]
        if own and not any("No such file" in l for l in own):
            yield f"{name}: does not compile alone: {own[0]}"


def check_sources(root):
    """Every source is named in a meson.build; no file and no function grows out of hand."""
    files = tracked(root)
    builds = "\n".join(read(root, f) for f in files if f.endswith("meson.build"))
    for name in files:
        if not is_code(name):
            continue
        base = os.path.basename(name)
        stem = re.sub(r"^(test|fuzz|bench)-", "", base)[:-2]
        if base.endswith(".c") and base not in builds and f"'{stem}'" not in builds:
            yield f"{name}: in no meson.build"
        lines = read(root, name).split("\n")
        if len(lines) > 1000:
            yield f"{name}: {len(lines)} lines; split it by idea"
        start = 0
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start > 120 and not name.startswith("tests/"):
                    yield f"{name}:{start}: a function of {number - start} lines"
                start = 0


def check_fuzz(root):
    """Every format of the importers has a fuzz target, and every target is in the table."""
    build = read(root, "tests/fuzz/meson.build")
    table = read(root, "tests/fuzz/README.md")
    targets = set(re.findall(r"^  '([\w-]+)': \{", build, re.M))
    for name in tracked(root):
        if re.fullmatch(r"formats/import-[\w-]+\.c", name):
            for row in re.findall(r"^const ImportFormat \w+ = \{\"(\w+)\"", read(root, name), re.M):
                if f"'{row}'" not in build:
                    yield f"{name}: no fuzz target for the format {row}"
                targets.add(f"import-{row}")
    for target in sorted(targets):
        if target not in table:
            yield f"tests/fuzz/README.md: does not list {target}"


def check_layout(root):
    tool = shutil.which("clang-format")
    if tool is None:
        sys.exit(77)
    names = [n for n in tracked(root) if is_code(n)]
    result = subprocess.run([tool, "--dry-run", "-style=file"] + names, cwd=root,
                            capture_output=True, text=True)
    seen = set()
    for line in result.stderr.split("\n"):
        match = re.match(r"([^:]+):(\d+):", line)
        if match and match.group(1) not in seen and "warning" in line:
            seen.add(match.group(1))
            yield f"{match.group(1)}:{match.group(2)}: run clang-format -i"


def check_cppcheck(root):
    if shutil.which("cppcheck") is None:
        sys.exit(77)
    result = subprocess.run(
        ["cppcheck", "--quiet", "--std=c11", "--library=gtk,posix", "-D_GNU_SOURCE", "-I.",
         "--enable=warning,performance,portability", "--suppress=missingIncludeSystem",
         "--suppress=unknownMacro", "--suppressions-list=tests/lint/cppcheck.suppress",
         "--template={file}:{line}: {message} [{id}]", "--template-location=",
         "-Dg_assert_cmpint(a,b,c)=", "-Dg_assert_cmpuint(a,b,c)=",
         "formats", "logger", "analyzer"], cwd=root, capture_output=True, text=True)
    yield from (l for l in result.stderr.split("\n") if re.match(r"[a-z].*:\d+: ", l))


def check_tidy(root):
    """clang-tidy on all that a build compiles of formats, logger and analyzer."""
    build = os.environ.get("CORRIDOR_BUILD", "")
    if shutil.which("clang-tidy") is None or \
            not os.path.exists(os.path.join(build, "compile_commands.json")):
        sys.exit(77)
    for name in tracked(root):
        if name.endswith(".c") and name.split("/")[0] in ROOMS[:3]:
            result = subprocess.run(["clang-tidy", "-p", build, "--quiet",
                                     os.path.join(root, name)], capture_output=True, text=True)
            yield from (l for l in result.stdout.split("\n")
                        if re.search(r"(warning|error): ", l))


def analyze(command):
    """Findings of gcc's -fanalyzer on one file, but those that a comment "-fanalyzer: why not" at most
    two lines above it answers."""
    words = [w for w in shlex.split(command["command"]) if os.path.basename(w) != "ccache"]
    out = words.index("-o")
    words[out + 1] = os.devnull
    result = subprocess.run(words + ["-fanalyzer", "-Wno-error", "-fdiagnostics-color=never"],
                            cwd=command["directory"], capture_output=True, text=True)
    if result.returncode != 0:
        return [f"{command['file']}: does not compile with -fanalyzer: {result.stderr[-300:]}"]
    found = []
    for line in result.stderr.split("\n"):
        match = re.match(r"(.+?):(\d+):\d+: warning: .*-Wanalyzer", line)
        if match:
            with open(os.path.join(command["directory"], match[1]), encoding="utf-8") as f:
                at = f.read().split("\n")[max(0, int(match[2]) - 3):int(match[2])]
            if not any("/* -fanalyzer: " in text for text in at):
                found.append(os.path.normpath(line))
    return found


def check_analyzer(root):
    """gcc's -fanalyzer on all C that a build compiles; two files at a time."""
    build = os.environ.get("CORRIDOR_BUILD", "")
    path = os.path.join(build, "compile_commands.json")
    if not os.path.exists(path):
        sys.exit(77)
    with open(path, encoding="utf-8") as f:
        commands = [c for c in json.load(f)
                    if os.path.normpath(os.path.join(c["directory"], c["file"])).startswith(
                        tuple(os.path.join(root, room) + "/" for room in ROOMS))]
    if not commands or "-fsanitize" in commands[0]["command"] or \
            not re.search(r"\b(gcc|cc)\b", commands[0]["command"].split(" -")[0]):
        sys.exit(77)
    with multiprocessing.pool.ThreadPool(2) as pool:
        for found in pool.imap(analyze, commands):
            yield from found


def check_shell(root):
    if shutil.which("shellcheck") is None:
        sys.exit(77)
    names = []
    for name in tracked(root):
        try:
            first = read(root, name).split("\n", 1)[0]
        except (UnicodeDecodeError, IsADirectoryError):
            continue
        if re.match(r"#!.*\b(ba)?sh\b", first):
            names.append(name)
    if names:
        result = subprocess.run(["shellcheck", "-x", "-S", "warning", "-P", "SCRIPTDIR",
                                 "-f", "gcc"] + names, cwd=root, capture_output=True, text=True)
        yield from (l for l in result.stdout.split("\n") if l)


def main():
    check, root = sys.argv[1:]
    findings = list(globals()["check_" + check](root))
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)


main()
