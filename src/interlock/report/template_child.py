"""The process in which a reader's own template is rendered: bounded first, then given plain data.

``python -P -m interlock.report.template_child CPU_SECONDS MEMORY_BYTES OUTPUT_BYTES`` reads one job from stdin
(:mod:`interlock.report.templates` writes it), and writes the text to stdout. When it ends with 1, stderr says
what went wrong.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sys
import traceback
from typing import Any

from jinja2 import FunctionLoader, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.exceptions import SecurityError

from interlock.model.language import ENGLISH, using
from interlock.report.template_language import PlainDataEnvironment
from interlock.report.translation import Translation


def main() -> int:
    """Render one template; returns the exit code."""
    cpu_seconds, memory, output = (int(argument) for argument in sys.argv[1:])
    _bound(cpu_seconds, memory, output)
    job: dict[str, Any] = json.load(sys.stdin.buffer)
    sources: dict[str, list[str]] = job["templates"]

    def source(name: str) -> tuple[str, str, None] | None:
        return (sources[name][0], sources[name][1], None) if name in sources else None

    try:
        catalogue = base64.b64decode(job["catalogue"])
        language = Translation("", catalogue) if catalogue else ENGLISH
        environment = PlainDataEnvironment(FunctionLoader(source), autoescape=job["autoescape"])
        with using(language):
            for piece in environment.get_template(job["name"]).generate(**job["variables"]):
                sys.stdout.buffer.write(piece.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except Exception as error:  # whatever a template does wrong is told, not raised
        files = {file for _, file in sources.values()}
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
        file, line = (frames[-1].filename, frames[-1].lineno) if frames else (sources[job["name"]][1], None)
        if isinstance(error, TemplateSyntaxError):
            file, line = error.filename or file, error.lineno
        sys.stderr.write(json.dumps({"problem": _problem(error, output), "file": file, "line": line}))
        return 1
    return 0


def _problem(error: Exception, output: int) -> str:
    if isinstance(error, SecurityError):
        return f"not allowed in a template: {error}"
    if isinstance(error, TemplateNotFound):
        return f"there is no template {error.name!r} in this folder"
    if isinstance(error, TemplateError):
        return f"template mistake: {error.message}"
    if isinstance(error, MemoryError):
        return "the template needs more memory than a report may take"
    if isinstance(error, RecursionError):
        return "the template calls itself without an end"
    if isinstance(error, OSError):  # stdout is a file that cannot grow further
        return f"the template writes more than {output // 1_000_000} MB"
    return f"template mistake: {error}"


def _bound(cpu_seconds: int, memory: int, output: int) -> None:
    """Limits that the operating system keeps; where it has none (Windows) the parent's clock is the limit."""
    try:
        import resource
    except ImportError:
        return
    for limit, value in (
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_AS, memory),
    ):
        with contextlib.suppress(ValueError, OSError):  # a stricter limit that holds already
            resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # what stdout could not take must not be tried again on the way out
