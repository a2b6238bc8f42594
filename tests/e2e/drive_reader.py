#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A reader of drives in another language, written from docs/drive-file.md.

As a program: drive_reader.py DRIVE TABLE prints the records of a table as CSV.
As a module: records(path, table) yields dicts, in order of time within each source.
"""
import ctypes
import sqlite3
import struct
import sys
import zlib

INTEGER, REAL, TEXT, WORD = range(4)
CONSTANT, OFFSET, DELTA, RUNS, JUMPS = range(5)
ZSTD, SIZE_T = ctypes.CDLL("libzstd.so.1"), ctypes.c_size_t
ZSTD.ZSTD_decompress.restype = SIZE_T


def unzstd(data, size):
    """One zstd frame; Python 3.11 has no module for it, the library is there with every Debian."""
    out = ctypes.create_string_buffer(size)
    if ZSTD.ZSTD_decompress(out, SIZE_T(size), data, SIZE_T(len(data))) != size:
        raise ValueError("data that do not unpack")
    return out.raw


def signed(value):
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def unzigzag(u):
    return (u >> 1) ^ -(u & 1)


class Bytes:
    """Takes numbers from bytes, one after the other."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def varint(self):
        byte = self.take(1)[0]
        return byte if byte < 128 else byte - 128 + 128 * self.varint()


