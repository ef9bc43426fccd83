"""The report's templates, stylesheet and fonts: the shipped ones, or a reader's own out of one folder.

A workspace never brings any of them; a folder of one's own is named on the command line. Both kinds are given the same
plain data, so a copied shipped template works; one's own is rendered in a bounded process.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from interlock.documents.files import inside, read_bytes
from interlock.documents.resources import data_dir
from interlock.model.errors import DocumentError, InterlockError, Location

if TYPE_CHECKING:
    from interlock.report.template_language import PlainDataEnvironment
    from interlock.report.view import ReportView

#: A template or stylesheet may be this large, and a folder may hold this many templates.
MAX_BYTES = 2_000_000
MAX_TEMPLATES = 50
#: What a folder of one's own may replace.
NAMES = ("report.html.j2", "report.md.j2", "report.css", "sections")


def plain_data(view: ReportView) -> dict[str, Any]:
    """The view as dictionaries, lists, strings and numbers: no object that a template could reach into."""
    plain: dict[str, Any] = to_jsonable_python(view)
    return plain


def render(name: str, variables: dict[str, Any], own: Path | None, *, autoescape: bool) -> str:
    """The text of a template: the shipped one, or the one of that name in the folder ``own``.

    :raises InterlockError: the template has a mistake, does what a template may not do, or exceeds a limit.
    """
    if own is not None and ((own / name).exists() or (own / "sections").exists()):
        from interlock.report import template_process

        return template_process.render(_sources(own), name, variables, autoescape=autoescape)
    return _shipped(autoescape).get_template(name).render(variables)


def find(own: Path | None, name: str) -> Path | None:
    """A file beside the templates: the one in the folder ``own``, else the shipped one, else none.

    :raises DocumentError: in ``own`` it is a link that leads out of that folder.
    """
    if own is not None and (own / name).exists():
        return inside(own, own / name)
    shipped = data_dir("reports") / name
    return shipped if shipped.is_file() else None


def read_text(own: Path | None, name: str) -> str:
    """A text file beside the templates.

    :raises InterlockError: it is nowhere, cannot be read, or is too large.
    """
    path = find(own, name)
    if path is None:
        raise InterlockError(f"no file {name!r} beside the report's templates", remedy="install interlock again")
    try:
        return read_bytes(path, MAX_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError("not UTF-8 text", location=Location(file=str(path)), remedy="save it as UTF-8") from error


def own_folder(folder: Path) -> Path:
    """A reader's folder as it really is, once it holds something to use.

    :raises DocumentError: it is no folder, or holds nothing that a report is made from.
    """
    if not folder.is_dir():
        raise DocumentError(
            "no such folder", location=Location(file=str(folder)), remedy="check the path after --templates"
        )
    if not any((folder / name).exists() for name in NAMES):
        raise DocumentError(
            f"this folder has none of {', '.join(NAMES)}",
            location=Location(file=str(folder)),
            remedy=f"copy what you want to change from {data_dir('reports')}",
        )
    return folder.resolve()


@cache
def _shipped(autoescape: bool) -> PlainDataEnvironment:
    from jinja2 import FileSystemLoader

    from interlock.report.template_language import PlainDataEnvironment

    return PlainDataEnvironment(FileSystemLoader(data_dir("reports")), autoescape=autoescape)


def _sources(own: Path) -> dict[str, tuple[str, Path]]:
    """Every template by name with its file: the shipped ones, and over them those of the folder."""
    paths = sorted([*own.glob("*.j2"), *own.glob("sections/*.j2")])
    if len(paths) > MAX_TEMPLATES:
        raise DocumentError(f"more than {MAX_TEMPLATES} templates", location=Location(file=str(own)))
    shipped = data_dir("reports")
    names = [path.relative_to(shipped).as_posix() for path in shipped.rglob("*.j2")]
    names += [path.relative_to(own).as_posix() for path in paths]
    return {name: (read_text(own, name), own / name) for name in dict.fromkeys(names)}
