"""The manifest in a report, in every format that has a place for one, and the hash of the report's own text.

The hash is SHA-256 of the report with 64 zeros in the place of the hash itself. In text (HTML, Markdown, JSON, SARIF)
lines end with a line feed and no blank line is last, because mail and git change both; of a workbook or document it is
over names and contents of the files in it, by name; of a PDF over its bytes.

A hash tells that something changed. It proves no author: who changes the text can compute it anew.
"""

from __future__ import annotations

import codecs
import hashlib
import html
import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from pydantic import ValidationError

from interlock.documents.json import parse_json
from interlock.documents.visible import to_json
from interlock.model.errors import DocumentError
from interlock.model.manifest import HASH_KEY, NO_HASH, Manifest
from interlock.model.text import plain

#: Largest report and manifest, in bytes; files in a zip, and bytes of all of them unpacked.
MAX_BYTES, MAX_MANIFEST = 100_000_000, 8_000_000
MAX_MEMBERS, MAX_UNPACKED = 2_000, 200_000_000
#: A manifest is a few levels deep, and has three values for every answer.
_DEPTH, _NODES = 6, 400_000
_ID = "interlock-manifest"
_NAMESPACE = "urn:uuid:0d4d1c52-6d0e-4d39-9a5c-2f0a8a3b7c11"
_MEMBER = f"customXml/{_ID}.xml"
_MAIN = re.compile(r"(?:xl|word)/_rels/(?:workbook|document)\.xml\.rels")
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/customXml"
_HASH = re.compile(rf'"{HASH_KEY}": ?"([0-9a-f]{{64}})"'.encode())
_BEFORE_HASH = f'"{HASH_KEY}":'.encode()
#: What stands before and behind a manifest; its JSON holds neither.
_HTML = (f'<script type="application/json" id="{_ID}">', "</script>")
_MARKDOWN = (f"<!-- {_ID}\n", "\n-->")
_XML = (f'<manifest xmlns="{_NAMESPACE}">', "</manifest>")
_XMP = (f'<interlock:manifest xmlns:interlock="{_NAMESPACE}">', "</interlock:manifest>")
#: The formats with a place for a manifest; CSV has none.
FORMS = frozenset({"html", "pdf", "md", "json", "sarif", "xlsx", "docx"})


class Sealed(NamedTuple):
    """A report's manifest, and whether its text still has the hash that stands there."""

    manifest: Manifest
    edited: bool


def sealed(content: bytes, form: str, manifest: Manifest) -> bytes:
    """A report with its manifest and the hash of its text. The same in, the same out.

    :param content: JSON has its manifest already (as a field of its assessment) and lacks the hash alone. A format
        without a place for a manifest stays as it is.
    """
    match form:
        case "html":
            content = in_html(content.decode(), manifest).encode()
        case "md":
            # A comment ends with two hyphens, and HTML within Markdown with a blank line.
            block = _unhashed(manifest).replace("--", r"-\u002d").join(_MARKDOWN)
            content = content.rstrip(b"\n") + f"\n\n{block}\n".encode()
        case "sarif":
            log = json.loads(content)
            log["runs"][0].setdefault("properties", {})["interlockManifest"] = json.loads(_unhashed(manifest))
            content = to_json(log).encode()
        case "xlsx" | "docx":
            return _packed_with(content, escape(_unhashed(manifest)).join(_XML))
        case _ if form not in FORMS:
            return content
    return _with_hash(content, form)


def _unhashed(manifest: Manifest) -> str:
    """A manifest as JSON, with zeros in the place of the hash."""
    return json.dumps(manifest.model_dump(mode="json") | {HASH_KEY: NO_HASH}, ensure_ascii=True)


def in_html(page: str, manifest: Manifest) -> str:
    """The page with its manifest as a data block, which no browser runs, and without the hash."""
    block = re.sub("[<>&]", lambda match: f"\\u{ord(match[0]):04x}", _unhashed(manifest)).join(_HTML)
    head, body, tail = page.rpartition("</body>")
    return f"{head}{block}\n{body}{tail}" if body else f"{page}{block}\n"


def xmp_of(page: str) -> bytes:
    """The manifest of a page as a property of a PDF's metadata (XMP, ISO 16684-1); empty where there is none."""
    _, script, rest = page.partition(_HTML[0])
    if not script:
        return b""
    data = rest.partition(_HTML[1])[0]
    text = escape(data).join(_XMP)
    return f'<rdf:Description rdf:about="">{text}</rdf:Description>'.encode()


def read(content: bytes) -> Sealed:
    """The manifest of a report that may be anybody's.

    :raises DocumentError: it is none of our reports, holds several manifests, or goes beyond a limit.
    """
    form, manifests = _found(content)
    if not manifests:
        raise DocumentError(
            "this is not a report of Interlock: it holds no manifest",
            remedy="a CSV has none, and a report of an earlier version, or saved by a program that drops it",
        )
    if len(manifests) > 1:
        raise DocumentError(
            f"this holds {len(manifests):,} manifests, and a report has one", remedy="take the file as sent"
        )
    data = parse_json(manifests[0].encode(), "the manifest", max_nodes=_NODES, max_depth=_DEPTH)
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(plain(part, 40) for part in first["loc"])
        raise DocumentError(
            f"its manifest is none of ours: {plain(first['msg'], 120)} at {where or 'its top'}",
            remedy="it was changed, or a newer Interlock made it",
        ) from error
    return Sealed(manifest, _hash(content, form) != manifest.sha256_of_report)


def same_text(ours: bytes, theirs: bytes) -> bool:
    """Whether two reports are the same but for what the hash passes over; two broken files are not."""
    form, _ = _found(ours)
    return _hash(ours, form) == _hash(theirs, form)


