"""Starting the PDF's process early: it loads its libraries while other work goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from interlock.report.pdf import PdfProcess

__all__ = ["PdfProcess", "start_pdf_process"]


def start_pdf_process(formats: Sequence[str]) -> contextlib.AbstractContextManager[PdfProcess | None]:
    """A process that renders PDFs; nothing when ``formats`` asks for none."""
    return PdfProcess() if "pdf" in formats else contextlib.nullcontext()
