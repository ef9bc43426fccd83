"""An organisation's questions in its own words, ready to mail: as a workbook and as a FHIR R4 form.

Only what it is asked, and what we think or have noted of each answer: no notes, evidence, weights or sources of ours,
and nothing of another organisation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Literal

from interlock.content.answer import parse_answer
from interlock.documents.visible import to_json
from interlock.fhir.forms.enablement import condition_words
from interlock.fhir.forms.questionnaire import questionnaire_resource
from interlock.fhir.forms.response import Subject, response_resource
from interlock.model.base import Scope, Status
from interlock.model.errors import InterlockError, Location
from interlock.model.questionnaire import Ask, Item, ItemType, Option, Questionnaire, walk
from interlock.model.response import AnswerValue, Response
from interlock.model.sheet import NO, NOT_APPLICABLE, UNKNOWN, YES, Block, Line, Sheet
from interlock.model.text import forbidden
from interlock.usecases.fhir_forms import MAX_LENGTHS, require_valid_forms
from interlock.usecases.judge import asked
from interlock.usecases.load import Content, Inputs
from interlock.usecases.questions import value_words
from interlock.workspace.atomic import write_atomically

Form = Literal["xlsx", "fhir", "both"]
#: What the id of a sheet's FHIR form begins with; the organisation's id follows.
FORM_PREFIX = "sheet-"


@dataclass(frozen=True)
class Asked:
    """A question in the organisation's words, with the heading that it stands under and its questionnaire."""

    heading: str
    item: Item
    questionnaire: Questionnaire


def asked_of_organizations(content: Content) -> dict[str, Asked]:
    """Everything that any organisation is asked, by the question's id, in reading order."""
    return {
        item.id: Asked(_heading(around, questionnaire), _in_their_words(item), questionnaire)
        for questionnaire in content.questionnaires
        for item, around in walk(questionnaire.items)
        if item.scope is Scope.ORG and item.type is not ItemType.GROUP
    }


def _heading(around: Sequence[Item], questionnaire: Questionnaire) -> str:
    """What stands above a question on the sheet: the words of its innermost group, else those of the questionnaire."""
    group = around[-1] if around else None
    ask = group.ask if group else questionnaire.ask
    return ask.text if ask else group.text if group else questionnaire.title


def _in_their_words(item: Item) -> Item:
    """A question without weights, rationales and sources, and without the option that says that nobody knows.

    Every question takes the answer that it is not known, so that this option would say it twice.
    """
    ask = item.ask or Ask(text=item.text)
    known = [option for option in item.options if not option.unknown]
    options = [
        Option(value=option.value, label=ask.labels.get(option.value, option.label), exclusive=option.exclusive)
        for option in (known if len(known) > 1 else item.options)
    ]
    return item.model_copy(
        update={
            "text": ask.text,
            "help": None,
            "why": ask.why or item.why,
            "ask": None,
            "options": tuple(options),
            "source": (),
            "references": (),
            "auto_answer": (),
        }
    )


