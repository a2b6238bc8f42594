#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A reader of drives in another language, written from docs/drive-file.md.

As a program: drive_reader.py DRIVE TABLE prints the records of a table as CSV.
As a module: records(path, table) yields dicts, in order of time within each source.
"""
import ctypes
import ctypes.util
import sqlite3
import struct
import sys
import zlib

INTEGER, REAL, TEXT, WORD = range(4)
CONSTANT, OFFSET, DELTA = range(3)
M64 = (1 << 64) - 1


def unzstd(data, size):
    """One zstd frame; Python 3.11 has no module for it, the library is there with every Debian."""
    if not hasattr(unzstd, "lib"):
        unzstd.lib = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
        unzstd.lib.ZSTD_decompress.restype = ctypes.c_size_t
        unzstd.lib.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p,
                                               ctypes.c_size_t]
    out = ctypes.create_string_buffer(size)
    if unzstd.lib.ZSTD_decompress(out, size, data, len(data)) != size:
        raise ValueError("data that do not unpack")
    return out.raw


def signed(value):
    value &= M64
    return value - (1 << 64) if value >> 63 else value


class Column:
    FIELDS = struct.Struct("<6BIqq8s8sIIII")

    def __init__(self, name, fields):
        self.name = name
        (self.type, self.layout, self.width, self.decimals, self.relative, self.packing,
         self.known, self.base, self.scale, self.minimum, self.maximum, self.offset,
         self.stored_size, self.raw_size, self.crc) = self.FIELDS.unpack(fields)

    def raw(self, data):
        stored = data[self.offset:self.offset + self.stored_size]
        if zlib.crc32(stored) != self.crc:
            raise ValueError(f"wrong checksum in {self.name}")
        return unzstd(stored, self.raw_size) if self.packing else stored

    def integers(self, packed):
        n = self.known
        if self.layout == CONSTANT:
            return [self.base] * n
        numbers = [sum(packed[plane * n + i] << (8 * plane) for plane in range(self.width))
                   for i in range(n)]
        if self.layout == OFFSET:
            return [signed(self.base + self.scale * u) for u in numbers]
        values, v = [], self.base
        for u in numbers:
            v = signed(v + self.scale * ((u >> 1) ^ -(u & 1)))
            values.append(v)
        return values

    def values(self, data, rows, times):
        """One value a row, None where there is none."""
        raw, at, present = self.raw(data), 0, [True] * rows
        if self.known < rows:
            at = (rows + 7) // 8
            present = [raw[i // 8] >> (i % 8) & 1 for i in range(rows)]
        words = []
        if self.type in (TEXT, WORD):
            size = struct.unpack_from("<I", raw, at)[0]
            words = raw[at + 4:at + 4 + size].split(b"\0")[:-1]
            at += 4 + size
        numbers = iter(self.integers(raw[at:]))
        result = []
        for i in range(rows):
            if not present[i]:
                result.append(None)
                continue
            v = next(numbers)
            if self.relative:
                v = signed(v + times[i])
            if self.type == REAL:
                v = (struct.unpack("<d", struct.pack("<q", v))[0] if self.decimals == 255
                     else v / 10.0 ** self.decimals)
            elif words:
                v = words[v].decode()
            result.append(v)
        return result


def stored_sizes(chunk):
    """Bytes of each column in a chunk."""
    return {c.name: c.stored_size for c in directory_of(chunk)[1]}


def directory_of(chunk):
    """Number of rows, columns and data of a chunk."""
    magic, rows, entries, size, crc = struct.unpack_from("<4sIIII", chunk)
    directory, data = chunk[20:20 + size], chunk[20 + size:]
    if magic != b"CCH1" or zlib.crc32(chunk[:16] + directory) != crc:
        raise ValueError("not a chunk, or its directory is damaged")
    columns, at = [], 0
    for _ in range(entries):
        length = directory[at]
        name = directory[at + 1:at + 1 + length].decode()
        at += 1 + length
        columns.append(Column(name, directory[at:at + Column.FIELDS.size]))
        at += Column.FIELDS.size
    return rows, columns, data


def decode_chunk(chunk):
    """Columns of a chunk: name -> list of values."""
    rows, columns, data = directory_of(chunk)
    times = next(c for c in columns if c.name == "time_ns").values(data, rows, None)
    return {c.name: c.values(data, rows, times) for c in columns}


def sealed(db, table):
    query = "SELECT data FROM chunks WHERE kind = ? ORDER BY source, first_ns, seq"
    for (chunk,) in db.execute(query, (table,)):
        columns = decode_chunk(chunk)
        names = list(columns)
        for row in zip(*columns.values()):
            yield dict(zip(names, row))


def live(db, table):
    cursor = db.execute(f'SELECT * FROM "{table}"')
    names = [d[0] for d in cursor.description]
    for row in cursor:
        yield dict(zip(names, row))


def records(path, table):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    names = [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')]
    rows = [{name: row.get(name) for name in names}
            for part in (sealed, live) for row in part(db, table)]
    db.close()
    if "time_ns" in names:
        rows.sort(key=lambda r: (r.get("source") or 0, r["time_ns"]))
    return rows


def main():
    path, table = sys.argv[1:]
    rows = records(path, table)
    if rows:
        print(",".join(rows[0]))
    for row in rows:
        print(",".join("" if v is None else str(v) for v in row.values()))


if __name__ == "__main__":
    main()
