"""A workspace's branding in a report: what the templates show of it, and the few lines of stylesheet that follow."""

from __future__ import annotations

from interlock.model.base import Model


class Brand(Model):
    """The look of one report, prepared: everything is text, a checked ``#rrggbb`` or a picture as ``data:``."""

    logo: str = ""
    confidentiality: str = ""
    heading: str = ""
    accent: str = ""
    paper: str = "a4"


def stylesheet(brand: Brand) -> str:
    """What comes after the report's own stylesheet; empty for a report without branding."""
    rules = []
    if brand.heading:
        rules.append(f"h1, h2, h3, h4, .verdict {{ color: {brand.heading}; }}")
    if brand.accent:
        rules.append(f"h2, .cover-verdict, .cover-facts {{ border-top-color: {brand.accent}; }}")
        rules.append(f"a {{ text-decoration-color: {brand.accent}; }}")
    parts = []
    if rules:  # dark screens keep the report's own colours, which are made for them
        parts += [f"@media {medium} {{ {' '.join(rules)} }}" for medium in ("print", _LIGHT)]
    if brand.paper == "letter":
        parts.append("@page { size: letter; } @page wide { size: letter landscape; }")
    return "".join(f"\n{part}" for part in parts)


_LIGHT = "screen and (prefers-color-scheme: light)"
