"""``interlock contract``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.options import OnlyOrgOption, TableOrJson, WorkspaceOption
from interlock.cli.output import emit, emit_json, say, show_table
from interlock.model import words
from interlock.model.contract import ContractFit
from interlock.model.contract_parts import Client
from interlock.model.errors import NothingObservedError, ThresholdNotMetError
from interlock.usecases.contract import (
    export_contract,
    fits_of_client,
    lint_contract,
    require_contract,
    upgrade_contract,
)
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.opening import open_workspace

app = typer.Typer(help="Check the workflow contract, export skeletons from it.", no_args_is_help=True)


@app.command("check", short_help="Compare the contract with each server and each organisation's settings.")
def check(
    org: OnlyOrgOption = None,
    client: Annotated[
        str | None,
        typer.Option("--client", help="Only what this client needs, in its environment.", metavar="NAME"),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what is supported.")] = False,
    output: TableOrJson = "table",
    folder: WorkspaceOption = None,
) -> None:
    """Check the contract against what each organisation's server declared, and against its settings.

    Exit 1 if something required is missing, a setting has no value of its type, or the contract says nothing yet; 3 if
    no organisation was observed.
    """
    inputs = load_inputs(open_workspace(folder), org)
    require_contract(inputs)
    if inputs.unwritten is not None:
        raise ThresholdNotMetError(inputs.unwritten)
    every = inputs.fits.values() if client is None else fits_of_client(inputs, client)
    fits = [fit for fit in every if org in (None, fit.org)]
    if output == "json":
        emit_json(fits)
    else:
        rows: list[tuple[str, ...]] = [
            (
                fit.org,
                match.direction,
                f"{match.resource} " if match.resource and match.kind != "resource" else "",
                match.name,
                words.FIT[match.outcome].phrase,
                "; ".join(filter(None, (match.note, f"{' and '.join(match.modes)} only" if match.modes else ""))),
            )
            for fit in fits
            for match in fit.matches
            if fit.observed and (everything or match.outcome != "supported")
        ]
        rows += [
            (fit.org, "setting", "", match.name, words.SETTING[match.outcome].phrase, match.note or "")
            for fit in fits
            for match in fit.settings
            if everything or match.outcome not in {"own", "default"}
        ]
        if rows:
            show_table(["Organisation", "Side", "Resource", "Need", "State", "Note"], rows)
        for fit in fits:
            if not fit.observed:
                say(f"{fit.org}: not observed, so nothing is said about it")
                continue
            say(f"{fit.org}: {_counted(fit)}")
            for registered in _clients(inputs, fit.org) if client is None else ():
                say(f"  {registered.name} ({registered.mode}): {_counted(fit.of_mode(registered.mode))}")
    missing = sum(len(fit.names("missing")) for fit in fits)
    unset = sum(match.outcome in {"missing", "mistyped"} for fit in fits for match in fit.settings)
    named = {match.name for fit in fits for match in fit.matches if match.outcome == "not_fhir"}
    broken = []
    if named:
        names = words.count(len(named), "name")
        broken.append(f"{names} of the contract {words.agree(len(named), 'is', 'are')} not FHIR's")
    if missing:
        needs = words.count(missing, "required need")
        broken.append(f"{needs} of the contract {words.agree(missing, 'is', 'are')} not offered")
    if unset:
        broken.append(f"{words.count(unset, 'setting')} {words.agree(unset, 'has', 'have')} no value of the right type")
    if against := sum(match.outcome == "universal" for fit in fits for match in fit.settings):
        settings = words.count(against, "setting")
        broken.append(f"{settings} of the whole contract {words.agree(against, 'is', 'are')} set otherwise")
    if broken:
        raise ThresholdNotMetError(", and ".join(broken))
    if not any(fit.observed for fit in fits):
        raise NothingObservedError(
            "nothing was compared with what a server says",
            remedy=f"interlock probe {f'--org {org}' if org else '--all'}",
        )


def _counted(fit: ContractFit) -> str:
    """How many needs came out how, the optional ones apart."""

    def told(*, optional: bool) -> str:
        counts: Counter[str] = Counter(match.outcome for match in fit.matches if match.optional == optional)
        return ", ".join(f"{counts[name]} {word.phrase}" for name, word in words.FIT.items() if counts[name])

    besides = told(optional=True)
    return told(optional=False) + (f"; optional: {besides}" if besides else "")


def _clients(inputs: Inputs, org: str) -> Iterator[Client]:
    """Those of the organisation's environment."""
    environment = next((entry.environment for entry in inputs.organizations if entry.id == org), None)
    return (entry for entry in require_contract(inputs).clients if entry.environment == environment)


