"""How the questions and rules that a workspace judges by differ from those that Interlock ships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from interlock.model import words
from interlock.model.base import Model

ChangeKind = Literal["off", "changed", "weight", "added"]


class ContentChange(Model):
    """One difference from the shipped content.

    :ivar change: what is different, in words.
    :ivar blocker: what is turned off or changed is a blocker in the shipped content, or decides one.
    """

    kind: ChangeKind
    of: Literal["rule", "task", "question", "pattern", "hazard", "set", "weights", "gate", "chance"]
    id: str
    title: str
    change: str
    blocker: bool = False

    @property
    def sentence(self) -> str:
        """The change in one line, by title, with its id."""
        blocker = ", a blocker" if self.blocker and self.of == "rule" else ""
        return f"{self.title} ({self.of} {self.id}{blocker}): {self.change}"


def count_changes(changes: Sequence[ContentChange]) -> str:
    """``3 changes of this workspace``; empty without any."""
    if not changes:
        return ""
    return words.count(len(changes), "change of this workspace", "changes of this workspace")


def told_changes(changes: Sequence[ContentChange]) -> str:
    """How many changes there are of what kind, blockers turned off first: one sentence; empty without any."""
    if not changes:
        return ""
    blockers_off = sum(change.kind == "off" and change.blocker for change in changes)
    blockers = sum(change.kind != "off" and change.blocker for change in changes)
    others = {kind: sum(change.kind == kind and not change.blocker for change in changes) for kind in _KINDS}
    parts = [
        f"{words.count(blockers_off, 'blocker')} turned off" if blockers_off else "",
        f"{words.count(blockers, 'blocker')} changed" if blockers else "",
        *(f"{number:,} {_KINDS[kind]}" for kind, number in others.items() if number),
    ]
    return f"{count_changes(changes)} to what Interlock ships: {', '.join(part for part in parts if part)}."


def ruleset_words(ruleset: str, shipped: str, changes: Sequence[ContentChange]) -> str:
    """The ruleset's name for a reader; never the shipped one's alone where the workspace differs from it."""
    if not changes:
        return ruleset
    own = f"{shipped} with {count_changes(changes)}"
    return own if ruleset == shipped else f"{ruleset}: {own}"


def first_changes(changes: Sequence[ContentChange], limit: int, all_in: str) -> tuple[str, ...]:
    """A line for each of the first changes, and one that counts the rest and says where they are."""
    lines = [change.sentence for change in changes[:limit]]
    if len(changes) > limit:
        lines.append(f"and {len(changes) - limit:,} more, all in {all_in}")
    return tuple(lines)


_KINDS: dict[ChangeKind, str] = {
    "off": "turned off",
    "changed": "changed",
    "weight": "with another weight",
    "added": "added",
}
