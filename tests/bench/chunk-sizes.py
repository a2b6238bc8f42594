#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where the bytes of sealed drives are: for each record kind the file's bytes by column, directory
and the rest, a record. Of a chunk in a pack: its share of the packed bytes, as of those before.

Usage: chunk-sizes.py DRIVE…"""
import os
import sqlite3
import struct
import sys
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
import drive_reader  # noqa: E402


def main():
    rows, chunks, directories, columns = Counter(), Counter(), Counter(), Counter()
    size = 0
    for path in sys.argv[1:]:
        size += os.path.getsize(path)
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        packs = {number: len(data) / struct.unpack_from("<I", data, 4)[0] for number, data in
                 db.execute("SELECT id, data FROM chunks WHERE kind = 'packs'")}
        for kind, n, data in db.execute("SELECT kind, n, data FROM chunks WHERE kind <> 'packs'"):
            rows[kind] += n
            chunks[kind] += 1
            share = packs[drive_reader.Bytes(data, 4).varint()] if data[:4] == b"CREF" else 1
            chunk = drive_reader.fetched(db, data)
            found = drive_reader.directory_of(chunk, drive_reader.columns_of(db, kind))[1]
            stored = {column.name: column.stored_size for column in found}
            directories[kind] += share * (len(chunk) - sum(stored.values()))
            for name, length in stored.items():
                columns[kind, name] += share * length
        db.close()
    print(f"{size} bytes in {len(sys.argv) - 1} files")
    for kind, n in rows.most_common():
        of_kind = {name: length for (k, name), length in columns.items() if k == kind}
        total = directories[kind] + sum(of_kind.values())
        print(f"\n{kind}: {n} records in {chunks[kind]} chunks, {total / n:.2f} bytes a record")
        print(f"  {'directories':20} {directories[kind] / n:7.3f}")
        for name, length in sorted(of_kind.items(), key=lambda item: -item[1]):
            print(f"  {name:20} {length / n:7.3f}")
    kept = sum(directories.values()) + sum(columns.values())
    print(f"\nnot in chunks: {size - kept:.0f} bytes; "
          f"the whole file a radio sample: {size / max(1, rows['samples']):.2f}")


if __name__ == "__main__":
    main()
