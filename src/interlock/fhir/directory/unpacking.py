"""The text of a directory file: gzip within bounds, and the encodings that spreadsheets write."""

from __future__ import annotations

import codecs
import zlib

from interlock.fhir.directory.listed import DirectoryError

MAX_BYTES = 128 * 1024 * 1024
_LOOKED_AT = 4096


def text_of(data: bytes, notes: list[str]) -> str:
    """The text in some bytes; ``notes`` learns when its encoding had to be guessed.

    :raises DirectoryError: too large, damaged gzip, or no text.
    """
    data = _unzipped(data)
    if data.startswith(b"PK\x03\x04"):
        raise DirectoryError("it is a zip archive; unpack it and give the file that is in it")
    encoding = _encoding(data)
    if encoding is None:
        raise DirectoryError("it holds binary data, not text")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            raise DirectoryError(f"it is no valid {encoding.upper()}") from error
    notes.append("the file is no UTF-8 and was read as Windows-1252; check the names that have accents")
    return data.decode("cp1252", "replace")


def _encoding(data: bytes) -> str | None:
    """UTF-16 by its mark or by where its zero bytes stand; UTF-8 where there are none; none for binary data."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:_LOOKED_AT]
    if b"\0" not in head:
        return "utf-8-sig"
    low, high = head[0::2], head[1::2]
    if b"\0" not in low and high.count(0) > len(high) / 2:
        return "utf-16-le"
    if b"\0" not in high and low.count(0) > len(low) / 2:
        return "utf-16-be"
    return None


def _unzipped(data: bytes) -> bytes:
    """The data of all members of a gzip file (RFC 1952 section 2.2), or the data as they are."""
    if len(data) > MAX_BYTES:
        raise DirectoryError(f"it is larger than {MAX_BYTES // 1024 // 1024} MB")
    if not data.startswith(b"\x1f\x8b"):
        return data
    parts: list[bytes] = []
    room = MAX_BYTES
    while data.startswith(b"\x1f\x8b"):
        unzip = zlib.decompressobj(wbits=31)
        try:
            parts.append(unzip.decompress(data, room + 1))
        except zlib.error as error:
            raise DirectoryError("its gzip data are damaged") from error
        room -= len(parts[-1])
        if room < 0:
            raise DirectoryError(f"it is larger than {MAX_BYTES // 1024 // 1024} MB when unpacked")
        if not unzip.eof:
            raise DirectoryError("its gzip data end too early")
        data = unzip.unused_data
    if data.strip(b"\0"):
        raise DirectoryError("something else follows its gzip data")
    return b"".join(parts)
