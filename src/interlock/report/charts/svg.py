"""SVG as text: elements with every attribute and every text escaped, and the report's colours.

Colours are presentation attributes, which WeasyPrint needs (it does not apply the page's stylesheet to inline SVG);
the classes beside them let the stylesheet repaint the same shapes for dark screens. No ids, no styles, no scripts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

SANS = "'Source Sans 3', 'Helvetica Neue', Arial, sans-serif"

#: Ink and paper, then the meanings. Each also differs in shape, weight or pattern.
INK, SOFT, RULE, PAPER, WASH = "#17202b", "#55606d", "#c9cfd6", "#ffffff", "#f3f5f7"
BAD, WARN, GOOD, UNKNOWN = "#9b1c1c", "#9a5200", "#1c6b45", "#3b5b8c"
COLOURS = {"ink": INK, "soft": SOFT, "bad": BAD, "warn": WARN, "good": GOOD, "unknown": UNKNOWN}


#: Advance widths of Source Sans 3 regular, U+0020 to U+007E, in thousandths of an em (from the font's hmtx table).
_WIDTHS = (
    "200 289 426 497 497 824 609 249 303 303 418 497 249 311 249 350 497 497 497 497 497 497 497 497 497 497 249 249 "
    "497 497 497 425 847 543 588 571 615 527 494 617 652 263 479 579 486 727 647 664 566 664 569 534 536 645 515 786 "
    "513 476 539 303 350 303 497 500 542 504 553 456 555 496 292 504 544 246 247 495 255 829 547 542 555 555 347 419 "
    "338 544 467 719 446 467 425 303 241 303 497"
)


class _Advances(dict[str, float]):
    """Width of each character; of one that is not listed it is estimated."""

    def __missing__(self, char: str) -> float:
        return 1.0 if ord(char) > 0x2E7F else 0.62


_ADVANCE = _Advances({chr(32 + index): int(width) / 1000 for index, width in enumerate(_WIDTHS.split())})

Value = str | float | int


def element(tag: str, attributes: Mapping[str, Value], *children: str, text: str = "") -> str:
    """One element; ``children`` are markup already, ``text`` and attribute values are safe lines, escaped here."""
    parts = "".join(f' {key}="{escape(_shown(value))}"' for key, value in attributes.items())
    inner = escape(text) + "".join(children)
    return f"<{tag}{parts}>{inner}</{tag}>" if inner else f"<{tag}{parts}/>"


def _shown(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
    return str(value)


def picture(width: float, height: float, alt: str, children: Sequence[str], *, name: str) -> str:
    """The outer element: scales to its container, and says in words what it shows."""
    attributes: dict[str, Value] = {
        "xmlns": "http://www.w3.org/2000/svg",
        "class": f"chart {name}",
        "viewBox": f"0 0 {_shown(width)} {_shown(height)}",
        "width": width,
        "height": height,
        "role": "group" if any("<a " in child for child in children) else "img",  # a picture has nothing to press
        "aria-label": alt,
    }
    return element("svg", attributes, element("title", {}, text=alt), *children)


def label(
    x: float,
    y: float,
    content: str,
    *,
    size: float = 11,
    anchor: str = "start",
    weight: int = 400,
    tone: str = "ink",
) -> str:
    """A line of text with its baseline at ``y``; sizes are user units, 96 to the inch."""
    attributes: dict[str, Value] = {
        "x": x,
        "y": y,
        "class": f"t-{tone}",
        "fill": COLOURS[tone],
        "font-family": SANS,
        "font-size": size,
        "text-anchor": anchor,
    }
    if weight != 400:
        attributes["font-weight"] = weight
    return element("text", attributes, text=content)


def text_width(content: str, size: float, *, bold: bool = False) -> float:
    """Estimated width in user units: exact for ASCII in the shipped font, generous for everything else."""
    width = sum(map(_ADVANCE.__getitem__, content))
    return width * size * (1.04 if bold else 1.0)


def fit(content: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text, cut with an ellipsis to at most ``width`` user units: between words, unless one alone is wider."""
    if text_width(content, size, bold=bold) <= width:
        return content
    cut = content
    while cut and text_width(cut + "…", size, bold=bold) > width:
        cut = cut[:-1]
    if not content[len(cut)].isspace() and " " in cut.strip():
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,;:-") + "…"


def wrap(content: str, width: float, size: float, lines: int) -> tuple[str, ...]:
    """The text in at most ``lines`` lines of ``width`` user units; what does not fit ends in an ellipsis."""
    words = content.split()
    done: list[str] = []
    current = ""
    for index, word in enumerate(words):
        candidate = f"{current} {word}".strip()
        if text_width(candidate, size) <= width:
            current = candidate
        elif len(done) == lines - 1:
            return (*done, fit(" ".join(filter(None, [current, *words[index:]])), width, size))
        else:
            if current:
                done.append(current)
            current = word
    return tuple(fit(line, width, size) for line in (*done, current) if line)
