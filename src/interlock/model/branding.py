"""How a team's reports look, as data: a picture, two colours, a line of text, a size of paper. Never code or styles."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, field_validator

from interlock.model.base import Model

#: Least contrast with white paper (WCAG 2.2: 1.4.3 for text, 1.4.11 for lines).
TEXT_CONTRAST, LINE_CONTRAST = 4.5, 3.0

Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class Colours(Model):
    """``heading`` colours headings, ``accent`` the lines under and beside them; both on white paper."""

    heading: Colour | None = None
    accent: Colour | None = None

    @field_validator("heading")
    @classmethod
    def _readable(cls, colour: str | None) -> str | None:
        return _contrasting(colour, TEXT_CONTRAST, "text")

    @field_validator("accent")
    @classmethod
    def _visible(cls, colour: str | None) -> str | None:
        return _contrasting(colour, LINE_CONTRAST, "a line")


class Branding(Model):
    """The look of a workspace's reports.

    :ivar logo: a PNG or JPEG file in the workspace, by its path from there.
    :ivar confidentiality: stands on the first page and at the foot of every page.
    :ivar language: a translation of the fixed words: a ``.po`` file in the workspace, by its path from there.
    """

    logo: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    colours: Colours = Colours()
    confidentiality: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\r\n]*$")] | None = None
    paper: Literal["a4", "letter"] = "a4"
    language: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\.po$")] | None = None

    @field_validator("logo")
    @classmethod
    def _in_the_workspace(cls, logo: str | None) -> str | None:
        if logo is None:
            return None
        if _leads_out(logo):
            raise ValueError("a logo is a file in the workspace: write its path from there, like branding/logo.png")
        if PurePosixPath(logo).suffix.lower() == ".svg":
            raise ValueError("a logo is a PNG or JPEG picture; SVG is not taken, because it may hold scripts and links")
        return logo

    @field_validator("language")
    @classmethod
    def _translation_in_the_workspace(cls, language: str | None) -> str | None:
        if language is not None and _leads_out(language):
            raise ValueError("a translation is a file in the workspace: write its path from there, like branding/de.po")
        return language


def _leads_out(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.is_absolute() or ".." in pure.parts or "\\" in path or ":" in path


def _contrasting(colour: str | None, least: float, used_for: str) -> str | None:
    if colour is not None and (contrast := contrast_with_white(colour)) < least:
        raise ValueError(
            f"a contrast of {contrast:.1f} to 1 with white paper is too little for {used_for}: it takes {least:g} to 1"
        )
    return colour


def contrast_with_white(colour: str) -> float:
    """The contrast ratio of ``#rrggbb`` with white, 1 to 21 (WCAG 2.2, relative luminance)."""
    red, green, blue = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
