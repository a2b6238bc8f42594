#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wrong options, configurations and scenarios, no permission: one clear line and the right exit
status. A modem or a gpsd that is not there: one line, and the rest is recorded."""
import os
import re
import shutil
import subprocess

import riglab

lab = riglab.Lab(duration=60, gps_rate=5)
lab.rig()
problems = []


def one_line(program, status, pattern, *arguments, prefix=()):
    done = subprocess.run([*prefix, program, *arguments], capture_output=True, text=True,
                          timeout=30, check=False, cwd=lab.work)
    text = done.stderr.strip()
    own = [line for line in text.splitlines() if "WARNING" not in line and line.strip()]
    name = os.path.basename(program)
    print(f"{' '.join(arguments)[-60:]:60} {done.returncode} {text[:110]}")
    if done.returncode != status or len(own) != 1 or not own[0].startswith(name + ": ") or \
            not re.search(pattern, own[0]):
        problems.append(f"{name} {arguments}: {done.returncode}, not {status}: {text!r} lacks "
                        f"{pattern!r}")


def written(name, text, mode=0o644):
    with open(lab.path(name), "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(lab.path(name), mode)
    return lab.path(name)


def logger(status, pattern, *arguments, **options):
    one_line(riglab.LOGGER, status, pattern, *arguments, **options)


def configured(status, pattern, text, **options):
    logger(status, pattern, "--config", written("wrong.conf", text), **options)


logger(2, "--wrong", "--wrong")
logger(2, "unknown command dance; there are run, check, status, sample and seal", "dance")
logger(2, "run: unexpected word check", "run", "check")
logger(2, "seal: DRIVE is missing", "seal")
logger(1, "/none.conf", "--config", "/none.conf")
logger(1, r"none\.drive: .*No such file or directory; the drive stays as it is", "seal", lab.path("none.drive"))
logger(1, r"text\.drive: .*not a database", "seal", written("text.drive", "no drive\n" * 100))
logger(1, "Is a directory", "seal", lab.path(""))
configured(1, r"wrong\.conf:2: .*foldre", "[store]\nfoldre=/x\n")
configured(1, r"wrong\.conf:2: .*5 km.*is not a time", "[store]\ncommit=5 km\n")
configured(1, r"wrong\.conf:1: .*\[disk\]", "[disk]\n")
configured(1, r"wrong\.conf:2: neither", "[store]\nnonsense\n")
configured(1, "neither modems nor GPS", "[gps]\nenabled=no\n")
configured(1, "/proc/no/store", "[store]\nfolder=/proc/no/store\n")
good = f"[store]\nfolder={lab.drives_dir}\nkeep-free=1 MiB\n"
configured(1, "key-file.*/no/key", good + "[reflector]\nhost=x\nkey-file=/no/key\n")
logger(1, "no logger answers", "status", "--socket", lab.path("no.sock"))

# What can be typed is offered.
completion = os.path.join(riglab.SOURCE, "contrib/completion/corridor-logger.bash")
for program, typed, wanted in ((riglab.LOGGER, "", ("run", "check", "status", "sample", "--config")),
                               (riglab.LOGGER, "st", ("status",)),
                               (riglab.LOGGER.replace("corridor-logger", "corridor-reflector"),
                                "--stamp", ("--stamp-port",))):
    offered = subprocess.run(
        ["bash", "-c", 'source "$1"; COMP_WORDS=("$2" "$3"); COMP_CWORD=1; _corridor_logger; '
         'echo "${COMPREPLY[*]}"', "bash", completion, program, typed], capture_output=True,
        text=True, timeout=30, check=False).stdout.split()
    if not set(wanted) <= set(offered):
        problems.append(f"{program} {typed!r} offers {offered}")

# As somebody who may not.
stranger = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
if shutil.which("setpriv") and subprocess.run([*stranger, "true"], check=False,
                                              capture_output=True).returncode == 0:
    os.makedirs(lab.path("closed"), mode=0o700, exist_ok=True)
    configured(1, "drives cannot be written here: Permission denied; let the logger's user own",
               f"[store]\nfolder={lab.path('closed')}\n", prefix=stranger)
    logger(1, "Permission denied", "--config", written("secret.conf", good, mode=0o600),
           prefix=stranger)
    key = written("open.key", "00112233445566778899aabbccddeeff\n", mode=0o644)
    configured(1, "others", good + f"[reflector]\nhost=x\nkey-file={key}\n")
else:
    print("no right to become somebody else: permissions are not tested")


def rig(status, pattern, *arguments):
    one_line(riglab.RIG, status, pattern, *arguments)


rig(2, "name one scenario")
rig(2, "--wrong", "--wrong")
rig(2, "--truth-only needs --truth", "--truth-only", lab.path("scenario"))
rig(1, "none.scenario", "none.scenario")
wrong = written("wrong.scenario", lab.text.replace("seed=7", "sead=7"))
rig(1, r"wrong\.scenario:\d+: .*sead", "--check", wrong)
rig(1, r"wrong\.scenario:\d+: ", "--check", written("wrong.scenario",
                                                    lab.text.replace("rate-hz=5", "rate-hz=500")))
rig(1, "socket", "--devices", lab.path("dev2"), lab.path("scenario"))
rig(1, "/proc/no", "--devices", "/proc/no/dev", lab.path("scenario"))
written("there.drive", "not a drive")
rig(1, r"there\.drive", "--truth-only", "--truth", lab.path("there"), lab.path("scenario"))
if lab.read("there.drive") != "not a drive":
    problems.append("a file that was there was replaced")

# No gpsd, one modem that is not there, one that may not be: two lines, and the rest is recorded.
lab.configure(extra=f"[modem absent]\ndevice={lab.path('dev')}/absent\n"
                    f"[modem again]\ndriver=replay\nfile={lab.path('there.drive')}\n")
lab.logger()
lab.wait_for(lambda: {s["source"] for s in lab.records("samples")} >= set(lab.modems), 20,
             "samples of all modems that are there")
lab.stop_logger()
log = lab.read("logger.log")
for line in (r"gps: no gpsd at 127\.0\.0\.1:2950: .*is it running\?",
             r"modem absent: .*/absent is not there; is the modem plugged in and powered\?",
             r"modem again: .*there\.drive.*"):
    found = re.findall(line, log)
    if len(found) != 1:
        problems.append(f"{len(found)} lines say {line}:\n{log}")
lab.want_event("modem-lost", "absent")
lab.want_event("gps-lost")
if problems:
    riglab.fail("\n        ".join(problems))
