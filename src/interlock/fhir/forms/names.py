"""The names that forms are made of: canonical URLs, code systems, extensions, link ids.

Ours start with :data:`BASE`, a reserved name (RFC 2606, section 2): an identifier, which no server answers for.
"""

from __future__ import annotations

from interlock.model.base import Scope
from interlock.model.questionnaire import Item, ItemType, Questionnaire

BASE = "https://interlock.example/fhir"

#: FHIR's own extensions begin with this.
HL7 = "http://hl7.org/fhir/StructureDefinition/"
DATA_ABSENT_REASON = f"{HL7}data-absent-reason"
#: The code system of the same reasons, as the answers of a mailed form: a renderer knows no other way to give them.
ABSENT_SYSTEM = "http://terminology.hl7.org/CodeSystem/data-absent-reason"

#: What stands beside an answer: who gave it and when, its evidence, note and reason, and who owes what. On a response's
#: item.
ANSWER_RECORD = f"{BASE}/StructureDefinition/answer-record"

PRODUCT_SYSTEM = f"{BASE}/product"
ORGANIZATION_SYSTEM = f"{BASE}/organization"
RESPONSE_SYSTEM = f"{BASE}/response"

#: The element of a response's answer that holds a value, by type of the question (FHIR R4 item-type).
VALUE_ELEMENT: dict[ItemType, str] = {
    ItemType.CHOICE: "valueCoding",
    ItemType.MULTI_CHOICE: "valueCoding",
    ItemType.BOOLEAN: "valueBoolean",
    ItemType.INTEGER: "valueInteger",
    ItemType.DATE: "valueDate",
    ItemType.URL: "valueUri",
    ItemType.STRING: "valueString",
    ItemType.TEXT: "valueString",
}


def canonical(questionnaire: Questionnaire) -> str:
    """The questionnaire's canonical URL, without its version."""
    return f"{BASE}/Questionnaire/{questionnaire.id}"


def option_system(item: Item) -> str:
    """The code system of one question's options: ``none`` means something else in another question."""
    return f"{BASE}/CodeSystem/{item.id}"


def help_link_id(item: Item) -> str:
    """Link id of the display item that helps with a question; no question's own id has a slash."""
    return f"{item.id}/help"


def comment_link_id(item: Item) -> str:
    """Link id of the text below a question of a mailed form: a reason or a comment."""
    return f"{item.id}/comment"


def condition_link_id(item: Item) -> str:
    """Link id of the display item that says when a question is asked."""
    return f"{item.id}/when"


def per_organization(item: Item) -> bool:
    """Whether a question is answered in each organisation's response rather than in the product's."""
    return item.scope is Scope.ORG
