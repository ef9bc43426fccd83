"""Speed and memory of reports once everything is loaded, against the least that could be done for them."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from measuring import PEAK, Measured, best_of, of_children

if TYPE_CHECKING:
    from interlock.model.assessment import Assessment
    from interlock.usecases.load import Inputs
    from interlock.usecases.report import Format

#: The same page by WeasyPrint alone, tagged as ours is.
_BARE = """\
import gc, sys, weasyprint
gc.set_threshold(200_000, 20, 100)
weasyprint.HTML(sys.argv[1]).write_pdf(sys.argv[1] + ".bare.pdf", pdf_variant="pdf/ua-1")
"""
#: The same by ours.
_OURS = """\
import gc, sys
from pathlib import Path
gc.set_threshold(200_000, 20, 100)
from interlock.report import pdf
page = Path(sys.argv[1])
page.with_suffix(".ours.pdf").write_bytes(pdf.render(page.read_text()))
"""


def rows(workspaces: Mapping[int, Path]) -> Iterator[Measured]:
    """Every format but the PDF at 12 and 50 organisations, and the PDF at 4 and 50.

    :param workspaces: number of organisations → a workspace with so many.
    """
    from interlock.usecases.assess import assess
    from interlock.usecases.load import load_inputs
    from interlock.usecases.opening import open_workspace

    def loaded(organizations: int) -> tuple[Inputs, Assessment]:
        inputs = load_inputs(open_workspace(workspaces[organizations]))
        return inputs, assess(inputs, today=date.today())

    light: tuple[Format, ...] = ("md", "html", "json")
    for organizations, formats, limit, at_most in (
        (12, light, 42.0, 0.3),
        (50, (*light, "xlsx", "docx", "sarif"), 105.0, 3.0),
    ):
        yield written(*loaded(organizations), formats, f"{len(formats)} formats, {organizations} orgs", limit, at_most)
    yield from printed(*loaded(4), "PDF, 4 orgs")
    yield from printed(*loaded(50), "PDF, 50 orgs", at_most=20.0, at_most_gb=0.4)


def written(
    inputs: Inputs, assessment: Assessment, formats: Sequence[Format], name: str, limit: float, at_most: float
) -> Measured:
    """Writing these formats of an assessment that is there, against its JSON as pydantic writes it.

    Garbage is looked for as seldom as in a command (``cli/main.py``): as Python does by itself, it took a quarter.
    """
    from interlock.usecases.report import write_report

    before = gc.get_threshold()
    gc.set_threshold(500_000, 20, 50)
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        seconds, base = best_of(
            3,
            lambda: write_report(assessment, inputs, Path(folder), formats),
            assessment.model_dump_json,
            clock=time.process_time,
        )
    gc.unfreeze()
    gc.set_threshold(*before)
    return Measured(name, seconds, "JSON by pydantic", base, limit, at_most)


def printed(
    inputs: Inputs, assessment: Assessment, name: str, *, at_most: float | None = None, at_most_gb: float | None = None
) -> Iterator[Measured]:
    """The PDF of a report's page against bare WeasyPrint on the same page: processor seconds, then gigabytes."""
    from interlock.report import html
    from interlock.usecases.report import PDF_SECTIONS, report_view

    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        view = report_view(assessment, inputs, date.today().isoformat(), PDF_SECTIONS, brief=True)
        page.write_text(html.render(view, scripted=False))
        ours, bare = (_printing(program, page) for program in (_OURS, _BARE))
    yield Measured(name, ours.seconds, "bare WeasyPrint", bare.seconds, 1.25, at_most)
    yield Measured(f"{name}: peak (GB)", ours.gigabytes, "bare WeasyPrint (GB)", bare.gigabytes, 1.25, at_most_gb)


class _Printed(NamedTuple):
    seconds: float
    gigabytes: float


def _printing(program: str, page: Path) -> _Printed:
    """The best of two runs of a program that prints the page, and its peak memory."""
    seconds, peak = float("inf"), 0.0
    for _ in range(2):
        before = of_children()
        told = subprocess.run([sys.executable, "-c", program + PEAK, str(page)], check=True, capture_output=True)
        seconds, peak = min(seconds, of_children() - before), float(told.stdout)
    return _Printed(seconds, peak / 1024)
