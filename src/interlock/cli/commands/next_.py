"""``interlock next``."""

from __future__ import annotations

from typing import Annotated

import typer

from interlock.cli.commands.questions import show_question
from interlock.cli.options import OnlyOrgOption, TableOrJson, WorkspaceOption
from interlock.cli.output import emit_json, say, say_paragraph, show_table
from interlock.cli.summary import say_first_thing
from interlock.model import words
from interlock.model.plan import FirstThing
from interlock.model.questionnaire import ItemType
from interlock.model.text import plain
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.next_questions import next_questions
from interlock.usecases.opening import open_workspace


def next_(
    org: OnlyOrgOption = None,
    number: Annotated[
        int, typer.Option("-n", "--number", min=1, max=1000, help="How many questions.", metavar="N")
    ] = 1,
    to_do: Annotated[
        bool, typer.Option("--to-do", help="Also the first thing to do, beside answering: it takes a whole plan.")
    ] = False,
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """Show the next question to answer: the one that settles most, and why."""
    inputs = load_inputs(open_workspace(folder), None if org == "product" else org)
    result = next_questions(inputs, org, number)
    if to_do and org is None:
        from interlock.usecases.assess import assess  # brings the plan and its numbers

        things = assess(inputs, today=inputs.today).plan.first
        result = result.model_copy(update={"first": things[0] if things else None})
    if output == "json":
        emit_json(result)
        return
    if not result.questions:
        say("Every question of this profile is answered.")
        _beside(inputs, result.first)
        return
    first = result.questions[0]
    item = inputs.content.item(first.item)
    names = {org.id: org.name for org in inputs.organizations}
    if number > 1:
        rows = [
            (f"{question.text} ({question.item})", names.get(question.scope, "the product"), question.because)
            for question in result.questions
        ]
        show_table(["Question", "Asked of", "Why it is next"], rows)
    else:
        show_question(item, inputs.settings.kind, first.scope)
        say("")
        say_paragraph(f"Asked of: {plain(names.get(first.scope, 'the product'), 60)}.")
        say_paragraph(f"Why it is next: {first.because}.")
    for_org = "" if first.scope == "product" else f" --org {first.scope}"
    value = "VALUE[,VALUE …]" if item.type is ItemType.MULTI_CHOICE else "VALUE"
    say(f"\nAnswer it with: interlock answer {item.id} {value}{for_org}")
    without = ["--status unknown"]
    if item.na == "with_reason":
        without.append("--status not_applicable --reason WHY")
    say(f"or, in place of a value, {' or '.join(without)}")
    if result.unanswered + result.unknown > len(result.questions):
        have = words.agree(result.unanswered, "has", "have")
        were = words.agree(result.unknown, "was", "were")
        unknown = f", and {result.unknown} {were} answered with unknown" if result.unknown else ""
        say(f"{words.count(result.unanswered, 'question')} {have} no answer yet{unknown}.")
    _beside(inputs, result.first)


def _beside(inputs: Inputs, first: FirstThing | None) -> None:
    """What to do beside answering: write the contract where there is none, and what the plan of all has first."""
    if inputs.unwritten:
        say_paragraph(inputs.unwritten)
    say("")
    if first is not None:
        say_first_thing(first)
    else:
        say("What to do first, beside answering: interlock plan")