def fingerprint(questions: Mapping[str, Asked]) -> str:
    """What tells one set of questions, and of answers that they offer, from another."""
    said = [
        (item.id, item.type, item.text, item.na, [(option.value, option.label) for option in item.options])
        for item in (entry.item for entry in questions.values())
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Export:
    """The files of one organisation's sheet.

    :ivar files: file name → bytes; the same workspace gives the same bytes on the same day.
    :ivar questions: how many there are, and how many of them have an answer that is to be confirmed.
    """

    files: Mapping[str, bytes]
    questions: int
    noted: int


def export_sheet(inputs: Inputs, org: str, form: Form, *, day: date, reply_to: str | None = None) -> Export:
    """What an organisation is asked, as files to mail.

    :param reply_to: who it goes back to, in words.
    :raises InterlockError: there is no such organisation, it is asked nothing, or ``reply_to`` is no line of text.
    """
    organization = inputs.organization(org)
    if reply_to is not None and (wrong := forbidden(reply_to)) is not None:
        raise InterlockError(f"--reply-to holds {wrong.description}", remedy="write it again without it")
    every = asked_of_organizations(inputs.content)
    questions = _conditions_among({item.id: every[item.id] for item in asked(inputs, org)})
    if not questions:
        raise InterlockError(f"{organization.name} is asked nothing", remedy="interlock questions shows what is asked")
    version = f"{day}-{fingerprint(every)}"
    noted = {item_id: said for item_id in questions if (said := _noted(inputs, org, item_id))}
    files: dict[str, bytes] = {}
    if form != "fhir":
        from interlock.report.xlsx import form as workbook

        sheet = Sheet(
            product=inputs.settings.product,
            org=org,
            organization=organization.name,
            day=day,
            version=version,
            questionnaires=tuple(
                {entry.questionnaire.id: entry.questionnaire.version for entry in questions.values()}.items()
            ),
            blocks=tuple(_blocks(questions, noted)),
            reply_to=reply_to,
            paper=inputs.settings.branding.paper,
        )
        files[f"{org}-questions-{day}.xlsx"] = workbook.write(sheet)
    if form != "xlsx":
        title = f"Questions to {organization.name} about {inputs.settings.product}"
        questionnaire = as_questionnaire(questions, org, version, title)
        items = {item_id: entry.item for item_id, entry in questions.items()}
        resource = questionnaire_resource(questionnaire, items, MAX_LENGTHS, mailed=True)
        answers = {
            item_id: Response(status=Status.ANSWERED, value=value)
            for item_id, (_, value) in noted.items()
            if value is not None
        }
        response = response_resource(questionnaire, answers, Subject(organization.name, org), mailed=True).resource
        for form_resource in (resource, response):
            name = f"{org}-{form_resource['resourceType']}-{day}.json"
            files[name] = to_json(form_resource).encode()
    return Export(files, len(questions), len(noted))


def as_questionnaire(questions: Mapping[str, Asked], org: str, version: str, title: str = "") -> Questionnaire:
    """The questions as one questionnaire, a group for each heading."""
    groups = [
        Item(id=f"sheet.part_{number}", type=ItemType.GROUP, text=heading, scope=Scope.ORG, items=tuple(items))
        for number, (heading, items) in enumerate(_by_heading(questions), start=1)
    ]
    return Questionnaire(id=f"{FORM_PREFIX}{org}", version=version, title=title, items=tuple(groups))


def write_sheet(export: Export, directory: Path) -> tuple[Path, ...]:
    """Write the files; returns their paths.

    :raises InterlockError: one of them is there already with something else in it, and nothing was written.
    :raises InvalidDocumentError: a form is not valid FHIR, and nothing was written.
    :raises WorkspaceError: the folder cannot be written.
    """
    require_valid_forms(export.files)
    paths = {directory / name: content for name, content in export.files.items()}
    for path, content in paths.items():
        if path.exists() and (not path.is_file() or path.read_bytes() != content):
            raise InterlockError(
                "this file is there already and holds something else; nothing was written",
                location=Location(file=str(path)),
                remedy="move it away, or write to another folder with --output",
            )
    for path, content in paths.items():
        write_atomically(path, content)
    return tuple(paths)


def _conditions_among(questions: Mapping[str, Asked]) -> dict[str, Asked]:
    """The questions with those conditions only that are about one another; what else decides is ours to know."""

    def kept(item: Item) -> Item:
        told = tuple(condition for condition in item.enable_when if condition.question in questions)
        if item.enable_behavior == "any" and len(told) < len(item.enable_when):
            told = ()
        return item.model_copy(update={"enable_when": told})

    return {item_id: replace(entry, item=kept(entry.item)) for item_id, entry in questions.items()}


def _by_heading(questions: Mapping[str, Asked]) -> Iterator[tuple[str, list[Item]]]:
    for heading, entries in groupby(questions.values(), key=lambda entry: entry.heading):
        yield heading, [entry.item for entry in entries]


def _noted(inputs: Inputs, org: str, item_id: str) -> tuple[str, AnswerValue | None] | None:
    """What we think or have noted of an answer, in words, and its value where it is one."""
    item = _in_their_words(inputs.content.items[item_id])
    stored = inputs.answers(org).get(item_id)
    if stored is not None and stored.agreed_status is not stored.status:
        given = "; ".join(dict.fromkeys(_answer_words(item, answer)[0] for answer in stored.answers))
        return f"We were given different answers: {given}. Please say which of them holds.", None
    proposed = inputs.product.get(item_id) if inputs.content.items[item_id].proposable else None
    for response, lead in ((stored, "Noted so far"), (proposed, "We think")):
        if response is not None and response.agreed_status in {Status.ANSWERED, Status.NOT_APPLICABLE}:
            said, value = _answer_words(item, response)
            if said != UNKNOWN:
                return f"{lead}: {said}. Please confirm or correct.", value
    return None


def _answer_words(item: Item, response: Response) -> tuple[str, AnswerValue | None]:
    """An answer as the sheet words it, and its value where it is one that the sheet offers."""
    if response.status is Status.NOT_APPLICABLE:
        return NOT_APPLICABLE, None
    try:
        value = None if response.value is None else parse_answer(item, response.value)
    except InterlockError:  # that nobody knows, or stored for an earlier version of the question
        value = None
    if value is None:
        return UNKNOWN, None
    return (YES if value else NO) if isinstance(value, bool) else value_words(item, value), value


def _blocks(questions: Mapping[str, Asked], noted: Mapping[str, tuple[str, AnswerValue | None]]) -> Iterator[Block]:
    items = {item_id: entry.item for item_id, entry in questions.items()}
    number = 0
    for heading, asked_here in _by_heading(questions):
        lines: list[Line] = []
        for item in asked_here:
            number += 1
            lines += _lines(item, str(number), noted[item.id][0] if item.id in noted else "", items)
        yield Block(heading, tuple(lines))


def _lines(item: Item, number: str, noted: str, items: Mapping[str, Item]) -> Iterator[Line]:
    """A question's line; of one that takes several answers, a line for each option after it."""
    several = item.type is ItemType.MULTI_CHOICE
    about = [f"Only if {condition_words(item, items)}."] if item.enable_when else []
    about += [item.why or ""]
    about += ["Please say Yes or No for each of the following lines."] if several else []
    yield Line(item.id, number, item.text, " ".join(filter(None, about)), noted, choices(item), item.type)
    if several:
        for option in item.options:
            yield Line(f"{item.id}/{option.value}", "", option.label, choices=(YES, NO))


def choices(item: Item) -> tuple[str, ...]:
    """The answers to choose from in a question's own line; none where it is answered in words."""
    without_value = (UNKNOWN, *((NOT_APPLICABLE,) if item.na == "with_reason" else ()))
    if item.type is ItemType.BOOLEAN:
        return (YES, NO, *without_value)
    if item.type is ItemType.CHOICE:
        return (*(option.label for option in item.options), *without_value)
    return without_value if item.type is ItemType.MULTI_CHOICE else ()
