"""The report as a tagged PDF, by WeasyPrint, which is optional and imported only here."""

from __future__ import annotations

import gc
import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from interlock.documents.files import inside, read_bytes
from interlock.model.errors import InterlockError

#: A picture beside a template of one's own may be this large.
MAX_FILE_BYTES = 5_000_000
_LOGGERS = ("weasyprint", "weasyprint.progress", "fontTools", "fontTools.subset", "fontTools.ttLib")


def render(html: str, own: Path | None = None) -> bytes:
    """PDF/UA-1 tagged bytes of the HTML report; title and language come from the document.

    :param own: the folder of a template of one's own, which relative addresses start from. Only ``data:`` addresses and
        files that really lie in this folder are read; nothing is ever fetched from a network.
    :raises InterlockError: WeasyPrint or one of the native libraries it needs is not installed.
    """
    weasyprint, urls = _weasyprint()
    fetcher = _fetcher(urls, own)
    base = f"{own.resolve().as_uri()}/" if own else None
    with _quiet(), _seldom_collecting():
        document = weasyprint.HTML(string=html, base_url=base, url_fetcher=fetcher)
        written: bytes = document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=_identifier(html))
    return written


def _identifier(html: str) -> bytes:
    return hashlib.sha256(html.encode("utf-8")).hexdigest()[:32].encode("ascii")


def _weasyprint() -> tuple[Any, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import weasyprint
            from weasyprint import urls

            if not hasattr(urls, "URLFetcher"):
                raise ImportError("this WeasyPrint is too old")
    except ImportError as error:
        raise InterlockError(
            "PDF needs WeasyPrint, which is not installed", remedy="run: pip install 'interlock[pdf]'"
        ) from error
    except OSError as error:
        raise InterlockError(
            "PDF needs the Pango library, which WeasyPrint could not load",
            remedy="run: apt install libpango-1.0-0 libpangoft2-1.0-0 (or: brew install pango)",
        ) from error
    return weasyprint, urls


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


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Collect garbage seldom while the document is laid out, for its many small objects live until the end anyway.

    This saves a sixth of a PDF's processor time (10.8 s instead of 13.1 s for a whole report).
    """
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Neither WeasyPrint nor fontTools may write to the user's terminal."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.level, logger.propagate) for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for logger, (level, propagate) in zip(loggers, before, strict=True):
                logger.setLevel(level)
                logger.propagate = propagate
