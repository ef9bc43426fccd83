"""The report as a tagged PDF, by WeasyPrint, which is optional and imported only here, in a process of its own.

Laying out a report keeps a core busy for seconds. In a process of its own it leaves the terminal UI responsive, loads
WeasyPrint while the assessment is still being computed, and a crash of a native library is an error message.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from interlock.documents.files import inside, read_bytes
from interlock.documents.processes import import_only_what_is_installed
from interlock.model.errors import InterlockError
from interlock.report import seal, tagging

#: A picture beside a template of one's own may be this large.
MAX_FILE_BYTES = 5_000_000
#: The day of a report in its page.
_CREATED = re.compile(r'<meta name="dcterms\.created" content="(\d{4}-\d\d-\d\d)[^"]*">')
#: What laying out one report may take; far beyond the largest, and an end to a page that has none.
CPU_SECONDS = 1_200
MEMORY_BYTES = 6_000_000_000


def render(html: str, own: Path | None = None, attached: Mapping[str, bytes] | None = None) -> bytes:
    """PDF/UA-1 tagged bytes of the HTML report; title, language and manifest come from the document.

    :param own: the folder of a template of one's own, which relative addresses start from. Only ``data:`` addresses and
        files that really lie in this folder are read; nothing is ever fetched from a network.
    :param attached: files that go along inside the PDF, by name. They carry the document's own date, else none of
        today: the same report has the same bytes.
    :raises InterlockError: WeasyPrint or one of the native libraries it needs is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weasyprint = _weasyprint()
        base = f"{own.resolve().as_uri()}/" if own else None
        document = weasyprint.HTML(string=html, base_url=base, url_fetcher=_fetcher(weasyprint.urls, own))
        identifier = hashlib.sha256(html.encode("utf-8")).hexdigest()[:32].encode("ascii")
        files = [_attachment(weasyprint, name, content, html) for name, content in (attached or {}).items()]
        written: bytes = document.write_pdf(
            pdf_variant="pdf/ua-1",
            pdf_identifier=identifier,
            attachments=files,
            finisher=_finisher(html),
        )
    return seal.finish_pdf(written)


def _finisher(html: str) -> Callable[[object, Any], None]:
    """What is done to a PDF before it is written: its tag tree is completed, its manifest goes into its metadata."""
    add_manifest = seal.add_to_pdf(html)

    def finish(document: object, written: Any) -> None:
        tagging.complete(written)
        add_manifest(document, written)

    return finish


def _attachment(weasyprint: Any, name: str, content: bytes, html: str) -> Any:
    created = _CREATED.search(html)
    day = datetime.fromisoformat(created[1]) if created else datetime(1980, 1, 1)  # a day, no moment
    told = "The whole report, with every answer, observation and source"
    return weasyprint.Attachment(
        file_obj=io.BytesIO(content), name=name, description=told, created=day, modified=day, relationship="Supplement"
    )


def _weasyprint() -> Any:
    try:
        import weasyprint
        from weasyprint.urls import URLFetcher  # noqa: F401  # an older one has none
    except ImportError as error:
        raise InterlockError(
            "PDF needs WeasyPrint, which is not installed", remedy="run: pip install 'interlock[pdf]'"
        ) from error
    except OSError as error:
        raise InterlockError(
            "PDF needs the Pango library, which WeasyPrint could not load",
            remedy="run: apt install libpango-1.0-0 libpangoft2-1.0-0 (or: brew install pango)",
        ) from error
    return weasyprint


def _fetcher(urls: Any, own: Path | None) -> Any:
    class LocalOnly(urls.URLFetcher):  # type: ignore[misc]  # WeasyPrint is not typed
        """Reads ``data:`` addresses and files in one folder; refuses everything else."""

        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
            parts = urlsplit(url)
            if parts.scheme == "data":
                return super().fetch(url, headers)
            if own is not None and parts.scheme == "file" and not parts.netloc:
                path = inside(own, Path(unquote(parts.path)))
                if path.is_file() and path.stat().st_size <= MAX_FILE_BYTES:
                    return urls.URLFetcherResponse(url, read_bytes(path, MAX_FILE_BYTES))
            raise ValueError("a report fetches nothing")

    return LocalOnly(allowed_protocols=("data", "file"), allow_redirects=False)


class PdfProcess:
    """A context manager; the process starts at once and ends with the context."""

    def __init__(self) -> None:
        import_only_what_is_installed()
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_prepare)
        self._warm: Future[None] = self._pool.submit(_load)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def submit(self, html: str, own: Path | None, attached: Mapping[str, bytes] | None = None) -> Callable[[], bytes]:
        """Start :func:`render`; calling what is returned waits for the bytes.

        :raises InterlockError: (the call) as the function does, and when the process ended unexpectedly.
        """
        job = self._pool.submit(render, html, own, attached)

        def result() -> bytes:
            try:
                return job.result()
            except BrokenProcessPool as error:
                raise InterlockError(
                    "the PDF library ended unexpectedly, or the report was too much for it",
                    remedy="choose fewer --sections, or the HTML report",
                ) from error

        return result


def _prepare() -> None:
    """Leave interrupts to the parent, bound the work, and keep the libraries' words off the user's terminal.

    Garbage is collected seldom, for the many small objects of a document live until its end anyway: this saves a sixth
    of a PDF's processor time (10.8 s instead of 13.1 s for a whole report).
    """
    gc.set_threshold(200_000, 20, 100)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on Windows; a stricter limit may hold already
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sink = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            os.dup2(sink, stream.fileno())


def _load() -> None:
    """Import WeasyPrint ahead of the first report; what is wrong with it is said when that is asked for."""
    with contextlib.suppress(Exception):
        render("<!doctype html><html lang='en'><title>x</title><p>x</p></html>")
