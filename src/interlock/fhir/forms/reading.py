"""A FHIR R4 ``QuestionnaireResponse`` read: ours, or what another renderer made of our form.

What the resource says is only sorted here; whether a question can have a value is the questionnaire room's to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from interlock.documents.json import parse_json
from interlock.documents.names import did_you_mean
from interlock.fhir.forms import names
from interlock.fhir.forms.enablement import form_items
from interlock.fhir.forms.reader import Json, Reader
from interlock.fhir.forms.record import Record, person, read_record
from interlock.fhir.tolerant import kind_of
from interlock.model.base import Status
from interlock.model.errors import DocumentError, Location
from interlock.model.questionnaire import Item, ItemType, Questionnaire
from interlock.model.text import plain

#: Largest file in bytes, deepest nesting, and most values in it. Our own largest response is a fiftieth of each.
MAX_BYTES = 4_000_000
MAX_DEPTH = 64
MAX_VALUES = 200_000


def parse_resource(raw: bytes, file: str) -> Json:
    """A response's JSON.

    :raises DocumentError: not JSON (with line and column), beyond the bounds, or another kind of resource.
    """
    reader = Reader(file)
    data = parse_json(raw, file, max_nodes=MAX_VALUES, max_depth=MAX_DEPTH)
    kind = data.get("resourceType") if isinstance(data, dict) else None
    if not isinstance(data, dict) or kind != "QuestionnaireResponse":
        kind_found = (
            f"a {plain(kind, 40)}" if isinstance(kind, str) else "no FHIR resource" if kind is None else kind_of(kind)
        )
        hint = "; it is the form, not the answers" if kind == "Questionnaire" else ""
        reader.fail(
            f"expected a QuestionnaireResponse, found {kind_found}{hint}",
            "/resourceType",
            "give each response as a file of its own",
        )
    return data


#: data-absent-reason codes that say "we asked, and nobody knows (yet)".
_UNKNOWN = frozenset({"unknown", "asked-unknown", "temp-unknown"})
_NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True)
class Header:
    """A response's own particulars: which questionnaire was answered, about whom, and when.

    :ivar url: canonical URL of the questionnaire, without the version.
    :ivar version: the questionnaire's version, none when the document does not say.
    :ivar org: the organisation's id, where the subject is one of ours.
    :ivar product: the product's name, where the subject is a product of ours.
    :ivar author: who answered, where the document says it.
    """

    url: str
    version: str | None
    org: str | None
    product: str | None
    authored: datetime | None
    author: str | None


@dataclass(frozen=True)
class Given:
    """One question's answer: ``values`` as the document has them (codes, for options), or a status without a value.

    :ivar comment: what is written below the question in a mailed form.
    """

    item: Item
    pointer: str
    status: Status
    values: tuple[str | bool | int, ...]
    record: Record | None
    comment: str | None = None


def read_header(resource: Json, file: str) -> Header:
    """Which questionnaire was answered, and about whom.

    :raises DocumentError: no questionnaire is named, the response was entered in error, or its subject is of a kind
        that no questionnaire here is about.
    """
    reader = Reader(file)
    reader.known_modifiers(resource, "")
    if resource.get("status") == "entered-in-error":
        reader.fail("this response was entered in error", "/status", "import the one that corrects it")
    named = reader.text(resource, "questionnaire", "")
    if not named:
        reader.fail("no questionnaire is named", "/questionnaire", "export the form again, and answer that")
    url, _, version = named.partition("|")
    org, product = _subject(resource, reader)
    authored = reader.time(resource, "authored", "")
    return Header(url, version.partition("#")[0] or None, org, product, authored, _author(resource, reader))


def _author(resource: Json, reader: Reader) -> str | None:
    """Who answered: the name that the reference shows, else its identifier."""
    author = resource.get("author")
    if author is None:
        return None
    if not isinstance(author, dict):
        reader.fail(f"the author is {kind_of(author)}, not a reference", "/author")
    identifier = author.get("identifier")
    value = reader.text(identifier, "value", "/author/identifier") if isinstance(identifier, dict) else None
    name = (reader.text(author, "display", "/author") or value or "").strip()
    return person(name, "/author/display", reader)


def _subject(resource: Json, reader: Reader) -> tuple[str | None, str | None]:
    subject = resource.get("subject")
    if subject is None:
        return None, None
    identifier = subject.get("identifier") if isinstance(subject, dict) else None
    if not isinstance(identifier, dict):
        reader.fail("the subject has no identifier of ours", "/subject", "leave the subject out, and say --org")
    system, value = (reader.text(identifier, key, "/subject/identifier") for key in ("system", "value"))
    if system == names.ORGANIZATION_SYSTEM and value:
        return value, None
    if system == names.PRODUCT_SYSTEM and value:
        return None, value
    reader.fail(
        f"the subject's identifier is of the system {plain(system or 'none', 80)!r}",
        "/subject/identifier",
        f"use {names.ORGANIZATION_SYSTEM} with the organisation's id, or leave the subject out and say --org",
    )


def read_answers(
    resource: Json, questionnaire: Questionnaire, file: str, *, mailed: bool = False
) -> Iterator[Given | DocumentError]:
    """Each answer that a response holds, or what is wrong with it, in the document's order.

    Items that say nothing (no answer, or an empty one) are left out: an absent answer is no answer, not a removed one.

    :param mailed: the form has room for a comment below each question.
    """
    reader = Reader(file)
    items = {item_id: form_item.item for item_id, form_item in form_items(questionnaire).items()}
    displays = {name(item) for item in items.values() for name in (names.help_link_id, names.condition_link_id)}
    below = {names.comment_link_id(item): item.id for item in items.values()} if mailed else {}
    pointers: dict[str, str] = {}
    comments: dict[str, str] = {}
    entries: list[tuple[Json, str]] = []
    try:
        for entry, at in _walk(resource, "", reader):
            item_id = below.get(reader.text(entry, "linkId", at) or "")
            if item_id is None:
                entries.append((entry, at))
            elif text := _comment(entry, at, reader):
                comments[item_id] = text
    except DocumentError as error:
        yield error
        return
    for entry, pointer in entries:
        comment = comments.pop(str(entry.get("linkId")), None)
        try:
            given = _given(entry, pointer, items, displays, pointers, reader)
            if given is None and comment is not None:
                reader.fail(f"{entry['linkId']} has a comment and no answer", pointer, "choose an answer")
        except DocumentError as error:
            yield error
        else:
            if given is not None:
                yield replace(given, comment=comment)
    for item_id in comments:
        location = Location(file=file, pointer="/item")
        yield DocumentError(f"{item_id} has a comment and no answer", location=location, remedy="choose an answer")


def _comment(entry: Json, pointer: str, reader: Reader) -> str:
    """What is written below a question of a mailed form."""
    texts = (reader.text(answer, "valueString", at) for answer, at in reader.objects(entry, "answer", pointer))
    return "\n".join(text.strip() for text in texts if text and text.strip())


def _walk(parent: Json, at: str, reader: Reader) -> Iterator[tuple[Json, str]]:
    for entry, pointer in reader.objects(parent, "item", at):
        reader.known_modifiers(entry, pointer)
        yield entry, pointer
        yield from _walk(entry, pointer, reader)
        for answer, answer_pointer in reader.objects(entry, "answer", pointer):
            reader.known_modifiers(answer, answer_pointer)
            yield from _walk(answer, answer_pointer, reader)


def _given(
    entry: Json, pointer: str, items: Mapping[str, Item], displays: set[str], pointers: dict[str, str], reader: Reader
) -> Given | None:
    link_id = reader.text(entry, "linkId", pointer)
    answers = list(reader.objects(entry, "answer", pointer))
    if link_id in displays and not answers:
        return None
    if link_id is None or link_id not in items:
        hint = did_you_mean(link_id or "", items)
        reader.fail(f"the form has no item {plain(link_id or '', 96)!r}{hint}", f"{pointer}/linkId")
    item = items[link_id]
    if item.type is ItemType.GROUP:
        if answers:
            reader.fail(f"{item.id} is a group, which has no answer", f"{pointer}/answer")
        return None
    if link_id in pointers:
        reader.fail(f"{item.id} is answered twice, first at {pointers[link_id]}", pointer, "keep one of them")
    pointers[link_id] = pointer
    record = read_record(entry, pointer, reader)
    absent = _absent_reason(entry, answers, pointer, reader)
    values = tuple(v for answer, at in answers if (v := _value(item, answer, at, reader)) is not None)
    if absent is not None and values:
        reader.fail(f"{item.id} has a value and a reason for having none", pointer, "keep one of them")
    if absent is not None:
        return Given(item, pointer, absent, (), record)
    if len(values) > 1 and item.type is not ItemType.MULTI_CHOICE:
        reader.fail(f"{item.id} takes one answer, and {len(values)} are given", f"{pointer}/answer/1")
    return Given(item, f"{pointer}/answer", Status.ANSWERED, values, record) if values else None


def _value(item: Item, answer: Json, at: str, reader: Reader) -> str | bool | int | None:
    wanted = names.VALUE_ELEMENT[item.type]
    if item.type is ItemType.URL and wanted not in answer and "valueUrl" in answer:
        wanted = "valueUrl"  # R4 has no such answer, and NLM's LHC-Forms (40.1) writes it
    other = next((key for key in answer if key.startswith("value") and key != wanted), None)
    if other:
        reader.fail(f"{item.id} is answered with {wanted}, and {plain(other, 40)} is given", f"{at}/{plain(other, 40)}")
    value = answer.get(wanted)
    if value is None:
        return None
    if item.options:
        return _code(item, value, f"{at}/{wanted}", reader)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    expected = {ItemType.BOOLEAN: bool, ItemType.INTEGER: int}.get(item.type, str)
    if type(value) is not expected:
        name = {bool: "true or false", int: "a whole number", str: "a string"}[expected]
        reader.fail(f"{item.id}: {wanted} is {kind_of(value)}, not {name}", f"{at}/{wanted}")
    return value if isinstance(value, (str, bool, int)) else None


def _code(item: Item, value: object, at: str, reader: Reader) -> str | None:
    if not isinstance(value, dict):
        reader.fail(f"{item.id}: valueCoding is {kind_of(value)}, not an object", at)
    if value.keys() <= {"extension"}:
        return None
    system, code = reader.text(value, "system", at), reader.text(value, "code", at)
    if system == names.ABSENT_SYSTEM:  # it says why there is no value
        return None
    if system is not None and system != names.option_system(item):
        reader.fail(
            f"{item.id}: the code system {plain(system, 120)!r} is not that of its options",
            f"{at}/system",
            f"use {names.option_system(item)}",
        )
    if not code or item.option(code) is None:
        offered = [option.value for option in item.options]
        reader.fail(
            f"{item.id}: {plain(code or '', 64)!r} is not offered{did_you_mean(code or '', offered)}",
            f"{at}/code",
            f"choose from: {', '.join(offered)}",
        )
    return code


def _absent_reason(entry: Json, answers: list[tuple[Json, str]], pointer: str, reader: Reader) -> Status | None:
    """data-absent-reason may stand on the item, on its answer, or on the value that is not there.

    Among the options of a mailed form it is a coding.
    """
    holders = [(entry, pointer), *answers]
    for answer, at in answers:
        for key, value in answer.items():
            if "value" in key and isinstance(value, dict):
                holders.append((value, f"{at}/{key}"))
                if value.get("system") == names.ABSENT_SYSTEM:
                    return _absent(reader.text(value, "code", f"{at}/{key}"), f"{at}/{key}/code", reader)
    for holder, at in holders:
        for extension, where in reader.objects(holder, "extension", at):
            if extension.get("url") == names.DATA_ABSENT_REASON:
                return _absent(reader.text(extension, "valueCode", where), where, reader)
    return None


def _absent(code: str | None, at: str, reader: Reader) -> Status:
    if code in _UNKNOWN:
        return Status.UNKNOWN
    if code == _NOT_APPLICABLE:
        return Status.NOT_APPLICABLE
    codes = ", ".join(sorted({*_UNKNOWN, _NOT_APPLICABLE}))
    reader.fail(f"the data-absent-reason {plain(code or '', 40)!r} says neither", at, f"use one of: {codes}")
