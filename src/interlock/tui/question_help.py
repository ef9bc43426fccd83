"""What the help says of one question: what it asks and why, what counts as evidence, which gates read it, sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from interlock.model import words
from interlock.model.base import Evidence, Gate
from interlock.model.rule import Rule
from interlock.tui.page import ACCENT, DIM, SEVERITY, Page, text
from interlock.tui.state import State

if TYPE_CHECKING:
    from interlock.usecases.questions import Asked


def draw_question_help(page: Page, asked: Asked, state: State) -> None:
    """Draw it; until the first judgement is there, the gates are not known and that is said."""
    item = asked.item
    page.heading("What it asks", item.id)
    page.para(asked.text, "bold")
    if item.help:
        page.para(item.help)
    if item.why:
        page.heading("Why")
        page.para(item.why)
    rules = _readers(asked, state)
    page.heading("What counts as evidence")
    page.columns([(text(words.EVIDENCE[e].phrase, ACCENT), Content(words.EVIDENCE_MEANS[e])) for e in Evidence])
    page.heading("Which gates read it")
    if state.judgement is None:
        page.para("Still working it out.", DIM)
    elif not rules:
        page.para("No rule that applies here reads it: the answer is for the reader of the report.")
    for gate in (gate for gate in Gate if any(rule.gate is gate for rule in rules)):
        page.line((words.capital(words.gate(gate)), ACCENT))
        for rule in (rule for rule in rules if rule.gate is gate):
            sign = SEVERITY[rule.severity]
            page.bullet(
                Content.assemble("  ", (sign.glyph, sign.style)),
                rule.title,
                (f"  {sign.word}, {rule.id}{_accepted(rule, state)}", DIM),
            )
    if item.references:
        page.heading("Sources")
        for reference in item.references:
            page.bullet(text("→", DIM), reference.title, (f"  {reference.url}", DIM))


def _readers(asked: Asked, state: State) -> list[Rule]:
    """The rules that read its answer, by their ids."""
    if state.judgement is None:
        return []
    read = {
        finding.rule: state.judgement.rules[finding.rule]
        for finding in state.judgement.findings
        if any(name.partition(".")[2] == asked.item.id for name in finding.reads)
    }
    return [read[rule] for rule in sorted(read)]


def _accepted(rule: Rule, state: State) -> str:
    ruleset = state.inputs.content.ruleset if state.inputs else None
    least = rule.accepts.get(rule.gate) or (ruleset.accepts.get(rule.gate) if ruleset else None)
    return f"; wants it {words.EVIDENCE[least].phrase} at least" if least and least is not Evidence.ASSERTED else ""
