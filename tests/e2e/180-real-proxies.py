#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Through the real qmi-proxy and mbim-proxy in front of pseudo-terminals."""
import os

import riglab

QMI_PROXY, MBIM_PROXY = "/usr/libexec/qmi-proxy", "/usr/libexec/mbim-proxy"
if not os.path.exists(QMI_PROXY) or not os.path.exists(MBIM_PROXY):
    riglab.skip("libqmi-proxy and libmbim-proxy are needed")
keys = {f"modem_{m}__pty": "yes" for m in ("red", "green", "blue", "white")}
lab = riglab.Lab(duration=22, gps_rate=5, **keys)
lab.rig()
lab.gpsd()
for proxy in (QMI_PROXY, MBIM_PROXY):
    lab.start([proxy, "--no-exit"])
lab.wait_for(lambda: "@mbim-proxy" in open("/proc/net/unix", encoding="utf-8").read()
             and "@qmi-proxy" in open("/proc/net/unix", encoding="utf-8").read(), 5, "the proxies")
lab.logger()
lab.finish()
lab.compare(span=(6, 21))
