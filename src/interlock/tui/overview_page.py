"""The overview on pages: the verdict, blockers, what is asked and owed, how far the answers are, and the dates."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import RuleOutcome, Status
from interlock.model.plan import FirstThing
from interlock.model.readiness import Score, Verdict
from interlock.model.rule import Rule
from interlock.tui.page import (
    ACCENT,
    BAD,
    DIM,
    OK,
    PRIMARY,
    SEVERITY,
    WARN,
    Page,
    count_bar,
    hang,
    interval_bar,
    line,
    text,
)
from interlock.tui.progress import Counts, kind_of_product, settled
from interlock.tui.state import State

if TYPE_CHECKING:
    from interlock.usecases.blockers import Blocker
    from interlock.usecases.owed import OwedAnswer

#: Rule ids in brackets, as sentences for files and commands have them.
_IDS = re.compile(r" \((?:[A-Z]{2,5}-\d{3}\b[^()]*)\)")
#: A finding's key: the rule's id, and whom it is about.
_KEY = re.compile(r"\b([A-Z]{2,5}-\d{3})(?:@[\w:-]+)?")
#: Cells of the shortest bar.
_BAR = 4


def in_words(sentence: str) -> str:
    """A sentence without the ids that stand in brackets behind the words."""
    return _IDS.sub("", sentence)


def titled(sentence: str, rules: Mapping[str, Rule]) -> str:
    """A sentence with the titles of rules in the place of their ids."""
    return _KEY.sub(lambda key: f"“{rules[key[1]].title}”" if key[1] in rules else key[0], sentence)


def draw_answers(page: Page, areas: dict[str, Counts], state: State) -> None:
    """How far the answers are, and how many questions the kind of product leaves."""
    _draw_areas(page, areas)
    if state.inputs is not None:
        page.para(kind_of_product(state.inputs), DIM)
        if state.inputs.unwritten:
            page.para(state.inputs.unwritten, WARN)


def draw_next(page: Page, state: State, owed: Sequence[OwedAnswer]) -> None:
    """The question to answer next and why, and who owes answers."""
    question = state.next_question
    if state.worth is None:
        page.para("Working out which question settles most…", DIM)
    elif question is None:
        page.para("Every question has an answer.", DIM)
    else:
        page.line((f"{state.name_of(question.scope)}: ", ACCENT), question.text)
        page.para(question.because, DIM)
    _draw_owed(page, state, owed)


def _draw_owed(page: Page, state: State, owed: Sequence[OwedAnswer]) -> None:
    """A line for each person who owes something, what is overdue first; then how much nobody is named for."""
    by_person: dict[str, list[OwedAnswer]] = defaultdict(list)
    for entry in owed:
        by_person[entry.assignee or ""].append(entry)
    left = state.worth.unanswered + state.worth.unknown if state.worth is not None else 0
    nobody = max(0, left - sum(entry.want == "answer" for entry in owed))
    if not by_person and not nobody:
        return
    page.heading("Who owes answers")
    for person, entries in list(by_person.items())[:_PEOPLE]:
        late = sum(entry.overdue for entry in entries)
        dues = sorted(entry.due for entry in entries if entry.due and not entry.overdue)
        page.bullet(
            text("!" if late else "·", WARN if late else DIM),
            (person or "Nobody is named", "bold"),
            f": {words.listed(_wanted(entries))}",
            (f", {late:,} overdue" if late else "", WARN),
            (f", by {words.iso_day(dues[0])}" if dues else "", DIM),
        )
    if len(by_person) > _PEOPLE:
        page.line((f"and {words.count(len(by_person) - _PEOPLE, 'person', 'people')} more", DIM))
    if nobody:
        page.bullet(text("·", DIM), (f"Nobody is named for {words.count(nobody, 'question')} without an answer.", DIM))


def _wanted(entries: Sequence[OwedAnswer]) -> list[str]:
    """What one person owes, counted: ``5 answers``, ``1 decision``."""
    kinds = [entry.want for entry in entries]
    singular = {"evidence": ("piece of evidence", "pieces of evidence")}
    return [words.count(kinds.count(kind), *singular.get(kind, (kind, None))) for kind in dict.fromkeys(kinds)]


def draw_blockers(page: Page, rows: Sequence[Blocker], names: dict[str, str], most: int) -> None:
    """What blocks, each once with where; at most so many entries, the rest counted."""
    if not rows:
        page.para("None: nothing of this kind is open or undecided.", DIM)
    for blocker in rows[:most]:
        sign = SEVERITY[blocker.severity]
        lead = text("?", WARN) if blocker.undecided else text(sign.glyph, sign.style)
        where = blocker.where(names)
        page.bullet(lead, blocker.title, (f"  {where}" if where else "", DIM))
    if len(rows) > most:
        page.line((f"and {len(rows) - most:,} more, in section 4", DIM))


def blockers_counted(rows: Sequence[Blocker]) -> str:
    """``6 open, 3 undecided``."""
    undecided = sum(blocker.undecided for blocker in rows)
    counts = [(len(rows) - undecided, RuleOutcome.GAP), (undecided, RuleOutcome.UNKNOWN)]
    return ", ".join(f"{number} {words.RULE[outcome].phrase}" for number, outcome in counts if number) or "none"


def draw_dates(page: Page, assessment: Assessment, moved: Sequence[str]) -> None:
    """What doing the first things brings, when all is through, and what moved since the last milestone."""
    plan = assessment.plan
    for sentence in moved:
        page.para(sentence)
    page.blank()
    for sentence in plan.ground.said[:1]:
        page.para(sentence, DIM if moved else "")
    if plan.first and plan.first_note:
        page.blank()
        page.para(plan.first_note, DIM)


def _draw_areas(page: Page, areas: dict[str, Counts]) -> None:
    if not areas:
        page.para("No questions.", DIM)
        return
    longest = max(len(title) for title in areas)
    tallies = {title: _tally(counts, wordy=True) for title, counts in areas.items()}
    widest = max(map(len, tallies.values()))
    if page.width - longest - widest - 4 < _BAR:
        tallies = {title: _tally(counts, wordy=False) for title, counts in areas.items()}
        widest = max(map(len, tallies.values()))
    width = max(_BAR, min(24, page.width - longest - widest - 4))
    page.columns(
        [
            (
                text(title),
                count_bar(settled(counts), counts[Status.UNKNOWN], counts.total(), width),
                text(tallies[title], DIM),
            )
            for title, counts in areas.items()
        ]
    )


def _tally(counts: Counts, *, wordy: bool) -> str:
    """``14/16  1 unknown  1 not answered``; with glyphs instead of words where it is narrow."""
    parts = [f"{settled(counts):>3}/{counts.total():<3}".rstrip()]
    for status in (Status.UNKNOWN, Status.UNANSWERED):
        word = f" {words.STATUS[status].phrase}" if wordy else words.STATUS[status].glyph
        parts += [f"{counts[status]}{word}"] if counts[status] else []
    return ("  " if wordy else " ").join(parts)


#: Cells of a panel in which lines may stand apart; people who are named.
ROOMY = 90
#: Behind it a next step says with what to begin.
_BEGIN = " Start here: "
_PEOPLE = 6
_LABEL = 9


def draw_verdict(
    page: Page,
    verdict: Verdict,
    score: Score,
    questions: Mapping[str, str],
    names: Mapping[str, str],
    *,
    first: FirstThing | None = None,
    roomy: bool = True,
    tight: bool = False,
) -> None:
    """The verdict; ``questions`` are the texts of the questions by id, ``names`` those of the organisations.

    :param first: the first of the things to do, where the verdict's next step is to begin with one of them: what is
        listed first, and what the verdict says comes first, are the same then.
    :param roomy: there is room for what would change it, and for what to do at which organisation.
    :param tight: there are so few lines that the first step stands for the next step as a whole.
    """
    roomy = roomy and page.width >= ROOMY
    if verdict.settled:
        settled_as = (words.verdict(verdict.value, verdict.latest), f"bold {PRIMARY}")
        page.line(settled_as, ("   settled: nothing that is undecided could change it", DIM))
    page.para(verdict.headline, "bold")
    if roomy and verdict.organizations:
        page.para(verdict.organizations)
        page.blank()
    step, owner = in_words(verdict.next_in_words or verdict.next_step), verdict.next_step_owner
    if first is not None:
        general, begins, _ = step.partition(_BEGIN)
        begin = words.sentence(first.task or first.what_to_do)
        step = begin if tight else f"{general if begins else ''}{_BEGIN}{begin}"
        owner = first.owner
    page.field("Next", line((f"{words.OWNER[owner].title}: ", ACCENT), step.strip()), label_width=_LABEL)
    if roomy and verdict.counterfactual:
        page.field("What if", verdict.counterfactual, style=DIM, label_width=_LABEL)
    if roomy:
        draw_changes(page, verdict, questions, names, _LABEL)
        page.blank()
    figures = line(
        (f"  {words.interval(score.interval.low, score.interval.high)}", "bold"),
        (f"   complete {words.share(score.completeness)}   confidence {words.share(score.confidence)}", DIM),
        ("   capped" if tight and score.caps else "", DIM),
    )
    width = max(12, min(40, page.width // 3, page.width - _LABEL - 1 - figures.cell_length))
    page.field("Product", line(interval_bar(score.interval, width), figures), label_width=_LABEL)
    caps = [in_words(cap) for cap in score.caps if not tight]
    if not roomy and len(caps) > 1:
        caps = [f"{caps[0]}, and {words.count(len(caps) - 1, 'more reason')}"]
    for cap in caps:
        page.field("", f"capped: {cap}", style=DIM, label_width=_LABEL)


def draw_changes(
    page: Page, verdict: Verdict, questions: Mapping[str, str], names: Mapping[str, str], indent: int = 0
) -> None:
    """The verdicts that a few other answers would give, and which answers."""
    for change in verdict.changes:
        glyph, style = ("▲", OK) if change.direction == "later" else ("▼", BAD)
        lead = Content(" " * (indent + 1 if indent else 0))
        head = line((f"{glyph} ", style), (words.verdict(change.verdict, change.latest), "bold"), " if ")
        for number, answer in enumerate(change.answers):
            where = f" ({names.get(answer.org, answer.org)})" if answer.org else ""
            question = line(head if number == 0 else line("and "), questions.get(answer.item, answer.item) + where)
            page.add(*hang(question, page.width, lead, lead.cell_length + 2))
            page.add(*hang(line((f"{answer.before} → ", DIM), answer.after), page.width, lead.pad_left(2)))
