"""The report's templates, stylesheet and fonts: the shipped ones, or a reader's own out of one folder.

A workspace never brings any of them; a folder of one's own is named on the command line. Both kinds are given the same
plain data, so a copied shipped template works; one's own is rendered in a bounded process.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlock.documents.files import inside, read_bytes
from interlock.documents.resources import data_dir
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.language import current
from interlock.model.text import plain

if TYPE_CHECKING:
    from interlock.report.template_language import ShippedEnvironment

#: A template or stylesheet may be this large, and a folder may hold this many templates.
MAX_BYTES = 2_000_000
MAX_TEMPLATES = 100
#: What a folder of one's own may replace.
NAMES = ("report.html.j2", "report.md.j2", "report.css", "sections")
#: Seconds on the clock and of the processor, bytes of memory and of the text.
WALL_SECONDS = 60
CPU_SECONDS = 20
MEMORY_BYTES = 1_000_000_000
OUTPUT_BYTES = 50_000_000

_REMEDY = "simplify the template; the shipped ones are a beginning"


def render(name: str, variables: dict[str, Any], own: Path | None, *, autoescape: bool) -> str:
    """The text of a template: the shipped one, or the one of that name in the folder ``own``.

    :raises InterlockError: the template has a mistake, does what a template may not do, or exceeds a limit.
    """
    if own is not None and ((own / name).exists() or (own / "sections").exists()):
        return _render_apart(_sources(own), name, variables, autoescape=autoescape)
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
def _shipped(autoescape: bool) -> ShippedEnvironment:
    from interlock.report.template_language import ShippedEnvironment

    return ShippedEnvironment(data_dir("reports"), autoescape=autoescape)


def _sources(own: Path) -> dict[str, tuple[str, Path]]:
    """Every template by name with its file: the shipped ones, and over them those of the folder."""
    paths = sorted([*own.glob("*.j2"), *own.glob("sections/**/*.j2")])
    if len(paths) > MAX_TEMPLATES:
        raise DocumentError(f"more than {MAX_TEMPLATES} templates", location=Location(file=str(own)))
    shipped = data_dir("reports")
    names = [path.relative_to(shipped).as_posix() for path in shipped.rglob("*.j2")]
    names += [path.relative_to(own).as_posix() for path in paths]
    return {name: (read_text(own, name), own / name) for name in dict.fromkeys(names)}


def _render_apart(
    sources: Mapping[str, tuple[str, Path]], name: str, variables: Mapping[str, Any], *, autoescape: bool
) -> str:
    """The text of a reader's own template, in a process that is bounded in time, memory and output.

    :param sources: name → text and file of every template that there is.
    :param variables: plain data only: it goes to the other process as JSON.
    :raises DocumentError: the template has a mistake, does what it may not do, or exceeds a limit.
    """
    file = str(sources[name][1])
    job = {
        "templates": {key: (text, str(path)) for key, (text, path) in sources.items()},
        "name": name,
        "variables": variables,
        "autoescape": autoescape,
        "catalogue": base64.b64encode(current().catalogue).decode("ascii"),
    }
    limits = [str(limit) for limit in (CPU_SECONDS, MEMORY_BYTES, OUTPUT_BYTES)]
    # Nothing of the user's environment is needed there; -P and absolute paths: nothing is imported from where we are.
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if os.path.isabs(path))}  # noqa: PTH117
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(  # noqa: S603  # our own module
                [sys.executable, "-P", "-m", "interlock.report.template_child", *limits],
                input=json.dumps(job).encode(),
                stdout=output,
                stderr=subprocess.PIPE,
                timeout=WALL_SECONDS,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DocumentError(
                f"the template was stopped after {WALL_SECONDS} seconds", location=Location(file=file), remedy=_REMEDY
            ) from error
        if done.returncode:
            raise _failure(done, file)
        output.seek(0)
        return output.read().decode()


def _failure(done: subprocess.CompletedProcess[bytes], file: str) -> DocumentError:
    if done.returncode == 1:
        try:
            told = json.loads(done.stderr)
            location = Location(file=str(told["file"]), line=told["line"])
            return DocumentError(plain(told["problem"]), location=location, remedy=_REMEDY)
        except (ValueError, TypeError, KeyError):
            pass  # the process broke before it could say what is wrong
    out_of_time = done.returncode in {-getattr(signal, "SIGXCPU", 0), -getattr(signal, "SIGKILL", 0)}
    after = f"was stopped after {CPU_SECONDS} seconds of work" if out_of_time else "broke the process that renders it"
    return DocumentError(f"the template {after}", location=Location(file=file), remedy=_REMEDY)
