"""Building a page of text for a given width: headings, wrapped paragraphs, fields and bullets with a hanging indent.

Every piece of text is made plain and is never read as markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual.content import Content

from interlock.model.text import paragraph, plain
from interlock.tui.styles import DIM, PRIMARY, Mark

Piece = str | Content | tuple[str, str]

_SPACES = re.compile(r"(^ +| {2,}| +$)")


def text(value: object, style: str = "", limit: int = 2000) -> Content:
    """One line of plain text in a style; nothing in it is markup."""
    return Content.styled(plain(value, limit), style)


def line(*pieces: Piece) -> Content:
    """Pieces side by side; strings are made plain."""
    return Content.assemble(*(_piece(piece) for piece in pieces))


def _piece(piece: Piece) -> Content:
    if isinstance(piece, Content):
        return piece
    value, style = piece if isinstance(piece, tuple) else (piece, "")
    # Spaces belong to the layout; `plain` would take the outer ones away and leave one of several.
    return Content.styled(
        "".join(part if part.isspace() else plain(part, 2000) for part in _SPACES.split(value) if part), style
    )


def mark(sign: Mark) -> Content:
    """Glyph and word together."""
    return Content.assemble((sign.glyph, sign.style), f" {sign.word}")


def fit(content: Content, width: int, *, right: bool = False) -> Content:
    """Exactly ``width`` cells: cut with an ellipsis, or filled up."""
    if width <= 0:
        return Content("")
    cut = content.truncate(width, ellipsis=True)
    missing = width - cut.cell_length
    return cut.pad_left(missing) if right else cut.pad_right(missing)


def hang(content: Content, width: int, first: Content | str = "", rest: int | None = None) -> list[Content]:
    """Wrap to ``width`` cells behind a lead; further lines are indented by ``rest`` cells, or by the lead's."""
    lead = Content(first) if isinstance(first, str) else first
    indent = lead.cell_length if rest is None else rest
    room = max(8, width - max(indent, lead.cell_length))
    lines = [entry.rstrip() for entry in content.wrap(room)] or [Content("")]
    return [Content.assemble(lead if index == 0 else " " * indent, entry) for index, entry in enumerate(lines)]


class Page:
    """Lines of a page of ``width`` cells, from top to bottom."""

    def __init__(self, width: int) -> None:
        self.width = max(20, width)
        self._lines: list[Content] = []

    def blank(self) -> Page:
        """An empty line, unless the page starts here or the last line is empty already."""
        if self._lines and self._lines[-1].plain.strip():
            self._lines.append(Content(""))
        return self

    def add(self, *lines: Content) -> Page:
        """Finished lines."""
        self._lines.extend(lines)
        return self

    def line(self, *pieces: Piece) -> Page:
        """One line, wrapped where it must be."""
        return self.add(*hang(line(*pieces), self.width))

    def heading(self, title: str, aside: str = "") -> Page:
        """A heading with room above it; ``aside`` stands quietly behind it."""
        self.blank()
        return self.add(line((plain(title), f"bold {PRIMARY}"), (f"  {plain(aside)}" if aside else "", DIM)))

    def para(self, value: object, style: str = "", indent: int = 0) -> Page:
        """A wrapped paragraph; its own line feeds stay."""
        for part in paragraph(value).splitlines():
            self.add(*hang(Content.styled(part, style), self.width, " " * indent))
        return self

    def bullet(self, lead: str | Content, *pieces: Piece, indent: int = 0) -> Page:
        """A line behind a mark, wrapped with a hanging indent."""
        head = Content.assemble(" " * indent, lead if isinstance(lead, Content) else Content(lead), " ")
        return self.add(*hang(line(*pieces), self.width, head))

    def field(self, label: str, value: object, *, style: str = "", label_width: int = 14) -> Page:
        """A label with its value beside it, the value wrapped in its own column."""
        head = fit(Content.styled(plain(label), DIM), label_width)
        content = value if isinstance(value, Content) else Content.styled(plain(value, 2000), style)
        return self.add(*hang(content, self.width, Content.assemble(head, " ")))

    def columns(self, rows: Sequence[Sequence[Content]], gap: int = 2) -> Page:
        """Rows with columns as wide as their widest cell; the last one takes what is left and wraps."""
        if not rows:
            return self
        widths = [max(row[index].cell_length for row in rows) for index in range(len(rows[0]) - 1)]
        for row in rows:
            lead = Content.assemble(
                *(Content.assemble(fit(cell, width), " " * gap) for cell, width in zip(row, widths, strict=False))
            )
            self.add(*hang(row[-1], self.width, lead))
        return self

    def content(self) -> Content:
        """Everything so far."""
        return Content("\n").join(self._lines)
