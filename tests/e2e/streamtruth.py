# SPDX-License-Identifier: Apache-2.0
"""What a link-emulator did to a STAMP stream, counted from its truth file."""
import csv


def stream(path, below, port="862"):
    """Counts of the requests numbered below `below`, as the sender of one stateful stream can know
    them at best."""
    up, down = [], []
    with open(path, encoding="utf-8") as f:
        for way, arrived, released, _, fate, source, destination, word in csv.reader(f):
            if port in (source, destination):
                (up if way == "up" else down).append((int(released), fate, int(word), int(arrived)))
    # The reflector numbers requests as they come; a down packet's first word is that number.
    seq_of = dict(enumerate(p[2] for p in sorted(p for p in up if p[1] == "sent")))
    highest = -1
    reordered = 0
    for packet in sorted(p for p in down if p[1] == "sent"):
        seq = seq_of[packet[2]]
        if seq < highest:
            reordered += 1
        highest = max(highest, seq)
    up = [p for p in up if p[2] < below]
    down = [p for p in down if seq_of[p[2]] < below]
    return {"sent": len(up), "received": sum(p[1] == "sent" for p in down),
            "lost_up": sum(p[1] not in ("sent", "twice") for p in up),
            "lost_down": sum(p[1] not in ("sent", "twice") for p in down),
            "duplicates": sum(p[1] == "twice" for p in down), "reordered": reordered}