def _found(content: bytes) -> tuple[str, list[str]]:
    """The kind of file, by its content, and the JSON of every manifest in it (two are enough to refuse it)."""
    if content.startswith(b"%PDF"):
        return "pdf", [html.unescape(text) for text in _between(content.decode("latin-1"), _XMP)]
    if content.startswith(b"PK\x03\x04"):
        members = _members(content)
        text = members.get(_MEMBER, b"").decode("utf-8", "replace")
        return "zip", [html.unescape(text_of) for text_of in _between(text, _XML)]
    text = _text(content).decode("utf-8", "replace")
    if text.startswith("{"):
        return "json", _in_json(content)
    for form, marks in (("html", _HTML), ("md", _MARKDOWN)):
        if manifests := _between(text, marks):
            return form, manifests
    return "text", []


def _between(text: str, marks: tuple[str, str]) -> list[str]:
    """Each text between the two marks."""
    starts = [match.end() for match in re.finditer(re.escape(marks[0]), text)]
    if len(starts) != 1:
        return [""] * len(starts)
    inner, end, _ = text[starts[0] : starts[0] + MAX_MANIFEST].partition(marks[1])
    return [inner] if end else []


def _in_json(content: bytes) -> list[str]:
    """The manifest of an assessment or a SARIF log."""
    data = parse_json(content, "this file")
    manifest = data.get("manifest")
    runs = data.get("runs")
    if isinstance(runs, list) and len(runs) == 1 and isinstance(runs[0], dict):
        properties = runs[0].get("properties")
        manifest = properties.get("interlockManifest") if isinstance(properties, dict) else None
    return [json.dumps(manifest)] if isinstance(manifest, dict) else []


def _text(content: bytes) -> bytes:
    """Text as it is hashed."""
    text = content.removeprefix(codecs.BOM_UTF8)
    if b"\r" in text:  # what we write has none, and looking for two bytes takes thirty times as long as for one
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.rstrip() + b"\n"


def _with_hash(content: bytes, form: str) -> bytes:
    """The file with its hash in the place of the zeros that stand for it."""
    value = _hash(content, form)
    return _hash_member(value).join(content.rsplit(_hash_member(NO_HASH), 1))


def _hash_member(digits: str) -> bytes:
    return f'"{HASH_KEY}": "{digits}"'.encode()


def _hash(content: bytes, form: str) -> str:
    """SHA-256 as this module's docstring says."""
    if form == "zip":
        return _hash_of_members(_members(content))
    return hashlib.sha256(_zeroed(content if form == "pdf" else _text(content))).hexdigest()


def _hash_of_members(members: dict[str, bytes]) -> str:
    total = hashlib.sha256()
    for name, data in sorted(members.items()):
        said = _zeroed(data) if name == _MEMBER else data
        total.update(f"{len(name)} {name} {len(said)}\n".encode("utf-8", "surrogatepass"))
        total.update(said)
    return total.hexdigest()


def _zeroed(content: bytes) -> bytes:
    """The same with zeros for the hash of its manifest: the last place that looks like it."""
    at = len(content)
    while (at := content.rfind(_BEFORE_HASH, 0, at)) >= 0:  # from behind: it stands near the end
        if found := _HASH.match(content, at):
            return b"%b%b%b" % (content[: found.start(1)], NO_HASH.encode(), content[found.end(1) :])
    return content


def _members(content: bytes) -> dict[str, bytes]:
    """The files in a zip by name, in its order.

    :raises DocumentError: it is broken, or has too much in it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if len(names) > MAX_MEMBERS or len(set(names)) < len(names):
                raise DocumentError(f"this zip has more than {MAX_MEMBERS:,} files in it, or two of one name")
            return dict(_unpacked(archive, names))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise DocumentError(f"this zip is broken: {plain(error, 120)}", remedy="take the file as sent") from error


def _unpacked(archive: zipfile.ZipFile, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each; what a file says of its own size is not believed."""
    room = MAX_UNPACKED
    for name in names:
        with archive.open(name) as member:
            data = member.read(room + 1)
        room -= len(data)
        if room < 0:
            raise DocumentError(f"this zip unpacks to more than {MAX_UNPACKED // 1_000_000} MB: it is not read further")
        yield name, data


def _packed_with(content: bytes, part: str) -> bytes:
    """An Office document with one more part and its hash in it.

    Its main part refers to the new one (ECMA-376-1, 15.2.5), so that a program that saves the document keeps it.
    """
    members = _members(content)
    relations = next(name for name in members if _MAIN.fullmatch(name))
    link = f'<Relationship Id="rIdInterlock" Type="{_RELATION}" Target="../{_MEMBER}"/></Relationships>'
    members[relations] = members[relations].replace(b"</Relationships>", link.encode())
    members[_MEMBER] = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{part}'.encode()
    full = _hash_member(_hash_of_members(members))
    members[_MEMBER] = members[_MEMBER].replace(_hash_member(NO_HASH), full)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def finish_pdf(content: bytes) -> bytes:
    """The PDF with its hash in the place of the zeros; as it is where it has no manifest."""
    return _with_hash(content, "pdf") if _hash_member(NO_HASH) in content else content


def add_to_pdf(page: str) -> Any:
    """What WeasyPrint calls before it writes a PDF: the manifest of the page into its metadata, which stays plain."""
    xmp = xmp_of(page)

    def finisher(_document: object, pdf: Any) -> None:
        if not xmp:
            return
        metadata = pdf.objects[int(pdf.catalog["Metadata"].split()[0])]
        metadata.compress = False
        metadata.stream = [part.replace(b"</rdf:RDF>", xmp + b"</rdf:RDF>") for part in metadata.stream]

    return finisher
