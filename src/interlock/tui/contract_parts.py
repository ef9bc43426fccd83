"""Parts of a contract in words, as its editor lists them: what each holds, what is asked of it, what is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from interlock.model import words
from interlock.model.text import plain
from interlock.tui.page import DIM, line

if TYPE_CHECKING:
    from interlock.documents.yaml import Path_
    from interlock.usecases.contract_form import Offer, Slot

#: What can be done with a part of each kind.
HINTS = {
    "group": "Enter opens it; {editor.add} fills it where it is empty.",
    "list": "Enter opens it; {editor.add} adds an entry.",
    "text": "Enter types it.",
    "number": "Enter types a number.",
    "flag": "Enter says yes or no.",
    "choice": "Enter chooses.",
}


#: Texts for which FHIR's tables or the workspace have something to choose from.
OFFERED = frozenset(
    {
        "resource",
        "search_parameters",
        "required_fields",
        "path",
        "field",
        "profile",
        "value_set",
        "codes",
        "terminology",
    }
    | {"organizations", "not_at", "organization"}
)


#: Fields that an entry is asked for sooner or later; the last two are an output's alone.
OF_OUTPUTS = frozenset({"status_flow", "writing"})
OFTEN = OF_OUTPUTS | {"purpose", "interactions", "search_parameters", "required_fields", "when_missing"}
OFTEN |= {"delivery", "latency_seconds"}


def in_entry(slot: Slot) -> bool:
    """A field of an entry of a list, and no entry itself."""
    return isinstance(slot.path[-1], str) and any(isinstance(step, int) for step in slot.path)


def in_words(path: Path_) -> str:
    """A place in words: ``inputs › 1 › search parameters``."""
    return " › ".join(str(step + 1) if isinstance(step, int) else step.replace("_", " ") for step in path)


def holds(slot: Slot) -> str:
    """What a place holds, beside its name."""
    if slot.is_leaf:
        return f"  {plain(typed(slot), 80) or '–'}"
    if slot.kind == "list":
        entries = [part for part in slot.parts if part.is_leaf]
        if slot.parts and len(entries) == len(slot.parts):
            return f"  {plain(', '.join(str(entry.value) for entry in entries), 80)}"
        return f"  {words.count(len(slot.parts), 'entry', 'entries')}" if slot.parts else "  none"
    first = next((part for part in slot.parts if part.needed and part.value is not None), None)
    return f"  {plain(first.value, 60)}" if first is not None else ("  –" if slot.is_empty else "")


def typed(slot: Slot) -> str:
    """A value as one types it: yes or no, a list in brackets, nothing where there is none."""
    match slot.value:
        case None:
            return ""
        case bool():
            return "yes" if slot.value else "no"
        case list():
            return f"[{', '.join(map(str, slot.value))}]"
        case _:
            return str(slot.value)


def offer_line(offer: Offer) -> Content:
    """A value that is offered, and what is known of it."""
    return line((plain(offer.value, 120), "bold"), (f"  {plain(offer.about, 300)}" if offer.about else "", DIM))
