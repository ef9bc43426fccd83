"""What stands beside an answer in a form, in an extension that only documents of ours have."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from interlock.fhir.forms import names
from interlock.fhir.forms.reader import Json, Reader
from interlock.fhir.tolerant import kind_of
from interlock.model.base import Evidence, EvidenceKind
from interlock.model.evidence import MAX_NAME, MAX_RECORDS, EvidenceRecord
from interlock.model.text import plain, wrong_with_line


@dataclass(frozen=True)
class Record:
    """What stands beside an answer, named as in :class:`interlock.model.response.Response`."""

    evidence: Evidence = Evidence.ASSERTED
    documents: tuple[EvidenceRecord, ...] = ()
    note: str | None = None
    reason: str | None = None
    by: str | None = None
    at: datetime | None = None
    assignee: str | None = None
    due: str | None = None


def read_record(entry: Json, pointer: str, reader: Reader) -> Record | None:
    """The record of an item of a response, if it has one."""
    for extension, at in reader.objects(entry, "extension", pointer):
        if extension.get("url") == names.ANSWER_RECORD:
            return _record_parts(extension, at, reader)
    return None


def person(name: str | None, at: str, reader: Reader) -> str | None:
    """The same name, if it is one; none without one."""
    if name and (wrong := wrong_with_line(name, MAX_NAME)) is not None:
        reader.fail(f"the name {wrong}", at, "give a name on one line")
    return name or None


_RECORD_PARTS = {"evidence", "document", "note", "reason", "author", "recorded", "assignee", "due"}
_DOCUMENT_PARTS = {"kind", "title", "attachment", "file", "reviewer", "independent", "date", "validUntil"}


def _record_parts(extension: Json, at: str, reader: Reader) -> Record:
    parts = _Parts(extension, at, reader, _RECORD_PARTS, "an answer's record")
    evidence = parts.text("evidence", "valueCode") or Evidence.ASSERTED.value
    if evidence not in set(Evidence):
        known = ", ".join(Evidence)
        reader.fail(f"the evidence {plain(evidence, 40)!r} is not known", parts.at("evidence"), f"use one of: {known}")
    documents = parts.every("document")
    if len(documents) > MAX_RECORDS:
        reader.fail(f"more than {MAX_RECORDS} pieces of evidence", documents[MAX_RECORDS][1], "leave some out")
    return Record(
        evidence=Evidence(evidence),
        documents=tuple(_document(part, where, reader) for part, where in documents),
        note=parts.text("note", "valueString"),
        reason=parts.text("reason", "valueString"),
        by=person(parts.text("author", "valueString"), parts.at("author"), reader),
        at=reader.time(parts.last("recorded"), "valueDateTime", parts.at("recorded")),
        assignee=person(parts.text("assignee", "valueString"), parts.at("assignee"), reader),
        due=parts.text("due", "valueDate"),
    )


def _document(part: Json, at: str, reader: Reader) -> EvidenceRecord:
    parts = _Parts(part, at, reader, _DOCUMENT_PARTS, "a piece of evidence")
    fields: dict[str, object] = {name: parts.text(name, "valueString") for name in ("title", "file", "reviewer")}
    fields |= {"kind": parts.text("kind", "valueCode") or EvidenceKind.DOCUMENT.value}
    fields |= {"date": parts.text("date", "valueDate"), "valid_until": parts.text("validUntil", "valueDate")}
    fields |= {"independent": parts.last("independent").get("valueBoolean", False)}
    if parts.every("attachment"):
        fields["link"] = _link(parts.last("attachment"), parts.at("attachment"), reader)
    try:
        return EvidenceRecord.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"{first['loc'][0]} " if first["loc"] else ""
        reader.fail(f"the evidence: {where}{plain(first['msg'].removeprefix('Value error, '))}", at)


class _Parts:
    """The parts of an extension of ours, by name."""

    def __init__(self, extension: Json, at: str, reader: Reader, known: Set[str], whole: str) -> None:
        self._reader, self._at = reader, at
        self._parts: dict[str, list[tuple[Json, str]]] = {}
        for part, where in reader.objects(extension, "extension", at):
            name = part.get("url")
            if not isinstance(name, str) or name not in known:
                reader.fail(f"{whole} has no part {plain(name, 40)!r}", f"{where}/url")
            self._parts.setdefault(name, []).append((part, where))

    def every(self, name: str) -> list[tuple[Json, str]]:
        """All parts of a name, each with its pointer."""
        return self._parts.get(name, [])

    def last(self, name: str) -> Json:
        """The last part of a name; empty without one."""
        return self.every(name)[-1][0] if self.every(name) else {}

    def at(self, name: str) -> str:
        """The pointer to the last part of a name."""
        return self.every(name)[-1][1] if self.every(name) else self._at

    def text(self, name: str, key: str) -> str | None:
        """The text of the last part of a name."""
        return self._reader.text(self.last(name), key, self.at(name))


def _link(part: Json, at: str, reader: Reader) -> str | None:
    attachment = part.get("valueAttachment")
    if not isinstance(attachment, dict):
        reader.fail(f"the attachment is {kind_of(attachment)}, not an object", f"{at}/valueAttachment")
    url = reader.text(attachment, "url", f"{at}/valueAttachment")
    if url is not None and not url.lower().startswith(("http://", "https://")):
        reader.fail(f"{plain(url, 60)!r} is not an http or https address", f"{at}/valueAttachment/url")
    if url is None and "data" in attachment:
        reader.fail("evidence is linked to, not enclosed", f"{at}/valueAttachment/data", "give the attachment's url")
    return url or reader.text(attachment, "title", f"{at}/valueAttachment")
