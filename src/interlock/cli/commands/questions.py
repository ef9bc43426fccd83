"""``interlock questions``."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated

import typer

from interlock.cli.options import TableOrJson, WorkspaceOption
from interlock.cli.output import emit, emit_json, emit_result, say, show_table, wrapped
from interlock.model import words
from interlock.model.base import Owner, ProductKind, Status
from interlock.model.questionnaire import Item
from interlock.model.text import plain
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.opening import open_workspace
from interlock.usecases.owed import OwedAnswers, owed_answers
from interlock.usecases.questions import Asked
from interlock.usecases.questions import questions as list_questions


def questions(
    item: Annotated[str | None, typer.Argument(help="Show one question whole.", metavar="ITEM")] = None,
    org: Annotated[
        str | None, typer.Option("--org", help="What is asked of this organisation, not of the product.", metavar="ID")
    ] = None,
    unanswered: Annotated[bool, typer.Option("--open", help="Only those without an answer.")] = False,
    owed: Annotated[
        bool, typer.Option("--owed", help="What somebody owes, of product and organisations: what is overdue first.")
    ] = False,
    who: Annotated[
        str | None, typer.Option("--who", help="What this person owes, by a part of the name.", metavar="NAME")
    ] = None,
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """List the questions of the product or of one organisation with their answers, or show one whole."""
    inputs = load_inputs(open_workspace(folder), None if item is not None else org)
    if item is not None:
        emit_result(output, inputs.content.item(item), partial(show_question, kind=inputs.settings.kind))
        if output == "table":
            show_answer(inputs, inputs.content.item(item), org)
        return
    if owed or who is not None:
        emit_result(output, owed_answers(inputs, org, who), show_owed)
        return
    rows = [q for q in list_questions(inputs, org or "product") if not unanswered or q.status is Status.UNANSWERED]
    if output == "json":
        emit_json(
            [
                {
                    "item": q.item.id,
                    "scope": q.scope,
                    "area": q.area,
                    "text": q.text,
                    "priority": q.item.priority,
                    "status": q.status.value,
                    "response": q.response.model_dump(mode="json", exclude_none=True) if q.response else None,
                }
                for q in rows
            ]
        )
        return
    if not rows:
        say("Every question here has an answer.")
        return
    show_table(
        ["Item", "Question", "Answer"],
        [(q.item.id, q.text, "; ".join([q.shown_answer(), *beside(q, inputs.today)])) for q in rows],
    )


def beside(question: Asked, today: date) -> list[str]:
    """What stands beside an answer, in words: that others differ, and who owes what by when."""
    response = question.response
    if response is None:
        return []
    said_so = [plain(answer.by or "somebody", 60) for answer in response.answers]
    parts = [f"{words.listed(said_so)} answered differently"] if response.agreed_status is not response.status else []
    owes = response.owes(today)
    return [*parts, owes] if owes else parts


def show_answer(inputs: Inputs, item: Item, org: str | None) -> None:
    """Print who answered a question what and when, with the evidence by number, and who owes something."""
    scope = org or "product"
    response = inputs.answers(scope).get(item.id)
    if response is None:
        return
    lines = ["", f"Answered for {scope}:"]
    for answer in response.answers:
        who = plain(answer.by or "somebody who is not named", 80)
        when = f", {words.moment(answer.at)}" if answer.at else ""
        lines += wrapped(f"{Asked(scope, '', item, answer).shown_answer()} ({who}{when})", "  ")
        for number, record in enumerate(answer.documents, 1):
            lines += wrapped(record.told(inputs.today), f"    {number}. ")
    if response.agreed_status is not response.status:
        lines += wrapped("They differ, so the question counts as unknown. Settle it: answer again, or --keep AUTHOR.")
    if (owes := response.owes(inputs.today)) is not None:
        lines.append(f"  {words.capital(owes)}")
    emit("\n".join(lines))


def show_owed(answers: OwedAnswers) -> None:
    """Print who owes what by when."""
    if not answers.owed:
        say("Nobody owes anything.")
        return
    rows = [
        (
            entry.item,
            entry.scope,
            entry.because,
            plain(entry.assignee or words.OWNER[Owner.US].phrase, 60),
            f"{words.iso_day(entry.due)}{' (overdue)' if entry.overdue else ''}" if entry.due else "",
        )
        for entry in answers.owed
    ]
    show_table(["Item", "Asked of", "What is owed", "Who", "By"], rows)


def show_question(item: Item, kind: ProductKind | None = None, scope: str | None = None) -> None:
    """Print one question whole: its options, what a good answer is, and why it is asked.

    An option that cannot be true of the kind of product says so.

    :param scope: whom it is asked of, where that is known.
    """
    lines = [item.id, *wrapped(item.text_for(scope) if scope else item.text), ""]
    for option in item.options:
        graded = f"  [{option.weight:.2f}]" if option.weight is not None else ""
        other = ""
        if kind is not None and option.kinds and kind not in option.kinds:
            other = f"  [not of {words.PRODUCT_KIND[kind].phrase}]"
        lines += wrapped(f"{option.label}{graded}{other}", f"  {option.value:<24} ")
    if not item.options:
        lines.append(f"  ({item.type.value})")
    if item.help:
        lines += ["", *wrapped("A good answer: " + item.help)]
    if item.why:
        lines += ["", *wrapped("Why it is asked: " + item.why)]
    if item.source:
        lines += ["", "Statements: " + ", ".join(item.source)]
    lines += [f"  {reference.title}  {reference.url}" for reference in item.references]
    emit("\n".join(lines))
