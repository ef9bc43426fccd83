"""Bodies that are small to send and large to hold, and JSON that its readers disagree about."""

from __future__ import annotations

import bz2
import codecs
import gzip
import json
import zlib
from functools import cache

import brotli
from hostile_servers.behaviours import Behaviour, hostile_statement
from hostile_servers.serving import CONFIGURATION, METADATA, STATEMENT, Answer, reply

from probe.probe_documents import smart, statement

_MB = 1_000_000


@cache
def _spaces(wbits: int) -> bytes:
    """64 MB of white space, compressed."""
    stream = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join([*(stream.compress(b" " * _MB) for _ in range(64)), stream.flush()])


def _coded(coding: str, body: bytes) -> bytes:
    return reply(body, "200 OK", "application/fhir+json", f"Content-Encoding: {coding}")


def _in(charset: str, body: bytes) -> bytes:
    return reply(body, "200 OK", f"application/fhir+json; charset={charset}")


def _row(name: str, answer: bytes, word: str, *says: str) -> Behaviour:
    return hostile_statement(f"body: {name}", answer, word, *says)


def _bomb(name: str, answer: Answer, word: str, *says: str) -> Behaviour:
    """A bomb that is made when it is asked for: all of them together would be too much for this process."""
    return hostile_statement(f"bomb: {name}", answer, word, *says, run="bombs")


_CODINGS = [
    _bomb("gzip of 64 MB", _coded("gzip", _spaces(31)), "too_large"),
    _bomb("deflate of 64 MB", _coded("deflate", _spaces(15)), "too_large"),
    _bomb("raw deflate of 64 MB", _coded("deflate", _spaces(-15)), "too_large"),
    _bomb("gzip of 64 MB that nobody announced", reply(_spaces(31)), "too_large"),
    _row("gzip in gzip in gzip", _coded("gzip", gzip.compress(gzip.compress(gzip.compress(STATEMENT)))), "not_json"),
    _row("gzip, gzip", _coded("gzip, gzip", gzip.compress(gzip.compress(STATEMENT))), "not_json"),
    _row(
        "gzip in two members", _coded("gzip", gzip.compress(STATEMENT[:99]) + gzip.compress(STATEMENT[99:])), "document"
    ),
    _row("gzip in 1,200 members", _coded("gzip", gzip.compress(b" ") * 1200 + gzip.compress(STATEMENT)), "protocol"),
    _row("gzip with a wrong checksum", _coded("gzip", gzip.compress(STATEMENT)[:-8] + bytes(8)), "protocol"),
    _row("gzip without its end", _coded("gzip", gzip.compress(STATEMENT)[:-9]), "truncated"),
    _row("gzip and noise after it", _coded("gzip", gzip.compress(STATEMENT) + b"\x00noise" * 99), "document"),
    _row("gzip with a damaged middle", _coded("gzip", gzip.compress(STATEMENT)[:60] + b"\xff" * 200), "protocol"),
    _row("gzip of nothing", _coded("gzip", gzip.compress(b"")), "empty"),
    _row("gzip that is plain text", _coded("gzip", STATEMENT), "document"),
    _row("deflate that is plain text", _coded("deflate", STATEMENT), "protocol"),
    _row("deflate with a dictionary", _coded("deflate", b"\x78\xbb" + bytes(20)), "protocol"),
    _row("brotli, which nobody asked for", _coded("br", brotli.compress(STATEMENT)), "protocol", "not asked for"),
    _row("zstd, which nobody asked for", _coded("zstd", b"\x28\xb5\x2f\xfd" + bytes(40)), "protocol", "not asked for"),
    _row("compress, from 1984", _coded("compress", b"\x1f\x9d\x90" + bytes(40)), "protocol", "not asked for"),
    _row("bzip2, without a word", reply(bz2.compress(STATEMENT)), "not_json"),
    _row("a coding with a name of 300 letters", _coded("x" * 300, STATEMENT), "protocol", "not asked for"),
    _row("an escape in the coding's name", _coded("\x9b2J", STATEMENT), "protocol", "not asked for"),
]

