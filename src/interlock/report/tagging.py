"""What WeasyPrint's tag tree lacks for PDF/UA-1 (ISO 14289-1), added before the file is written.

WeasyPrint 70 links cells with their heads but gives heads no scope (7.5), puts the groups of a definition list and the
white space between list items into the list itself, which holds items and lists only (ISO 32000-1, 14.8.4.3.3).
"""

from __future__ import annotations

from typing import Any


def complete(pdf: Any) -> None:
    """Mend the tag tree of a PDF of pydyf, in place."""
    for element in [each for each in pdf.objects if _tag(each)]:
        if _tag(element) == "/TH":
            element["A"]["Scope"] = _scope(pdf, element)
        elif _tag(element) == "/L":
            _only_items(pdf, element)


def _tag(element: Any) -> str:
    """What a structure element is; empty for any other object."""
    return str(element["S"]) if isinstance(element, dict) and element.get("Type") == "/StructElem" else ""


def _at(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]


def _scope(pdf: Any, cell: Any) -> str:
    """Heads of columns stand in the table's head, or across all columns of a group of rows; others head their row."""
    rows = _at(pdf, _at(pdf, cell["P"])["P"])
    return "/Column" if _tag(rows) == "/THead" or "ColSpan" in cell["A"] else "/Row"


def _only_items(pdf: Any, items: Any) -> None:
    """A group of terms becomes a list within the list; white space goes to the end of the item before it."""
    kept: list[bytes] = []
    for reference in items["K"]:
        kid = _at(pdf, reference)
        if _tag(kid) == "/Div":
            kid["S"] = "/L"
        body = _last_body(pdf, kept[-1]) if _tag(kid) == "/Span" and kept else None
        if body is None:
            kept.append(reference)
        else:
            body["K"].append(reference)
            kid["P"] = body.reference
    items["K"][:] = kept


def _last_body(pdf: Any, reference: bytes) -> Any | None:
    """The body of the last item of a list, or of an item; none where that holds no body."""
    element = _at(pdf, reference)
    while _tag(element) in {"/L", "/LI"} and element["K"]:
        element = _at(pdf, element["K"][-1])
    return element if _tag(element) == "/LBody" else None
