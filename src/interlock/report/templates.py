"""The template environment: shipped templates, optionally overridden file by file from another directory.

A workspace may come from a stranger, so overriding templates run in Jinja2's sandbox, and an undefined name is an
error instead of an empty string.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

from interlock.documents.resources import data_dir
from interlock.documents.text import plain
from interlock.model.errors import DocumentError, InterlockError, Place
from interlock.report.models import ReportView

#: An overriding stylesheet may be this large.
MAX_BYTES = 2_000_000


def environment(override: Path | None, *, autoescape: bool) -> SandboxedEnvironment:
    """A sandboxed environment that looks in ``override`` first and in the shipped templates after it."""
    directories = [str(directory) for directory in (override, data_dir("reports")) if directory is not None]
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(directories),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(templates: SandboxedEnvironment, name: str, view: ReportView, **extra: object) -> str:
    """Render one template.

    :raises InterlockError: the template is absent, has a mistake, or does what a template may not do.
    """
    try:
        return templates.get_template(name).render(view=view, **extra)
    except TemplateSyntaxError as error:
        place = Place(file=error.filename or name, line=error.lineno)
        raise DocumentError(f"template mistake: {plain(error.message)}", place=place) from error
    except TemplateNotFound as error:
        raise InterlockError(f"no template {plain(error.name)!r}", remedy="install interlock again") from error
    except SecurityError as error:
        raise DocumentError(f"not allowed in a template: {plain(error)}", place=Place(file=name)) from error
    except TemplateError as error:
        raise DocumentError(f"template mistake: {plain(error)}", place=Place(file=name)) from error


def read_text(override: Path | None, name: str) -> str:
    """A text file beside the templates, the overriding one first.

    :raises InterlockError: it is in neither directory, or cannot be read.
    """
    for directory in (override, data_dir("reports")):
        if directory is not None and (directory / name).is_file():
            try:
                if (directory / name).stat().st_size > MAX_BYTES:
                    raise DocumentError(f"larger than {MAX_BYTES:,} bytes", place=Place(file=str(directory / name)))
                return (directory / name).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise DocumentError("cannot be read", place=Place(file=str(directory / name))) from error
    raise InterlockError(f"no file {name!r} beside the report's templates", remedy="install interlock again")