@app.command("lint")
def lint(
    path: Annotated[
        Path,
        typer.Argument(
            help="A contract.yaml, or the folder that holds it.", metavar="PATH", envvar="INTERLOCK_WORKSPACE"
        ),
    ] = Path(),
    output: TableOrJson = "table",
) -> None:
    """Name what is wrong in the contract by FHIR's own tables, and what it leaves undecided.

    Exit 1 if there is anything.
    """
    _, remarks = lint_contract(path)
    if output == "json":
        emit_json(remarks)
    else:
        file = path / "contract.yaml" if path.is_dir() else path
        for remark in remarks:
            emit(f"{file}:{remark.line}:{remark.column}: {remark.message}")
    wrong = sum(remark.wrong for remark in remarks)
    said = [words.count(wrong, "mistake")] if wrong else []
    if left := len(remarks) - wrong:
        said.append(f"{words.count(left, 'point')} {words.agree(left, 'is', 'are')} undecided")
    if said:
        raise ThresholdNotMetError(", and ".join(said))
    say("The contract leaves nothing undecided.")


@app.command("upgrade")
def upgrade(folder: WorkspaceOption = None) -> None:
    """Write contract.yaml in the newest schema; comments, order and quotes stay."""
    changed, remarks = upgrade_contract(open_workspace(folder))
    say("contract.yaml is of schema 2 now." if changed else "contract.yaml is of schema 2 already.")
    if remarks:
        say(
            f"interlock contract lint names {words.count(len(remarks), 'point')} that it leaves undecided or has wrong."
        )


@app.command("export", short_help="Write skeletons: statement, scopes, settings, sign-off.")
def export(
    directory: Annotated[
        Path, typer.Option("--output", "--out", "-o", help="Folder to write to.", metavar="DIR")
    ] = Path("contract"),
    force: Annotated[bool, typer.Option("--force", help="Replace files that were edited, too.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if something would be.")] = False,
    folder: WorkspaceOption = None,
) -> None:
    """Write the skeletons: statement, profiles, scopes, registration forms, settings, the page to sign and more.

    A file that was edited stays, and the new one stands beside it as NAME.new; what differs is shown.
    """
    workspace = open_workspace(folder)
    inputs, directory = load_inputs(workspace), workspace.output(directory)
    done = export_contract(inputs, directory, today=date.today(), force=force, check=check)
    for path, state, difference in done:
        if not check:
            emit(str(path))
        if state != "same" and (check or state not in {"new", "renewed"}):
            say(f"{path}: {words.GENERATED[state]}")
        for line in difference if check or state == "beside" else ():
            say(f"  {line}")
    if wrong := sum(remark.wrong for remark in lint_contract(workspace.root)[1]):
        mistakes = words.count(wrong, "mistake")
        say(f"The contract has {mistakes}, of which no document of FHIR is made: interlock contract lint")
    stale = sum(state in {"new", "renewed", "beside"} for _, state, _ in done)
    if check and stale:
        raise ThresholdNotMetError(f"{words.count(stale, 'file')} {words.agree(stale, 'is', 'are')} not up to date")
