"""Bytes to text to JSON, and what an answer turned out to be."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.documents.bounds import JsonBoundsError
from interlock.probe.reading import read_reply
from interlock.probe.transport.content import CodingError, Decoder, NotJsonError, TooLargeError, decode_text, parse_json
from interlock.probe.transport.exchange import PURPOSES, Purpose

pytestmark = pytest.mark.fast


def run(decoder: Decoder, data: bytes, size: int) -> tuple[bytes, bool]:
    pieces = [decoder.feed(data[start : start + size]) for start in range(0, len(data), size)]
    tail, complete = decoder.finish()
    return b"".join((*pieces, tail)), complete


@given(
    st.binary(max_size=3000), st.integers(1, 700), st.sampled_from(["", "identity", "gzip", "deflate", "raw", "two"])
)
def test_decoding_in_pieces_gives_the_whole(data: bytes, size: int, coding: str) -> None:
    plain_gzip = data[:2] == b"\x1f\x8b"
    encoded = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "raw": lambda body: zlib.compress(body)[2:-4],
        "two": lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:]),
    }.get(coding, bytes)(data)
    if coding in {"", "identity"} and plain_gzip:
        return
    declared = {"raw": "deflate", "two": "gzip"}.get(coding, coding)
    decoded, complete = run(Decoder(declared, 10_000), encoded, size)
    assert decoded == data
    assert complete


def test_a_member_may_begin_at_the_end_of_a_piece() -> None:
    first, second = gzip.compress(b"first"), gzip.compress(b"second")
    for size in range(1, len(first + second)):
        assert run(Decoder("gzip", 10_000), first + second, size) == (b"firstsecond", True)


@given(st.binary(max_size=400), st.sampled_from(["", "gzip", "deflate", "br"]), st.integers(0, 50))
def test_decoding_anything_ends_within_the_limit(data: bytes, coding: str, limit: int) -> None:
    try:
        decoded, _ = run(Decoder(coding, limit), data, 7)
    except (TooLargeError, CodingError):
        return
    assert len(decoded) <= limit


def test_the_limit_is_exact() -> None:
    assert run(Decoder("gzip", 1000), gzip.compress(b"x" * 1000), 100)[0] == b"x" * 1000
    with pytest.raises(TooLargeError):
        run(Decoder("gzip", 999), gzip.compress(b"x" * 1000), 100)
    with pytest.raises(TooLargeError):
        run(Decoder("", 999), b"x" * 1000, 100)


def test_gzip_that_is_not_and_gzip_that_does_not_say_so() -> None:
    claimed = Decoder("gzip", 100)
    assert run(claimed, b"{}", 1)[0] == b"{}"
    assert claimed.notes
    silent = Decoder("", 100)
    assert run(silent, gzip.compress(b"{}"), 3)[0] == b"{}"
    assert silent.notes


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks(encoding: str) -> None:
    decoded = decode_text("grüße".encode(encoding), "")
    assert decoded[0] == "grüße"
    assert decoded[1]


def test_declared_charset_is_believed_before_latin_1() -> None:
    assert decode_text("żółw".encode("iso-8859-2"), "text/plain; charset=ISO-8859-2")[0] == "żółw"
    assert decode_text(b"\xe9", "text/plain; charset=nonsense")[0] == "é"
    assert decode_text("é".encode(), "text/plain; charset=iso-8859-1")[0] == "é"


@pytest.mark.parametrize("purpose", ["metadata", "smart"])
@pytest.mark.parametrize("charset", ["unicode_escape", "raw_unicode_escape", "utf-7", "zlib", "undefined"])
def test_no_charset_breaks_the_reading(purpose: Purpose, charset: str) -> None:
    body = b'{"resourceType": "CapabilityStatement", "token_endpoint": "\\ud800\xff"}'
    answer = read_reply(purpose, 200, f"application/json; charset={charset}", body)
    assert answer.reading in {"document", "other_resource"}


@given(st.binary(max_size=200), st.text(max_size=40))
def test_any_bytes_become_text(body: bytes, content_type: str) -> None:
    assert isinstance(decode_text(body, content_type)[0], str)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "9" * 10_000, "{'a': 1}", "", "nul"])
def test_what_is_no_json_is_said(text: str) -> None:
    with pytest.raises((NotJsonError, JsonBoundsError)):
        parse_json(text)


@given(st.sampled_from(PURPOSES), st.integers(100, 599), st.text(max_size=30), st.binary(max_size=120))
def test_any_answer_has_a_reading_and_a_sentence(purpose: str, status: int, content_type: str, body: bytes) -> None:
    read = read_reply(purpose, status, content_type, body)  # type: ignore[arg-type]
    assert read.detail
    assert "\n" not in read.detail
    assert (read.document is not None) == (read.reading == "document")


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(PURPOSES),
    st.dictionaries(st.sampled_from(["resourceType", "issue", "keys", "issuer", "capabilities"]), _JSON),
    st.sampled_from([200, 404, 500]),
)
def test_any_object_has_a_reading(purpose: str, value: dict[str, object], status: int) -> None:
    body = json.dumps(value).encode()
    assert read_reply(purpose, status, "application/json", body).detail  # type: ignore[arg-type]


def test_markup_is_told_apart_without_slowing_down() -> None:
    page = b"<!-- x -->" * 5000 + b"<html>"
    assert read_reply("metadata", 200, "text/html", page).reading in {"html", "not_json"}
    statement = b"<?xml version='1.0' encoding='UTF-8'?>\n<!--c--><CapabilityStatement xmlns='http://hl7.org/fhir'>"
    read = read_reply("metadata", 200, "application/fhir+xml", statement)
    assert read.reading == "xml"
    assert "CapabilityStatement" in read.detail
    assert read_reply("smart", 200, "", b"<body onload=x>").reading == "html"
    assert read_reply("smart", 200, "", b"< what").reading == "not_json"
