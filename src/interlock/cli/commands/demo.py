"""``interlock demo``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer


def demo(
    directory: Annotated[
        Path, typer.Option("--output", "--out", "-o", help="Folder of the demo workspace.", metavar="DIR")
    ] = Path("demo"),
    template: Annotated[
        str, typer.Option("--template", "-t", help="The sample to use; sepsis and early have something to probe.")
    ] = "sepsis",
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over; what was entered into the demo is lost.")] = False,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Rehearse a small application too; two of its endpoints are broken.")
    ] = False,
) -> None:
    """Do the whole job on four simulated organisations: probe, score, plan, report."""
    from interlock.usecases.pdf import start_pdf_process

    with start_pdf_process(["pdf"]) as pdf_process:  # first: it loads its libraries meanwhile
        from datetime import date

        from interlock.cli.output import say
        from interlock.cli.probe_results import ProbeProgress
        from interlock.cli.summary import show_summary
        from interlock.usecases.demo import run_demo

        with closing(ProbeProgress()) as progress:

            def step(text: str) -> None:
                progress.close()
                say(text)

            result = run_demo(
                directory,
                today=date.today(),
                template=template,
                fresh=fresh,
                rehearse=rehearse,
                pdf_process=pdf_process,
                on_event=progress.on_event,
                on_step=step,
            )
    for name, error in result.skipped:
        say(f"No {name}: {error}")
    show_summary(result.assessment)
    say("Files")
    for path in (*result.reports, result.skeletons[0].parent if result.skeletons else result.workspace.root):
        say(f"  {path}")
    say(f"\nOpen the terminal UI on it: interlock assess {result.workspace.root}")