class Column:
    """Entry of the directory of a chunk."""
    FIELDS_1 = struct.Struct("<6BIqq8s8sIIII")

    def read_version_1(self, directory):
        self.name = directory.take(directory.take(1)[0]).decode()
        (self.type, self.layout, self.width, self.decimals, self.relative, self.packed,
         self.known, self.base, self.scale, _, _, self.offset, self.stored_size, self.raw_size,
         self.crc) = self.FIELDS_1.unpack(directory.take(self.FIELDS_1.size))
        self.raw_real, self.holes_as_runs = self.decimals == 255, False
        return self

    def read_version_2(self, directory, names, rows, offset, bare):
        number, form, numbers = directory.take(3)
        self.name = names[number] if number < len(names) else None
        self.layout, self.packed, self.relative = form & 7, form & 8, form & 16
        self.type, self.width, self.decimals = form >> 6, numbers & 15, numbers >> 4
        self.raw_real, self.holes_as_runs, self.offset = self.decimals == 15, True, offset
        self.known = directory.varint() if form & 32 else rows
        self.base = unzigzag(directory.varint())
        self.scale = directory.varint() if self.layout != CONSTANT else 1
        if self.type == REAL and self.raw_real:  # minimum and maximum: passed over
            directory.take(16)
        elif self.type in (INTEGER, REAL) and (self.layout != CONSTANT or self.relative):
            directory.varint(), directory.varint()
        self.stored_size = directory.varint()
        self.raw_size = directory.varint() if self.packed else self.stored_size
        self.crc = None if bare else self.stored_size and struct.unpack("<I", directory.take(4))[0]
        return self

    def raw(self, data):
        stored = data[self.offset:self.offset + self.stored_size]
        if self.crc not in (zlib.crc32(stored), None):
            raise ValueError(f"wrong checksum in {self.name}")
        return unzstd(stored, self.raw_size) if self.packed else stored

    def present(self, raw, rows):
        """Which rows have a value."""
        if self.known == rows:
            return [True] * rows
        runs = raw.varint() if self.holes_as_runs else 0
        if runs:
            return [i % 2 == 0 for i in range(runs) for _ in range(raw.varint())]
        bitmap = raw.take((rows + 7) // 8)
        return [bitmap[i // 8] >> (i % 8) & 1 for i in range(rows)]

    def integers(self, raw):
        n, v, values = self.known, self.base, []
        while self.layout == RUNS and len(values) < n:
            v = signed(v + self.scale * unzigzag(raw.varint()))
            values += [v] * raw.varint()
        if self.layout == RUNS:
            return values
        packed = raw.take(self.width * n)
        numbers = [sum(packed[plane * n + i] << (8 * plane) for plane in range(self.width))
                   for i in range(n)]
        if self.layout in (CONSTANT, OFFSET):
            return [signed(v + self.scale * u) for u in numbers]
        steps, at = [self.scale * unzigzag(u) for u in numbers], 0
        for _ in range(raw.varint() if self.layout == JUMPS else 0):
            at += raw.varint()
            steps[at] += unzigzag(raw.varint())
        return [v := signed(v + step) for step in steps]

    def values(self, data, rows, times):
        """One value a row, None where there is none."""
        raw, words = Bytes(self.raw(data)), []
        present = self.present(raw, rows)
        if self.type in (TEXT, WORD):
            words = raw.take(struct.unpack("<I", raw.take(4))[0]).split(b"\0")[:-1]
        numbers = iter(self.integers(raw))
        result = [next(numbers) if has else None for has in present]
        for i, v in enumerate(result):
            if v is not None and self.relative:
                v = result[i] = signed(v + times[i])
            if v is not None and self.type == REAL:
                result[i] = (struct.unpack("<d", struct.pack("<q", v))[0] if self.raw_real
                             else v / 10.0 ** self.decimals)
            elif v is not None and words:
                result[i] = words[v].decode()
        return result


def directory_of(chunk, names):
    """Number of rows, columns and data of a chunk; `names` are those of the columns of its table."""
    magic, rows, entries, size = struct.unpack_from("<4sIII", chunk)
    bare, head = magic == b"CCHB", 16 if magic == b"CCHB" else 20
    if not bare and (magic not in (b"CCH1", b"CCH2") or struct.unpack_from("<I", chunk, 16)[0] !=
                     zlib.crc32(chunk[:16] + chunk[20:20 + size])):
        raise ValueError("not a chunk, or its directory is damaged")
    directory, columns, offset = Bytes(chunk, head), [], 0
    for _ in range(entries):
        columns.append(Column().read_version_1(directory) if magic == b"CCH1"
                       else Column().read_version_2(directory, names, rows, offset, bare))
        offset += columns[-1].stored_size
    return rows, [c for c in columns if c.name], chunk[head + size:]


def decode_chunk(chunk, names):
    """Columns of a chunk: name -> list of values."""
    rows, columns, data = directory_of(chunk, names)
    times = next(c for c in columns if c.name == "time_ns").values(data, rows, None)
    return {c.name: c.values(data, rows, times) for c in columns}


def columns_of(db, table):
    return [row[1] for row in db.execute(f'PRAGMA main.table_info("{table}")')]


def fetched(db, data):
    """The chunk of a row, out of its pack if it is in one."""
    if data[:4] != b"CREF":
        return data
    place = Bytes(data, 4)
    row, offset, size = place.varint(), place.varint(), place.varint()
    (pack,) = db.execute("SELECT data FROM chunks WHERE id = ?", (row,)).fetchone()
    magic, unpacked, crc = struct.unpack_from("<4sII", pack)
    if magic != b"CPK1" or zlib.crc32(pack[:8] + pack[12:]) != crc:
        raise ValueError("not a pack, or it is damaged")
    return unzstd(pack[12:], unpacked)[offset:offset + size]


def sealed(db, table):
    query = "SELECT data FROM chunks WHERE kind = ? ORDER BY source, first_ns, seq"
    for (data,) in db.execute(query, (table,)):
        columns = decode_chunk(fetched(db, data), columns_of(db, table))
        yield from (dict(zip(columns, row)) for row in zip(*columns.values()))


def live(db, table):
    names = columns_of(db, table)
    yield from (dict(zip(names, row)) for row in db.execute(f'SELECT * FROM "{table}"'))


def records(path, table):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    names = columns_of(db, table)
    rows = [{n: row.get(n) for n in names} for part in (sealed, live) for row in part(db, table)]
    db.close()
    if "time_ns" in names:
        rows.sort(key=lambda r: (r.get("source") or 0, r["time_ns"]))
    return rows


if __name__ == "__main__":
    found = records(*sys.argv[1:])
    for line in [row.keys() for row in found[:1]] + [row.values() for row in found]:
        print(",".join("" if v is None else str(v) for v in line))
