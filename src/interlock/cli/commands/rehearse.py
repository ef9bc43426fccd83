"""``interlock rehearse``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from interlock.cli.options import WorkspaceOption
from interlock.cli.output import emit, emit_json, save, say, show_table, wrapped
from interlock.documents.visible import to_json
from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.product import Driver
from interlock.model.rehearsal import ProductObservation, RehearsalCheck, RehearsalOutcome, RehearsalResult
from interlock.model.text import plain
from interlock.usecases.load import load_content
from interlock.usecases.opening import open_workspace
from interlock.usecases.registering import write_registration
from interlock.usecases.rehearsal_checks import catalogue, needs_scripts, rehearsal_check
from interlock.usecases.rehearsal_outcome import require_held, summary, to_junit, to_sarif
from interlock.usecases.rehearse import Permission, product_of, rehearse_product


def rehearse(
    org: Annotated[
        list[str] | None,
        typer.Option("--org", help="Only this hospital of product.yaml. May be repeated.", metavar="ID"),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", help="Only these families or checks: sessions, S or C06,L06. May be repeated.", metavar="NAMES"
        ),
    ] = None,
    output: Annotated[
        Literal["table", "json", "junit", "sarif"],
        typer.Option("--format", "-f", help="To read (table), JSON, or for a build server (JUnit, SARIF)."),
    ] = "table",
    out: Annotated[
        Path | None, typer.Option("--output", "--out", "-o", help="Write to a file.", metavar="FILE")
    ] = None,
    repeat: Annotated[
        int, typer.Option("--repeat", min=1, max=10, help="Look at each check so often; two looks must agree.")
    ] = 1,
    driver: Annotated[
        Driver | None,
        typer.Option("--driver", help="Act as a browser by plain HTTP, or with scripts by the system's Chromium."),
    ] = None,
    write_env: Annotated[
        Path | None,
        typer.Option(
            "--write-env",
            help="Write what your product has to know, as variables, or as JSON (FILE.json), and stop.",
            metavar="FILE",
        ),
    ] = None,
    wait_for_app: Annotated[
        int,
        typer.Option(
            "--wait-for-app",
            min=0,
            max=3_600,
            help="Wait so many seconds until your product answers.",
            metavar="SECONDS",
        ),
    ] = 0,
    target: Annotated[
        str | None,
        typer.Option("--target", help="One origin beside this machine that may be asked.", metavar="ORIGIN"),
    ] = None,
    own: Annotated[bool, typer.Option("--i-own-this", help="The target is yours, and holds no real data.")] = False,
    keep: Annotated[
        bool, typer.Option("--save/--no-save", help="Keep what was seen as an observation of the product.")
    ] = True,
    explain: Annotated[
        str | None, typer.Option("--explain", help="Show one check as a sequence, like RH-C06.", metavar="ID")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the checks and stop.")] = False,
    folder: WorkspaceOption = None,
) -> None:
    """Let simulated hospitals launch your own running product: politely first, then not; and see what it does.

    Exit 1 if something broke, 3 if the product is not there or a polite launch did not show its patient.
    """
    if explain is not None:
        _one_of_two(output)
        emit_json(rehearsal_check(explain)) if output == "json" else _explain(rehearsal_check(explain))
        return
    if list_:
        _one_of_two(output)
        emit_json(catalogue()) if output == "json" else _list(catalogue())
        return
    workspace = open_workspace(folder)
    if write_env is not None:
        number = write_registration(product_of(workspace), write_env)
        say(f"{write_env}: {words.count(number, 'value')} for your product to load. Then start it, and run:")
        say("  interlock rehearse")
        return
    if out is not None and output == "table":
        raise InterlockError("a table is for reading", remedy="choose another --format for --output")
    product = product_of(workspace)
    say(f"Your product: {product.launch_url}")
    if product.start is not None:
        say(f"Started by: {product.start.told}")
    for command in product.commands[1 if product.start is not None else 0 :]:
        say(f"Runs: {command}")
    observation = rehearse_product(
        workspace,
        orgs=org or (),
        only=only or (),
        permission=Permission(target, own),
        repeat=repeat,
        save=keep and not only and not org,
        wait=wait_for_app,
        on_open=_by_hand if product.registration == "manual" else None,
        driver=driver,
        on_note=say,
        on_result=_told,
    )
    if observation.app.commit:
        at = f"Rehearsed at commit {observation.app.commit[:12]}"
        say(f"{at}; whether files were changed since that commit was not looked at.")
    if output == "table":
        _show(observation, {rule.id: _effort(rule) for rule in load_content(workspace).ruleset.rules})
    else:
        text = {"json": _as_json, "junit": to_junit, "sarif": to_sarif}[output](observation)
        save(out, text) if out is not None else emit(text)
    say(f"{summary(observation)}.")
    if any(row.requests for row in observation.broken):
        kept = keep and not only and not org
        where = "the newest file in observations/product" if kept else "what --format json gives"
        say(f"Requests were recorded with their numbers: see “tape” in {where}.")
    if keep and (only or org):
        say("Not kept as an observation of the product, because not everything was looked at.")
    require_held(observation)


def _by_hand(rows: Sequence[tuple[str, str, str]]) -> None:
    """Show what somebody has to enter in the product, and wait for them where there is somebody."""
    say("Register these simulated hospitals in your product. They stand now, and have the same values the next time:")
    for org, name, value in rows:
        say(f"  {org}, {name.replace('_', ' ')}: {value}")
    if sys.stdin is not None and sys.stdin.isatty():
        say("Press Enter when your product knows them.")
        sys.stdin.readline()


def _one_of_two(output: str) -> None:
    if output not in ("table", "json"):
        raise InterlockError("the checks themselves are told as a table or as JSON", remedy="use --format json")


def _as_json(observation: ProductObservation) -> str:
    return to_json(observation.model_dump(mode="json") | {"hooks": observation.hooks})


def _effort(rule: object) -> str:
    effort = rule.remediation.effort  # type: ignore[attr-defined]  # a rule
    return f"{words.number(effort.low)} to {words.person_days(effort.high)}"


def _told(result: RehearsalResult) -> None:
    """One row, as soon as it is known; what held is not told one by one."""
    if result.outcome is RehearsalOutcome.BROKE:
        say(f"  {_glyph(result)} {result.id} {_where(result)}{result.seen}")


def _glyph(result: RehearsalResult) -> str:
    return words.REHEARSAL[result.outcome].glyph


def _where(result: RehearsalResult) -> str:
    where = ", ".join(part for part in (result.organization, result.subject) if part)
    return f"({plain(where, 120)}) " if where else ""


def _show(observation: ProductObservation, efforts: dict[str, str]) -> None:
    """What broke, worst first and whole; then everything that neither held nor broke, in one line each."""
    checks = {check.id: check for check in catalogue()}
    if observation.broken:
        who = words.listed([f"{name} is {org}" for name, org in zip("AB", observation.organizations, strict=False)])
        legend = f"{who} of product.yaml; X is a server that your app was never told of."
        emit("\n".join([*wrapped(f"{legend} A marker text is a word of one record that stands nowhere else."), ""]))
    for name in dict.fromkeys(result.id for result in observation.broken):
        check = checks[name]
        rows = [result for result in observation.broken if result.id == name]
        lines = [f"✗ {check.id} {check.title} ({words.SEVERITY[check.severity].phrase})"]
        lines += wrapped(f"What we did: {check.does}", "  ")
        for row in rows:
            lines += wrapped(f"What your app did: {_where(row)}{row.seen}{_numbers(row)}", "  ")
        lines += wrapped(f"What is right: {check.good}", "  ")
        if check.references:
            lines += wrapped(f"Source: {check.references[0].title}, {check.references[0].url}", "  ")
        if check.judgement:
            lines += wrapped("A judgement of Interlock: no public source asks for it in these words.", "  ")
        known = [f"{rule} ({efforts[rule]})" for rule in check.rules if rule in efforts]
        if known:
            first = next(rule for rule in check.rules if rule in efforts)
            about = f"Interlock's rules for it, with the usual effort to close them (a judgement): {', '.join(known)}"
            lines += wrapped(f"{about}; to read one: interlock gaps --explain {first}", "  ")
        emit("\n".join([*lines, ""]))
    quiet = (RehearsalOutcome.HELD, RehearsalOutcome.BROKE)
    rest = [result for result in observation.results if result.outcome not in quiet and result.hook is None]
    if rest:
        show_table(
            [("Id", {"no_wrap": True}), "Outcome", "Why"],
            [
                (row.id, words.REHEARSAL[row.outcome].phrase, plain(f"{_where(row)}{row.seen}", 300))
                for row in rest[:60]
            ],
        )
    waiting = {(row.seen, row.id) for row in rest if "product.yaml" in row.seen}
    if waiting:
        say("To look at more:")
    for why, number in sorted(Counter(why for why, _ in waiting).items()):
        say(f"  {words.count(number, 'check')}: {why}")
    if observation.hooks:
        say(words.sentence(words.hooks(observation.hooks)))
    if observation.layout == "addresses":
        say("Each simulated hospital had an address of its own.")
    else:
        say("The simulated hospitals had ports of one address, so cookies of theirs and yours may have met.")
    if observation.app.deaths:
        say(f"Your product ended by itself {words.count(observation.app.deaths, 'time')} and was started again.")
    if observation.stopped:
        say(observation.stopped)


def _numbers(row: RehearsalResult) -> str:
    numbers = words.listed(list(map(str, row.requests)), 6)
    many = "requests" if len(row.requests) > 1 else "request"
    return f" (recorded as {many} {numbers})" if row.requests else ""


def _list(checks: tuple[RehearsalCheck, ...]) -> None:
    show_table(
        [("Id", {"no_wrap": True}), ("Severity", {"no_wrap": True}), "Looks at", "Title", "Driver"],
        [
            (
                check.id,
                words.SEVERITY[check.severity].phrase,
                words.REHEARSAL_FAMILY[check.family].phrase,
                check.title,
                "chromium" if needs_scripts(check) else "any",
            )
            for check in checks
        ],
    )


def _explain(check: RehearsalCheck) -> None:
    needs = words.listed([words.REHEARSAL_MEANS[means] for means in check.how], last="or")
    facts = [("Severity", words.SEVERITY[check.severity].phrase), ("Needs", needs)]
    facts += [("Driver", "chromium")] if needs_scripts(check) else []
    lines = [f"{check.id} {check.title}", "", *(f"{label:<9}{value}" for label, value in facts), ""]
    for label, text in (("What we do", check.does), ("What a good app does", check.good)):
        lines += wrapped(f"{label}: {text}")
    if check.steps:
        lines += ["", *(line for number, step in enumerate(check.steps, 1) for line in wrapped(step, f"{number:>2}. "))]
    if check.turns:
        lines += ["", "What it says something about:"]
        for question, _, option in (turned.partition("=") for turned in check.turns):
            lines.append(f"  {question}" + (f", “{option}”" if option else ""))
    if check.rules:
        lines += ["", f"Rules: {', '.join(check.rules)}"]
    if check.judgement:
        lines += ["", "No public source asks for it in these words: a judgement."]
    for reference in check.references:
        lines += ["", *wrapped(reference.title), reference.url]
    emit("\n".join(lines))
