"""The verdict on a page: its headline, what comes next, what would change it, and the product's score."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.tui.bars import interval_bar
from interlock.tui.page import Page, hang, line
from interlock.tui.styles import ACCENT, BAD, DIM, OK, PRIMARY, WARN

#: Cells of a panel in which lines may stand apart.
ROOMY = 90
_LABEL = 9


def draw_verdict(page: Page, assessment: Assessment, questions: Mapping[str, str]) -> None:
    """The verdict; ``questions`` are the texts of the questions by id."""
    verdict, score = assessment.verdict, assessment.product_score
    provisional = ("  provisional: something undecided argues for an earlier one", WARN)
    page.line((words.VERDICT[verdict.value].title, f"bold {PRIMARY}"), provisional if verdict.provisional else "")
    page.para(verdict.headline, "bold")
    if page.width >= ROOMY:
        page.blank()
    page.field(
        "Next", line((f"{words.OWNER[verdict.next_step_owner].title}: ", ACCENT), verdict.next_step), label_width=_LABEL
    )
    if verdict.counterfactual:
        page.field("What if", verdict.counterfactual, style=DIM, label_width=_LABEL)
    if page.width >= ROOMY:
        draw_changes(page, assessment, questions, _LABEL)
    figures = line(
        (f"  {words.interval(score.interval.low, score.interval.high)}", "bold"),
        (f"   complete {words.share(score.completeness)}   confidence {words.share(score.confidence)}", DIM),
    )
    width = max(12, min(40, page.width // 3, page.width - _LABEL - 1 - figures.cell_length))
    bar = line(interval_bar(score.interval, width), figures)
    if page.width >= ROOMY:
        page.blank()
    page.field("Product", bar, label_width=_LABEL)
    for cap in score.caps:
        page.field("", f"capped: {cap}", style=DIM, label_width=_LABEL)


def draw_changes(page: Page, assessment: Assessment, questions: Mapping[str, str], indent: int = 0) -> None:
    """The verdicts that a few other answers would give, and which answers."""
    names = {org.id: org.name for org in assessment.organizations}
    for change in assessment.verdict.changes:
        glyph, style = ("▲", OK) if change.direction == "later" else ("▼", BAD)
        lead = Content(" " * (indent + 1 if indent else 0))
        head = line((f"{glyph} ", style), (words.VERDICT[change.verdict].title, "bold"), " if ")
        for number, answer in enumerate(change.answers):
            where = f" ({names.get(answer.org, answer.org)})" if answer.org else ""
            question = line(head if number == 0 else line("and "), questions.get(answer.item, answer.item) + where)
            page.add(*hang(question, page.width, lead, lead.cell_length + 2))
            page.add(*hang(line((f"{answer.before} → ", DIM), answer.after), page.width, lead.pad_left(2)))
