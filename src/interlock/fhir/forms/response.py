"""Responses as a FHIR R4 ``QuestionnaireResponse``: what was answered, what is unknown, what does not apply."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from interlock.fhir.forms import names
from interlock.fhir.forms.enablement import condition_words, disabling_item, enabled_items, form_items, sides
from interlock.fhir.forms.questionnaire import coding
from interlock.model.base import Status
from interlock.model.evidence import EvidenceRecord
from interlock.model.questionnaire import Item, ItemType, Questionnaire
from interlock.model.response import AnswerValue, Response, Responses

#: FHIR data-absent-reason codes of the statuses that have no value.
ABSENT = {Status.UNKNOWN: "unknown", Status.NOT_APPLICABLE: "not-applicable"}

Json = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """Whom a response is about: an organisation (``org`` is its id) or the product."""

    name: str
    org: str | None = None

    @property
    def scope(self) -> str:
        """The name of the responses file: ``product`` or the organisation's id."""
        return self.org or "product"

    @property
    def per_organization(self) -> bool:
        """Whether this is an organisation."""
        return self.org is not None


@dataclass(frozen=True)
class Dropped:
    """A stored response that the resource does not hold, and why, in words that follow "because"."""

    item: str
    reason: str


@dataclass(frozen=True)
class ResponseForm:
    """The resource, and what it had to leave out."""

    resource: Json
    dropped: tuple[Dropped, ...]


def response_resource(
    questionnaire: Questionnaire,
    responses: Responses,
    subject: Subject,
    hidden: Set[str] = frozenset(),
    *,
    mailed: bool = False,
) -> ResponseForm:
    """One subject's response to one questionnaire.

    A disabled item and what it holds are left out (FHIR R4, Questionnaire.item.enableWhen), and so is what ``hidden``
    names. Every value must be one that its question can have.

    :param responses: the subject's own answers, by item id; those to other questionnaires are ignored.
    :param hidden: items that conditions on answers elsewhere hide.
    :param mailed: for an organisation: without what stands beside our answers.
    """
    form = form_items(questionnaire)
    asked = [item for item in questionnaire.questions() if names.per_organization(item) == subject.per_organization]
    own = {
        item.id: responses[item.id]
        for item in asked
        if item.id in responses and responses[item.id].status is not Status.UNANSWERED
    }
    enabled = enabled_items(questionnaire, {item_id: own[item_id] for item_id in own if item_id not in hidden})
    shown = {item_id: own[item_id] for item_id in own if enabled[item_id] and item_id not in hidden}
    unasked = "it is not asked, given the answers to other questions"
    dropped = tuple(
        Dropped(
            item_id,
            unasked
            if enabled[item_id]
            else f"it is asked only when {condition_words(disabling_item(form, enabled, item_id))}",
        )
        for item_id in own
        if item_id not in shown
    )
    wanted = {item.id for item in asked if enabled[item.id] and item.id not in hidden}
    resource: Json = {
        "resourceType": "QuestionnaireResponse",
        "language": "en-GB",
        "identifier": {"system": names.RESPONSE_SYSTEM, "value": f"{questionnaire.id}/{subject.scope}"},
        "questionnaire": f"{names.canonical(questionnaire)}|{questionnaire.version}",
        "status": "completed" if wanted <= shown.keys() and not mailed else "in-progress",
        "subject": _reference(subject),
    }
    if times := [response.at for response in shown.values() if response.at]:
        resource["authored"] = date_time(max(times, key=_aware))
    if items := _items(questionnaire.items, shown, subject, mailed):
        resource["item"] = items
    return ResponseForm(resource, dropped)


def _reference(subject: Subject) -> Json:
    """A logical reference (FHIR R4 references.html#logical): the identifier says who, and no server need hold it."""
    if subject.org is None:
        kind, system, value = "Device", names.PRODUCT_SYSTEM, subject.name
    else:
        kind, system, value = "Organization", names.ORGANIZATION_SYSTEM, subject.org
    return {"type": kind, "identifier": {"system": system, "value": value}, "display": subject.name}


def _items(items: tuple[Item, ...], shown: Mapping[str, Response], subject: Subject, mailed: bool) -> list[Json]:
    answered = []
    for item in items:
        if item.type is not ItemType.GROUP:
            if item.id in shown:
                answered.append(_answered(item, shown[item.id], mailed))
        elif subject.per_organization in sides(item) and (children := _items(item.items, shown, subject, mailed)):
            answered.append({"linkId": item.id, "text": item.text, "item": children})
    return answered


def _answered(item: Item, response: Response, mailed: bool) -> Json:
    absent = {"url": names.DATA_ABSENT_REASON, "valueCode": ABSENT.get(response.status)}
    answers = [{"extension": [absent]}] if response.value is None else _values(item, response.value)
    beside: Json = {} if mailed else {"extension": [_record(response)]}
    return beside | {"linkId": item.id, "text": item.text, "answer": answers}


def _values(item: Item, value: AnswerValue) -> list[Json]:
    element = names.VALUE_ELEMENT[item.type]
    values = value if isinstance(value, tuple) else (value,)
    if item.options:
        return [{element: coding(item, option)} for chosen in values if (option := item.option(str(chosen)))]
    return [{element: entry} for entry in values]


def _record(response: Response) -> Json:
    """The extension that holds what stands beside an answer; a part that is absent was not given."""
    at = response.at
    return _extension(
        names.ANSWER_RECORD,
        ("evidence", "valueCode", response.evidence.value),
        *(("document", "extension", _document(record)) for record in response.documents),
        ("note", "valueString", response.note),
        ("reason", "valueString", response.reason),
        ("author", "valueString", response.by),
        ("recorded", "valueDateTime", date_time(at) if at else None),
        ("assignee", "valueString", response.assignee),
        ("due", "valueDate", response.due),
    )


def _document(record: EvidenceRecord) -> list[Json]:
    """The parts of a piece of evidence."""
    link = record.link
    parts: list[Json] = _extension(
        "document",
        ("kind", "valueCode", record.kind.value),
        ("title", "valueString", record.title),
        ("attachment", "valueAttachment", {_link_element(link): link} if link else None),
        ("file", "valueString", record.file),
        ("reviewer", "valueString", record.reviewer),
        ("independent", "valueBoolean", record.independent),
        ("date", "valueDate", record.date),
        ("validUntil", "valueDate", record.valid_until),
    )["extension"]
    return parts


def _extension(url: str, *parts: tuple[str, str, object]) -> Json:
    """An extension of several parts: name, element and value of each; those without a value are left out."""
    return {"url": url, "extension": [{"url": name, key: value} for name, key, value in parts if value]}


def _link_element(link: str) -> str:
    """``url`` for an address; evidence may also be named in words, such as a file or a ticket."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return "title"
    whole = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and not any(map(str.isspace, link))
    return "url" if whole else "title"


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def date_time(time: datetime) -> str:
    """A FHIR ``dateTime``; a time without a zone is UTC."""
    return _aware(time).isoformat().replace("+00:00", "Z")
