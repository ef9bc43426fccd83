"""Notes that a person wrote, as HTML: CommonMark by markdown-it-py, without raw HTML, pictures or a heading.

A note stands inside a table of the report, so it brings no heading, rule or table of its own: their characters stay
as they were written. A link leads to http, https or mailto; any other is shown as text. A note that is nested deeper
than anybody writes is shown as it was written, for the parser would leave out what lies deeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from interlock.report.safe import web_address

#: Lists and quotes within each other; markdown-it counts two levels for each list.
MAX_NESTING = 20
_LEFT_OUT = ("heading", "lheading", "hr", "reference", "image", "html_block", "html_inline")


def render(note: str) -> str:
    """A note as HTML that is safe to put inside an element; empty for an empty note.

    :param note: bounded and without control characters (:func:`interlock.report.safe.note`).
    """
    if not note:
        return ""
    parser = _parser()
    environment: dict[str, Any] = {}
    tokens = parser.parse(note, environment)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        return f"<p>{'<br>'.join(map(escape, note.splitlines()))}</p>"
    for token in tokens:
        token.info = ""  # the language of a fence would become a class
    return str(parser.renderer.render(tokens, parser.options, environment)).strip()


class _Notes(MarkdownIt):
    """The parser, which follows no link but to the web or to an address of mail."""

    def validateLink(self, url: str) -> bool:  # noqa: N802  # markdown-it's own name
        if web_address(url):
            return True
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return parts.scheme.lower() == "mailto" and "@" in parts.path and not parts.query


def _link_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, _: EnvType) -> str:
    tokens[index].attrs["rel"] = "noopener noreferrer"
    return renderer.renderToken(tokens, index, options, {})


@cache
def _parser() -> MarkdownIt:
    options = {"html": False, "breaks": True, "linkify": True, "maxNesting": MAX_NESTING}
    parser = _Notes("commonmark", options).enable("linkify").disable(_LEFT_OUT)
    # Only what is written as an address becomes one: not every word with a dot in it.
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})  # type: ignore[union-attr]  # it is installed
    parser.add_render_rule("link_open", _link_open)
    return parser
