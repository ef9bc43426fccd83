"""Speed of whole commands, process start included, against bare programs in the same run.

Processor seconds: what a person waits for on an idle machine, whatever else runs on this one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import reports
from measuring import Measured, best_of, of_children

TYPER = """\
import typer
app = typer.Typer(rich_markup_mode=None)
@app.command()
def hello(name: str) -> None:
    print(name)
@app.command()
def bye(name: str) -> None:
    print(name)
app()
"""
#: What `score` and `report` cannot do without: a command line, models, a table, and the simulation's numbers.
LIBRARIES = "import typer, pydantic, rich.table, yaml"
#: What `contract export` cannot do without: the models of the two kinds of document that it writes.
VALIDATORS = f"{LIBRARIES}, fhir.resources.R4B.structuredefinition, fhir.resources.R4B.capabilitystatement"
#: Organisations, and the most seconds that `score` may take there.
SCORE = {4: 0.7, 50: 1.2, 200: 2.5}


def command(*arguments: str) -> Callable[[], object]:
    """A command as in a person's shell, where Python keeps what it compiled."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)


def help_text() -> Measured:
    """`interlock --help` against a bare Typer program with two commands: at most 2.5 times."""
    ours, base = best_of(15, command("-m", "interlock", "--help"), command("-c", TYPER, "--help"), clock=of_children)
    return Measured("interlock --help", ours, "bare Typer --help", base, 2.5)


def contract_lint() -> Measured:
    """What is wrong in the sample's contract, against reading it alone: the tables and every name of it."""
    from interlock.contract.fhir_names import (
        field_problem,
        profile_problem,
        search_name,
        state_problem,
        system_problem,
        type_problem,
    )
    from interlock.contract.load import load_contract, remarks
    from interlock.documents.resources import data_dir
    from interlock.fhir.tables import release, us_core

    path = data_dir("samples") / "templates" / "sepsis" / "contract.yaml"

    def anew() -> None:
        release.cache_clear()
        us_core.cache_clear()
        for known in (type_problem, field_problem, search_name, profile_problem, system_problem, state_problem):
            known.cache_clear()
        remarks(*load_contract(path))

    seconds, base = best_of(7, anew, lambda: load_contract(path), clock=time.process_time)
    return Measured("contract lint, nothing kept", seconds, "reading it", base, 14, 0.150)


def contract_export(sample: Path) -> Measured:
    """`contract export` of the observed sample into a new folder, against importing what validates it."""
    export = ("-m", "interlock", "contract", "export", "--workspace", str(sample), "--force", "-o", str(sample / "out"))
    ours, base = best_of(4, command(*export), command("-c", VALIDATORS), clock=of_children)
    return Measured("contract export, 4 orgs", ours, "importing validators", base, 5.0, 1.0)


def rows() -> Iterator[Measured]:
    """`score`, `next` and `report --format md` on the observed sample, and on workspaces of its organisations."""
    yield help_text()
    yield contract_lint()
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample"
        command("-m", "interlock", "init", str(sample), "--template", "sepsis")()
        command("-m", "interlock", "probe", "--all", "--workspace", str(sample))()
        yield contract_export(sample)
        for organizations, score_limit, report_limit in ((4, 6.5, 16.0), (50, 11.0, 32.0), (200, 22.0, 75.0)):
            workspace = repeated(sample, Path(folder) / str(organizations), organizations)
            score, asked, report, base = best_of(
                4,
                command("-m", "interlock", "score", "--workspace", str(workspace)),
                command("-m", "interlock", "next", "--workspace", str(workspace)),
                command("-m", "interlock", "report", "--format", "md", "--workspace", str(workspace)),
                command("-c", LIBRARIES),
                clock=of_children,
            )
            imports = "importing libraries"
            yield Measured(f"score, {organizations} orgs", score, imports, base, score_limit, SCORE[organizations])
            yield Measured(f"next, {organizations} orgs", asked, "score", score, 1.2)
            yield Measured(f"report md, {organizations} orgs", report, imports, base, report_limit)
        sizes = {number: repeated(sample, Path(folder) / f"of {number}", number) for number in (4, 12, 50)}
        yield from reports.rows(sizes)


def repeated(sample: Path, folder: Path, number: int) -> Path:
    """A workspace with this many organisations, each a copy of one of the sample's with what was observed of it."""
    shutil.copytree(sample, folder, ignore=lambda _, names: {"orgs"} & set(names))
    (folder / "orgs").mkdir()
    known = sorted((sample / "orgs").glob("*.yaml"))
    for index in range(number):
        source, org = known[index % len(known)], f"org-{index}"
        text = re.sub(r"(?m)^name: ", f"name: {index} ", source.read_text())
        (folder / "orgs" / f"{org}.yaml").write_text(re.sub(r"(?m)^id: .*$", f"id: {org}", text))
        shutil.copytree(sample / "observations" / source.stem, folder / "observations" / org)
        answers = sample / "responses" / source.name
        if answers.exists():
            shutil.copy(answers, folder / "responses" / f"{org}.yaml")
    return folder
