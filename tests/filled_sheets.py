"""Workbooks as organisations send them back: a written sheet with cells changed, saved by a program of its own."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

#: An XML cell that is put in as it is.
Raw = tuple[str]
Value = str | float | Raw


def parts(content: bytes) -> dict[str, bytes]:
    """A workbook's parts by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def filled(content: bytes, cells: Mapping[str, Value], sheet: str = "sheet2") -> bytes:
    """The workbook with these cells of the questions' sheet; text stands in the cell, as some programs write it."""
    files = parts(content)
    name = f"xl/worksheets/{sheet}.xml"
    xml = files[name].decode()
    for address, value in cells.items():
        if isinstance(value, tuple):
            new = f'<c r="{address}" {value[0]}'
        elif isinstance(value, str):
            text = re.sub(r"[\x00-\x08\x0b-\x1f]", lambda match: f"_x{ord(match[0]):04X}_", value)
            new = f'<c r="{address}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
        else:
            new = f'<c r="{address}"><v>{value}</v></c>'
        xml, count = re.subn(rf'<c r="{address}"(?: [^>/]*)?(?:/>|>.*?</c>)', lambda _, new=new: new, xml, count=1)
        assert count == 1, f"the sheet has no cell {address}"
    return zipped(files | {name: xml.encode()})


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
