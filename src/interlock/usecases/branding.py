"""Reading what a workspace's branding names: its logo, which must be a small picture inside the workspace."""

from __future__ import annotations

import base64
from pathlib import Path

from interlock.documents.files import read_bytes
from interlock.documents.yaml import load_yaml
from interlock.model.branding import Branding
from interlock.model.errors import DocumentError, Location
from interlock.report import safe
from interlock.report.elements import Brand
from interlock.workspace.store import SETTINGS_FILE

MAX_BYTES = 500_000
#: Pixels on a side: a small file may unpack to a picture that fills memory.
MAX_SIDE = 4_000
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def load_brand(branding: Branding, root: Path) -> Brand:
    """The look of a report of the workspace at ``root``.

    :raises DocumentError: the logo is missing, outside, too large or no such picture; says where it is named.
    """
    return Brand(
        logo=_logo(branding.logo, root) if branding.logo else "",
        confidentiality=safe.text(branding.confidentiality or "", 100),
        heading=branding.colours.heading or "",
        accent=branding.colours.accent or "",
        paper=branding.paper,
    )


def _logo(name: str, root: Path) -> str:
    try:
        content = read_bytes(root / name, MAX_BYTES, within=root)
        kind, sides = _picture(content)
    except DocumentError as error:
        raise DocumentError(
            f"the logo {name!r}: {error.message}",
            location=_location(root),
            remedy=f"name a PNG or JPEG picture in the workspace, at most {MAX_BYTES // 1000} kB",
        ) from error
    if max(sides) > MAX_SIDE or min(sides) < 1:
        raise DocumentError(
            f"the logo {name!r} has {sides[0]:,} × {sides[1]:,} pixels; at most {MAX_SIDE:,} on a side are taken",
            location=_location(root),
            remedy="make the picture smaller",
        )
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _location(root: Path) -> Location:
    return load_yaml(root / SETTINGS_FILE).location(("branding", "logo"))


def _picture(content: bytes) -> tuple[str, tuple[int, int]]:
    """Kind, width and height, by what the file says and not by its name."""
    if content.startswith(_PNG) and content[12:16] == b"IHDR":
        return "png", (int.from_bytes(content[16:20]), int.from_bytes(content[20:24]))
    if content.startswith(_JPEG):
        return "jpeg", _jpeg_sides(content)
    raise DocumentError("neither a PNG nor a JPEG picture")


def _jpeg_sides(content: bytes) -> tuple[int, int]:
    """Width and height from the frame header (ISO/IEC 10918-1, B.2.2: SOF0 to SOF15 without DHT, JPG, DAC)."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            return int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        at += 2 + length if marker != 0xFF else 1
    raise DocumentError("a JPEG picture that does not say how large it is")
