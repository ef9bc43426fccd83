"""Bytes of an answer to text and JSON: content coding, character set, depth, each within limits."""

from __future__ import annotations

import codecs
import json
import re
import zlib
from contextlib import suppress
from typing import Any

import msgspec

from interlock.documents.bounds import check_json

_GZIP_MAGIC = b"\x1f\x8b"
_MAX_MEMBERS = 1000
#: Values and keys of a document, some hundred bytes each once it is built. The largest statements have a tenth of it.
MAX_NODES = 400_000
#: FHIR's own documents are nested some twenty deep.
MAX_DEPTH = 100
#: Character sets that a body may be in, by the beginnings of Python's names for them. Others (``punycode``, ``idna``)
#: take time that grows with the square of the length.
_CHARSETS = ("ascii", "big5", "cp", "euc", "gb", "hz", "iso", "johab", "koi8", "mac", "ptcp", "shift_jis", "tis", "utf")
_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class TooLargeError(Exception):
    """The decoded body would exceed its limit."""


class CodingError(Exception):
    """The body is not in the content coding that it claims, or the coding was not asked for."""


class Decoder:
    """Undoes a content coding piece by piece; takes and produces no more than ``limit`` bytes each.

    gzip is told by its first bytes, not by the header: servers send it unasked, or claim it for plain text.

    :ivar notes: oddities of the coding.
    """

    def __init__(self, coding: str, limit: int) -> None:
        self._coding = coding.strip().lower()
        self._left = limit
        self._left_coded = limit
        self._raw: zlib._Decompress | None = None
        self._ended = False
        self._head: bytes | None = b""
        self._members = 1
        self.notes: list[str] = []

    def feed(self, chunk: bytes) -> bytes:
        """Decoded bytes of the next piece.

        :raises TooLargeError: past the limit. :raises CodingError: not decodable.
        """
        self._left_coded -= len(chunk)
        if self._left_coded < 0:  # a stream may go on without ever bringing a byte
            raise TooLargeError
        if self._head is not None:
            self._head += chunk
            if len(self._head) < 2:
                return b""
            chunk, self._head = self._head, None
            self._start(chunk)
        return self._decode(chunk)

    def finish(self) -> tuple[bytes, bool]:
        """The last bytes, and whether the coded stream came to its own end."""
        return self._head or b"", self._raw is None or self._raw.eof

    def _start(self, chunk: bytes) -> None:
        if chunk.startswith(_GZIP_MAGIC):
            if self._coding not in {"gzip", "x-gzip"}:
                self.notes.append("the body is gzip without a Content-Encoding that says so")
            self._raw = zlib.decompressobj(wbits=31)
        elif self._coding == "deflate":
            zlib_header = chunk[0] & 0x0F == 8 and int.from_bytes(chunk[:2], "big") % 31 == 0
            self._raw = zlib.decompressobj(wbits=15 if zlib_header else -15)
        elif self._coding in {"gzip", "x-gzip"}:
            self.notes.append("the body claims to be gzip and is not")
        elif self._coding not in {"", "identity"}:
            raise CodingError(f"the content coding {self._coding[:20]!r} was not asked for")

    def _decode(self, chunk: bytes) -> bytes:
        if self._raw is None:
            return chunk
        if self._ended:
            return b""
        pieces = []
        while chunk:
            try:
                piece = self._raw.decompress(chunk, self._left + 1)
            except zlib.error as error:
                raise CodingError("the compressed body is damaged") from error
            self._left -= len(piece)
            if self._left < 0:
                raise TooLargeError
            pieces.append(piece)
            if not self._raw.eof:
                chunk = self._raw.unconsumed_tail
                continue
            chunk = self._raw.unused_data
            if not chunk.startswith(_GZIP_MAGIC):
                self._ended = bool(chunk) and chunk != _GZIP_MAGIC[:1]  # the next piece may complete a member's start
                break
            self._members += 1
            if self._members > _MAX_MEMBERS:
                raise CodingError("the compressed body has too many parts")
            self._raw = zlib.decompressobj(wbits=31)
        return b"".join(pieces)


def decode_text(body: bytes, content_type: str) -> tuple[str, tuple[str, ...]]:
    """Characters of a body, and oddities: a byte-order mark wins, then UTF-8, the declared charset, and Latin-1."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace"), ("the body starts with a byte-order mark",)
    with suppress(UnicodeDecodeError):
        return body.decode("utf-8"), ()
    declared = declared_charset(content_type)
    if declared is not None:
        with suppress(LookupError, ValueError):
            if codecs.lookup(declared).name.startswith(_CHARSETS):
                return body.decode(declared), (f"the body is {declared}, not UTF-8",)
    return body.decode("latin-1"), ("the body is not UTF-8 and was read as Latin-1",)


def declared_charset(content_type: str) -> str | None:
    """The charset parameter of a media type, lower-case, or none."""
    match = _CHARSET.search(content_type)
    return match[1].lower() if match else None


class NotJsonError(Exception):
    """A text that is no JSON document; the message is the end of a sentence that starts with the document's name."""


def parse_document(text: str) -> tuple[Any, tuple[str, ...]]:
    """The value of a JSON text, and its slips: text after the document's end, which is not read, and values like NaN.

    :raises NotJsonError: as :func:`parse_json`; and so is JsonBoundsError.
    """
    check_json(text, max_nodes=MAX_NODES, max_depth=MAX_DEPTH)
    slips: dict[str, None] = {}
    try:
        return _parsed(text, slips), tuple(slips)
    except NotJsonError:
        end = _end_of_object(text)
        if end is None:
            raise
    slips[f"{len(text) - end:,} characters follow the end of the document"] = None
    return _parsed(text[:end], slips), tuple(slips)


def _end_of_object(text: str) -> int | None:
    """The end of a complete JSON object that other text follows, or none."""
    start = len(text) - len(text.lstrip())
    if not text.startswith("{", start):
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return end


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    :raises NotJsonError: invalid, or with a number that is too long: the parsers' own limits bound its digits.
    :raises JsonBoundsError: nested too deeply, or of too many values.
    """
    check_json(text, max_nodes=MAX_NODES, max_depth=MAX_DEPTH)
    return _parsed(text, {})


def _parsed(text: str, slips: dict[str, None]) -> Any:
    """The value, by msgspec, twice as fast as the standard library, with limits of its own on depth and numbers.

    A text that it rejects is read again by the standard library, which is laxer (lone surrogates, ``NaN``) and says
    where it gave up.
    """
    try:
        with suppress(msgspec.DecodeError, UnicodeEncodeError):
            return msgspec.json.decode(text)
        return json.loads(text, parse_constant=lambda name: slips.setdefault(f"{name} stands where a value belongs"))
    except RecursionError:
        raise NotJsonError("is nested too deeply to be read") from None
    except json.JSONDecodeError as error:
        if not text[error.pos :].strip() or error.msg.startswith("Unterminated string"):
            raise NotJsonError(f"ends in the middle, after {len(text):,} characters") from None
        raise NotJsonError(f"is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError:
        raise NotJsonError("holds a number that is too long to be read") from None
