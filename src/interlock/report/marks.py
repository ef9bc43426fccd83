"""The smallest parts of the view model: marks, links, citations, pictures, figures."""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Model

#: What a mark means; never carried by colour alone, every mark has a symbol and a label.
Tone = Literal["good", "bad", "warn", "unknown", "neutral"]


class Mark(Model):
    """A symbol with its meaning in words; ``detail`` is shown after the label."""

    symbol: str
    label: str
    tone: Tone
    detail: str = ""


class Pair(Model):
    """A term and its value, for definition lists."""

    term: str
    value: str


class Link(Model):
    """A label, and the anchor in this document that it leads to (empty: nowhere)."""

    label: str
    anchor: str = ""


class Cite(Model):
    """A numbered reference and the anchor of its entry."""

    number: int
    anchor: str


class Picture(Model):
    """A chart. ``wide`` pictures get a landscape page of their own in print."""

    svg: str
    alt: str
    caption: str
    wide: bool = False


class SectionTitle(Model):
    """One entry of the contents."""

    number: str
    title: str
    anchor: str
    children: tuple[Link, ...] = ()


class Figure(Model):
    """One key figure: the number, what it is, and how to read it."""

    value: str
    label: str
    note: str
