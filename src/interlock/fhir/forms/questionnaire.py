"""A questionnaire as a FHIR R4 ``Questionnaire``: item by item, the same ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from interlock.fhir.forms import names
from interlock.fhir.forms.enablement import FormItem, condition_words, form_items
from interlock.model.questionnaire import EnableWhen, Item, ItemType, Operator, Option, Questionnaire
from interlock.model.sheet import NOT_APPLICABLE, UNKNOWN, Column

#: FHIR R4 item types that are called otherwise here; the others have the same name.
_TYPES = {ItemType.MULTI_CHOICE: "choice"}
#: FHIR R4 ``id``: at most 64 characters.
_MAX_ID = 64

Json = dict[str, Any]


def questionnaire_resource(
    questionnaire: Questionnaire,
    items: Mapping[str, Item],
    max_lengths: Mapping[ItemType, int],
    *,
    mailed: bool = False,
) -> Json:
    """The form of one questionnaire. The same content gives the same resource: it carries no date.

    :param items: the questions of all questionnaires, by id, to say in words what a form cannot look up.
    :param max_lengths: longest answers in characters, by type (que-10 allows it for strings, texts and URLs).
    :param mailed: for an organisation: without design notes, and every question with room for a comment and, where it
        has options, with those that say that it is not known or does not apply.
    """
    context = _Context(form_items(questionnaire), items, max_lengths, mailed)
    organization = any(names.per_organization(item) for item in questionnaire.questions())
    resource: Json = {"resourceType": "Questionnaire"}
    if len(questionnaire.id) <= _MAX_ID:
        resource["id"] = questionnaire.id
    resource |= {
        "language": "en-GB",
        "url": names.canonical(questionnaire),
        "version": questionnaire.version,
        "name": "".join(word.capitalize() for word in questionnaire.id.split("-")),
        "title": questionnaire.title,
        "status": "active",
        "experimental": False,
        "subjectType": ["Organization" if organization else "Device"],
    }
    if questionnaire.description:
        resource["description"] = questionnaire.description
    return resource | {"item": [_item(item, context) for item in questionnaire.items]}


@dataclass(frozen=True)
class _Context:
    form: Mapping[str, FormItem]
    items: Mapping[str, Item]
    max_lengths: Mapping[ItemType, int]
    mailed: bool


def _item(item: Item, context: _Context) -> Json:
    result: Json = {}
    if extensions := _extensions(item, context):
        result["extension"] = extensions
    result |= {"linkId": item.id, "text": item.text, "type": _TYPES.get(item.type, item.type.value)}
    if conditions := context.form[item.id].conditions:
        result["enableWhen"] = [_condition(condition, context.form) for condition in conditions]
        result["enableBehavior"] = item.enable_behavior
    if item.type is not ItemType.GROUP:
        # No question is required: "unknown" is an answer, and a form may be handed back with gaps.
        result |= {"required": False, "repeats": item.type is ItemType.MULTI_CHOICE}
    if item.type in context.max_lengths:
        result["maxLength"] = context.max_lengths[item.type]
    if item.options:
        result["answerOption"] = [_option(item, option) for option in item.options]
        result["answerOption"] += _without_value(item) if context.mailed else []
    children = [*_displays(item, context), *(_item(child, context) for child in item.items)]
    if context.mailed and item.type is not ItemType.GROUP:
        comment = {
            "linkId": names.comment_link_id(item),
            "text": Column.COMMENT.value,
            "type": "text",
            "required": False,
        }
        children.append(comment | {"maxLength": context.max_lengths[ItemType.TEXT]})
    return result | ({"item": children} if children else {})


def _displays(item: Item, context: _Context) -> Iterator[Json]:
    """Display items beside a question: the condition that the form cannot tell, and the help, behind a button."""
    if len(context.form[item.id].conditions) < len(item.enable_when):
        condition = condition_words(item, context.items)
        yield {
            "extension": [_concept("displayCategory", "display-category", "instructions", "Instructions")],
            "linkId": names.condition_link_id(item),
            "text": f"Leave this empty unless {condition}.",
            "type": "display",
        }
    if text := _help(item):
        yield {
            "extension": [_control("help", "Help-Button")],
            "linkId": names.help_link_id(item),
            "text": text,
            "type": "display",
        }


def _without_value(item: Item) -> list[Json]:
    """The answers that it is not known, and, where that may be, that it does not apply."""
    codes = {"unknown": UNKNOWN} | ({"not-applicable": NOT_APPLICABLE} if item.na == "with_reason" else {})
    return [
        {
            "extension": [{"url": f"{names.HL7}questionnaire-optionExclusive", "valueBoolean": True}],
            "valueCoding": {"system": names.ABSENT_SYSTEM, "code": code, "display": label},
        }
        for code, label in codes.items()
    ]


def _extensions(item: Item, context: _Context) -> list[Json]:
    extensions: list[Json] = []
    if item.options:
        several = item.type is ItemType.MULTI_CHOICE
        extensions.append(_control("check-box", "Check-box") if several else _control("radio-button", "Radio Button"))
        extensions.append({"url": f"{names.HL7}questionnaire-choiceOrientation", "valueCode": "vertical"})
    if item.min is not None:
        extensions.append({"url": f"{names.HL7}minValue", "valueInteger": item.min})
    if item.max is not None:
        extensions.append({"url": f"{names.HL7}maxValue", "valueInteger": item.max})
    extensions += [
        {"url": f"{names.HL7}questionnaire-supportLink", "valueUri": reference.url} for reference in item.references
    ]
    if item.type is not ItemType.GROUP and not context.mailed:
        extensions.append({"url": f"{names.HL7}designNote", "valueMarkdown": _design_note(item)})
    return extensions


def _design_note(item: Item) -> str:
    source = f"; source: {', '.join(item.source)}" if item.source else ""
    return f"priority: {item.priority}; scope: {item.scope.value}; not applicable: {item.na}{source}"


def _control(code: str, display: str) -> Json:
    return _concept("itemControl", "item-control", code, display)


def _concept(extension: str, system: str, code: str, display: str) -> Json:
    coding = {"system": f"http://hl7.org/fhir/questionnaire-{system}", "code": code, "display": display}
    return {"url": f"{names.HL7}questionnaire-{extension}", "valueCodeableConcept": {"coding": [coding]}}


def _help(item: Item) -> str:
    """A question's help and its reason as one text: renderers show one help for each question."""
    parts = (("A good answer", item.help), ("Why it is asked", item.why))
    return "\n\n".join(f"{label}: {text.strip()}" for label, text in parts if text)


