"""``interlock questions``."""

from __future__ import annotations

from typing import Annotated

import typer

from interlock.cli.options import TableOrJson, WorkspaceOption
from interlock.cli.output import emit, emit_json, emit_result, show_table, wrapped
from interlock.model.base import Status
from interlock.model.questionnaire import Item
from interlock.usecases.load import load_inputs, open_workspace
from interlock.usecases.questions import questions as list_questions


def questions(
    item: Annotated[str | None, typer.Argument(help="Show one question whole.", metavar="ITEM")] = None,
    org: Annotated[
        str | None, typer.Option("--org", help="What is asked of this organisation, not of the product.", metavar="ID")
    ] = None,
    unanswered: Annotated[bool, typer.Option("--open", help="Only those without an answer.")] = False,
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """List the questions of the product or of one organisation with their answers, or show one whole."""
    inputs = load_inputs(open_workspace(folder), None if item is not None else org)
    if item is not None:
        emit_result(output, inputs.content.item(item), show_question)
        return
    rows = [q for q in list_questions(inputs, org or "product") if not unanswered or q.status is Status.UNANSWERED]
    if output == "json":
        emit_json(
            [
                {
                    "item": q.item.id,
                    "scope": q.scope,
                    "area": q.area,
                    "text": q.item.text,
                    "priority": q.item.priority,
                    "status": q.status.value,
                    "response": q.response.model_dump(mode="json", exclude_none=True) if q.response else None,
                }
                for q in rows
            ]
        )
        return
    show_table(["Item", "Question", "Answer"], [(q.item.id, q.item.text, q.shown_answer()) for q in rows])


def show_question(item: Item) -> None:
    """Print one question whole: its options, what a good answer is, and why it is asked."""
    lines = [item.id, *wrapped(item.text), ""]
    for option in item.options:
        graded = f"  [{option.weight:.2f}]" if option.weight is not None else ""
        lines += wrapped(f"{option.label}{graded}", f"  {option.value:<24} ")
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
