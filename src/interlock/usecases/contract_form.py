"""Editing the workflow contract part by part: what a place may hold, who supports it, and what was typed as a value."""

from __future__ import annotations

import re
from dataclasses import dataclass

from interlock.contract.form import Slot, entry_slots, offered, slots
from interlock.documents.yaml import Path_, parse_yaml
from interlock.model import words
from interlock.model.contract import Need, WorkflowContract
from interlock.model.contract_parts import FIXED_QUERY, TOKEN
from interlock.model.errors import InterlockError
from interlock.model.facts import ResourceFacts
from interlock.usecases.load import Inputs

__all__ = ["Offer", "Slot", "entry_slots", "offers", "resource_at", "slots", "value_of"]

#: Longest text that the form takes; the file may hold longer ones.
_LONGEST = 4_000
_DECLARED, _ANSWERED = "declared by", "as the question about launches is answered"
#: Parts that name organisations.
_ORGANIZATIONS = frozenset({"organizations", "not_at", "organization"})


@dataclass(frozen=True)
class Offer:
    """One value that a place may hold.

    :ivar about: what it is, and which organisations support it as they were last seen.
    """

    value: str
    about: str = ""


def offers(inputs: Inputs, contract: WorkflowContract, slot: Slot) -> tuple[Offer, ...]:
    """What a place may hold, where FHIR's tables or the workspace say so; empty where anything may be typed."""
    names = [step for step in slot.path if isinstance(step, str)]
    if names[-1] in _ORGANIZATIONS:
        return tuple(Offer(org.id, org.name) for org in inputs.organizations)
    resource = resource_at(contract, slot.path)
    if slot.kind == "choice":
        known = [(choice, "") for choice in slot.choices]
    else:
        known = list(offered(contract.fhir_release, slot, resource, _bound_element(contract, slot.path)))
    told = []
    answered = _answered(inputs) if slot.path[:2] == ("launch", "modes") else ()
    for name, about in known:
        about = _ANSWERED if name in answered else about
        support = _support(inputs, names[-1], name if names[-1] == "resource" else resource, name)
        told.append(Offer(name, "; ".join(part for part in (about, support) if part)))
    # What an organisation declares comes first, what FHIR has for every type last.
    first = (_DECLARED, _ANSWERED)
    return tuple(sorted(told, key=lambda o: (not any(sign in o.about for sign in first), o.value.startswith("_"))))


def _answered(inputs: Inputs) -> tuple[str, ...]:
    """The launch modes that the product's answer names, as the contract calls them."""
    response = inputs.answers("product").get("auth.launch_modes")
    given = response.value if response is not None else None
    return tuple(value.removesuffix("_launch") for value in given) if isinstance(given, tuple) else ()


def resource_at(contract: WorkflowContract, path: Path_) -> str | None:
    """The resource type of the need or channel that a place belongs to, or none."""
    match path:
        case ("inputs" | "outputs" | "channels" as part, int(index), *_):
            entries = getattr(contract, part)
            return entries[index].resource if index < len(entries) else None
        case _:
            return None


def _bound_element(contract: WorkflowContract, path: Path_) -> str | None:
    """The element of the binding that a place belongs to, or none."""
    match path:
        case ("inputs" | "outputs" as part, int(index), "binding", int(number), *_):
            needs: tuple[Need, ...] = getattr(contract, part)
            bindings = needs[index].binding if index < len(needs) else ()
            return bindings[number].path if number < len(bindings) else None
        case _:
            return None


def _support(inputs: Inputs, part: str, resource: str | None, name: str) -> str:
    """Which organisations declare a type, interaction or parameter, as they were last seen; empty for anything else."""
    if resource is None or part not in {"resource", "interactions", "search_parameters"}:
        return ""
    declared: list[str] = []
    lacking: list[str] = []
    unseen: list[str] = []
    for org in inputs.organizations:
        observation = inputs.observations.get(org.id)
        statement = observation.facts.capability if observation is not None else None
        if statement is None:
            unseen.append(org.name)
            continue
        facts = statement.resources.get(resource)
        (declared if facts is not None and _has(facts, part, name) else lacking).append(org.name)
    parts = [
        f"{verb} {words.listed(names, 3)}"
        for verb, names in ((_DECLARED, declared), ("not by", lacking), ("not seen:", unseen))
        if names
    ]
    return ", ".join(parts)


def _has(facts: ResourceFacts, part: str, name: str) -> bool:
    match part:
        case "interactions":
            return ("search-type" if name == "search" else name) in facts.interactions
        case "search_parameters":
            return name.partition(":")[0].partition(".")[0] in facts.search_params
        case _:
            return True


#: Texts of a form of their own: how they are written, what they are, and an example.
_WRITTEN = {
    "query": (FIXED_QUERY, "fixed parameter of a search", "name=value, like category=laboratory"),
    "code": (TOKEN, "code with its system", "system|code, like http://loinc.org|2524-7"),
    "codes": (TOKEN, "code with its system", "system|code, like http://loinc.org|2524-7"),
}


def value_of(slot: Slot, typed: str) -> object:
    """What was typed or chosen for a place, as the file holds it; none for nothing.

    :raises InterlockError: it is no value of the place's kind.
    """
    text = typed.strip()
    if len(text) > _LONGEST:
        raise InterlockError(f"this is longer than {_LONGEST:,} characters", remedy="shorten it, or edit the file")
    if not text:
        return None
    key = next(step for step in reversed(slot.path) if isinstance(step, str))
    if key in _WRITTEN and not re.fullmatch(_WRITTEN[key][0], text):
        raise InterlockError(f"this is no {_WRITTEN[key][1]}", remedy=f"write {_WRITTEN[key][2]}")
    match slot.kind:
        case "flag":
            return {"yes": True, "no": False}[text]
        case "number":
            try:
                number = float(text)
            except ValueError:
                raise InterlockError("this is no number", remedy="type digits, such as 5000 or 0.5") from None
            return int(number) if number.is_integer() and abs(number) < 1e15 else number
        case _ if slot.path[-1] == "default":
            return parse_yaml(text, "default").data
        case _:
            return text