def _option(item: Item, option: Option) -> Json:
    extensions: list[Json] = []
    if option.weight is not None:
        weight = int(option.weight) if option.weight == int(option.weight) else option.weight
        # R4 has ordinalValue; SDC and R5 have itemWeight. Renderers read one or the other.
        extensions += [{"url": f"{names.HL7}{name}", "valueDecimal": weight} for name in ("ordinalValue", "itemWeight")]
    if option.exclusive:
        extensions.append({"url": f"{names.HL7}questionnaire-optionExclusive", "valueBoolean": True})
    result: Json = {"extension": extensions} if extensions else {}
    return result | {"valueCoding": coding(item, option)}


def coding(item: Item, option: Option) -> Json:
    """An option as a ``Coding``: the same in the form, in its conditions and in the answers."""
    return {"system": names.option_system(item), "code": option.value, "display": option.label}


def _condition(condition: EnableWhen, form: Mapping[str, FormItem]) -> Json:
    result: Json = {"question": condition.question, "operator": condition.operator.value}
    if condition.operator is Operator.EXISTS:
        return result | {"answerBoolean": condition.answer}
    control = form[condition.question].item
    option = control.option(str(condition.answer))
    answer = coding(control, option) if control.options and option else condition.answer
    return result | {names.VALUE_ELEMENT[control.type].replace("value", "answer"): answer}