_DEEP = 100_000
_LARGE = [
    _bomb("8 MB of {}", lambda peer: reply(b"[" + b"{}," * (8 * _MB // 3) + b"0]"), "not_json", "more than"),
    _bomb("8 MB of []", lambda peer: reply(b"[" + b"[]," * (8 * _MB // 3) + b"0]"), "not_json", "more than"),
    _bomb("4 million zeros", lambda peer: reply(b"[" + b"0," * (4 * _MB - 1) + b"0]"), "not_json", "more than"),
    _bomb(
        "4 million empty strings in 1.3 million lists",
        lambda peer: reply(b"[" + b'[""],' * (8 * _MB // 5) + b"0]"),
        "not_json",
        "more than",
    ),
    _bomb(
        "a million keys",
        lambda peer: reply(b"{" + b",".join(b'"%d":0' % n for n in range(600_000)) + b"}"),
        "not_json",
        "more than",
    ),
    _bomb(
        "2 MB of {} inside a statement",
        lambda peer: reply(b'{"resourceType":"CapabilityStatement","software":[' + b"{}," * 700_000 + b"0]}"),
        "not_json",
        "more than",
    ),
    _bomb(
        "a statement of 2 million resources",
        lambda peer: reply(
            b'{"resourceType":"CapabilityStatement","rest":[{"resource":[' + b"{}," * 2_000_000 + b"{}]}]}"
        ),
        "not_json",
        "more than",
    ),
    _bomb(
        "as many small objects as are allowed",
        lambda peer: reply(b"[" + b'{"a":1.5},' * 133_000 + b"0]"),
        "not_an_object",
    ),
    _bomb(
        "as many keys as are allowed",
        lambda peer: reply(b"{" + b",".join(b'"%d":[]' % n for n in range(133_000)) + b"}"),
        "unrelated",
    ),
    _bomb("8 MB of { without a }", lambda peer: reply(b'{"a":' * (8 * _MB // 5)), "not_json"),
    _bomb("100,000 [ without a ]", lambda peer: reply(b"[" * _DEEP), "not_json", "nested"),
    _bomb("100,000 [ and as many ]", lambda peer: reply(b"[" * _DEEP + b"]" * _DEEP), "not_json", "nested"),
    _bomb(
        "100,000 objects in each other",
        lambda peer: reply(b'{"a":' * _DEEP + b"0" + b"}" * _DEEP),
        "not_json",
        "nested",
    ),
    _bomb("900 lists in each other", lambda peer: reply(b"[" * 900 + b"]" * 900), "not_json", "nested"),
    _bomb(
        "900 lists in each other, inside a statement",
        lambda peer: reply(b'{"resourceType":"CapabilityStatement","software":' + b"[" * 900 + b"]" * 900 + b"}"),
        "document",
    ),
    _bomb(
        "100,000 lists in each other, inside a statement",
        lambda peer: reply(b'{"resourceType":"CapabilityStatement","software":' + b"[" * _DEEP + b"]" * _DEEP + b"}"),
        "not_json",
        "nested",
    ),
    _bomb(
        "100,000 lists in each other, where nobody reads",
        lambda peer: reply(b'{"resourceType":"CapabilityStatement","text":' + b"[" * _DEEP + b"]" * _DEEP + b"}"),
        "not_json",
        "nested",
    ),
    _bomb(
        "a string of 8 MB",
        lambda peer: reply(b'{"resourceType":"CapabilityStatement","name":"' + b"x" * 8 * _MB + b'"}'),
        "document",
    ),
    _bomb(
        "a string of 7 MB of escapes",
        lambda peer: reply(b'{"resourceType":"CapabilityStatement","name":"' + b"\\u20ac" * 1_160_000 + b'"}'),
        "document",
    ),
    _bomb("8 MB of quotes", lambda peer: reply(b'"' * 8 * _MB), "not_json"),
    _bomb("8 MB of backslashes in a string", lambda peer: reply(b'{"a":"' + b"\\" * 8 * _MB + b'"}'), "unrelated"),
    _bomb("8 MB of white space", lambda peer: reply(b" " * 8 * _MB), "empty"),
    _bomb(
        "8 MB of white space around a statement",
        lambda peer: reply(b" " * 4 * _MB + STATEMENT + b"\n" * 4 * _MB),
        "document",
    ),
    _bomb("8 MB of text without a letter of JSON", lambda peer: reply(b"a" * 8 * _MB), "not_json"),
    _bomb("8 MB of an HTML tag that never ends", lambda peer: reply(b"<" + b"a" * 8 * _MB), "xml"),
    _bomb("8 MB of comments before a root", lambda peer: reply(b"<!--x-->" * _MB), "not_json"),
    _bomb("9 MB and a length that says so", lambda peer: reply(b" " * 9 * _MB), "too_large"),
    _bomb("punycode, 4 MB", lambda peer: _in("punycode", b"\xff" + b"a" * 2 * _MB + b"-" + b"b" * 2 * _MB), "not_json"),
    _bomb("IDNA, 4 MB", lambda peer: _in("idna", b"\xff" + b"a" * 4 * _MB), "not_json"),
    _bomb(
        "a character of four bytes in 8 MB",
        lambda peer: reply('{"a":"\U0001f600'.encode() + b"b" * 7 * _MB + b'"}'),
        "unrelated",
    ),
]


def _number(text: bytes, word: str, name: str, *says: str) -> Behaviour:
    return _row(name, reply(b'{"resourceType":"CapabilityStatement","software":' + text + b"}"), word, *says)


_VALUES = [
    _number(b"1" * _MB, "not_json", "a number of a million digits"),
    _number(b"1" + b"0" * 5000, "not_json", "a number of 5,001 digits"),
    _number(b"1e999999999", "document", "a number beyond all floats"),
    _number(b"-1e-999999999", "document", "a number below all floats"),
    _number(b"0." + b"1" * 100_000, "document", "a fraction of 100,000 digits"),
    _number(b"NaN", "document", "NaN"),
    _number(b"-Infinity", "document", "minus infinity"),
    _number(b"01", "not_json", "a number with a leading zero"),
    _number(b"0x10", "not_json", "a number in hexadecimal"),
    _number(b"[1,]", "not_json", "a comma too many"),
    _number(b"'x'", "not_json", "single quotes"),
    _number(b"/* x */ 1", "not_json", "a comment"),
    _number(b'"\\ud800"', "document", "half of a surrogate pair"),
    _number(b'{"name":"\\udfff\\ud800","version":"\\u0000"}', "document", "surrogates in the wrong order, and NUL"),
    _number(b'"\\x41"', "not_json", "an escape that JSON does not have"),
    _number(b'"a\nb"', "not_json", "a raw line feed in a string"),
    _number(b'"a\x00b"', "not_json", "a raw NUL in a string"),
]

_TEXTS = [
    _row("a byte-order mark of UTF-8", reply(codecs.BOM_UTF8 + STATEMENT), "document"),
    _row("three byte-order marks", reply(codecs.BOM_UTF8 * 3 + STATEMENT), "not_json"),
    _row("UTF-16, little end first", reply(codecs.BOM_UTF16_LE + STATEMENT.decode().encode("utf-16-le")), "document"),
    _row("UTF-16, big end first", reply(codecs.BOM_UTF16_BE + STATEMENT.decode().encode("utf-16-be")), "document"),
    _row("UTF-32, little end first", reply(codecs.BOM_UTF32_LE + STATEMENT.decode().encode("utf-32-le")), "document"),
    _row("UTF-32, big end first", reply(codecs.BOM_UTF32_BE + STATEMENT.decode().encode("utf-32-be")), "document"),
    _row("UTF-16 without a mark", reply(STATEMENT.decode().encode("utf-16-le")), "not_json"),
    _row(
        "UTF-16 that ends in the middle",
        reply(codecs.BOM_UTF16_LE + STATEMENT.decode().encode("utf-16-le")[:-3]),
        "not_json",
    ),
    _row("UTF-7", _in("utf-7", '{"a":"ü"}'.encode("utf-7")), "unrelated"),
    _row("bytes that are no UTF-8", reply(STATEMENT.replace(b"Example EHR", b"Ex\xe4mple \xff\xfe")), "document"),
    _row(
        "UTF-8 of surrogates (CESU)", reply(STATEMENT.replace(b"Example EHR", b"\xed\xa0\xbd\xed\xb8\x80")), "document"
    ),
    _row("UTF-8 longer than needed", reply(STATEMENT.replace(b"Example EHR", b"\xc0\xaf\xe0\x80\xaf")), "document"),
    _row("a charset that is a compression", _in("zlib", b"\xff" + STATEMENT), "not_json"),
    _row("a charset that runs escapes", _in("unicode_escape", b'{"a":"\\x41\xff"}'), "not_json"),
    _row("a charset that nobody has", _in("x-klingon", STATEMENT), "document"),
    _row("a charset of 10,000 letters", _in("a" * 10_000, STATEMENT), "document"),
    _row("EBCDIC, as declared", _in("cp037", STATEMENT.decode().encode("cp037")), "document"),
    _row("two documents, one after the other", reply(STATEMENT + STATEMENT), "document"),
    _row("JSON lines", reply(b'{"a":1}\n' * 1000), "unrelated"),
    _row(
        "JSON of another site after the statement",
        reply(STATEMENT + b'\n{"token_endpoint":"https://x.test"}'),
        "document",
    ),
    _row("a prefix against hijacking", reply(b")]}',\n" + STATEMENT), "not_json"),
    _row("a callback around it (JSONP)", reply(b"callback(" + STATEMENT + b");"), "not_json"),
    _row("a document in base64", reply(b'"' + b"ey" * 500 + b'"'), "not_an_object"),
    _row("one key twice", reply(STATEMENT[:-1] + b',"fhirVersion":"9.9.9"}'), "document"),
    _row("one key 100,000 times", reply(STATEMENT[:-1] + b',"name":"x"' * 100_000 + b"}"), "document"),
    _row("the type twice", reply(STATEMENT[:-1] + b',"resourceType":"Patient"}'), "other_resource"),
    _row(
        "keys of prototypes",
        reply(b'{"__proto__":{"resourceType":"CapabilityStatement"},"constructor":1}'),
        "unrelated",
    ),
]

_MARKUP = [
    _row(
        "an HTML login page",
        reply("<!DOCTYPE html><title>Sign in</title><form>", "200 OK", "text/html"),
        "html",
        "Sign in",
    ),
    _row("a login page that says it is JSON", reply("<html><title>Sign in</title>"), "html"),
    _row("a page whose title is an escape", reply("<html><title>\x1b]0;victim\x07\u202e</title>"), "html"),
    _row("a page whose title never ends", reply("<html><title>" + "x" * 100_000), "html"),
    _row(
        "a billion laughs",
        reply(
            '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
            + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
            + "]><CapabilityStatement>&i;</CapabilityStatement>",
            "200 OK",
            "application/fhir+xml",
        ),
        "not_json",
    ),
    _row(
        "an external entity",
        reply('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><CapabilityStatement>&e;</CapabilityStatement>'),
        "not_json",
    ),
    _row(
        "XML of FHIR", reply('<CapabilityStatement xmlns="http://hl7.org/fhir"/>', "200 OK", "application/xml"), "xml"
    ),
    _row("SOAP", reply('<?xml version="1.0"?><soap:Envelope xmlns:soap="x"/>', "500 Oops", "text/xml"), "server_error"),
    _row("a refresh to elsewhere", reply('<meta http-equiv="refresh" content="0;url=https://victim.test">'), "html"),
    _row("YAML", reply("resourceType: CapabilityStatement\n"), "not_json"),
    _row("protobuf", reply(b"\x0a\x13CapabilityStatement\x12\x05\x00\xff\xfe\x01\x02"), "not_json"),
    _row("a spreadsheet", reply(b"PK\x03\x04" + bytes(200)), "not_json"),
    _row("a picture", reply(b"\x89PNG\r\n\x1a\n" + bytes(200), "200 OK", "image/png"), "not_json"),
    Behaviour(
        "body: each document in the place of the other",
        {METADATA: reply(json.dumps(smart())), CONFIGURATION: reply(json.dumps(statement()))},
        "not_observed",
        {"metadata": "unrelated", "smart": "other_resource"},
        missing=("capability", "smart"),
    ),
]

ROWS = (*_CODINGS, *_LARGE, *_VALUES, *_TEXTS, *_MARKUP)
