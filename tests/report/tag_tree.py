"""Our own check of a PDF's tag tree, after PDF/UA-1 (ISO 14289-1:2014) and the rules that veraPDF makes of it.

https://docs.verapdf.org/validation/ has the profiles; clauses are those of ISO 14289-1.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pypdf

#: What an element may hold (clause 7.2 with ISO 32000-1, 14.8.4.3).
CHILDREN = {
    "/Table": {"/TR", "/THead", "/TBody", "/TFoot", "/Caption"},
    "/THead": {"/TR"},
    "/TBody": {"/TR"},
    "/TR": {"/TH", "/TD"},
    "/L": {"/L", "/LI", "/Caption"},
    "/LI": {"/Lbl", "/LBody"},
}
#: What an element may stand in.
PARENTS = {
    "/TR": {"/Table", "/THead", "/TBody", "/TFoot"},
    "/TH": {"/TR"},
    "/TD": {"/TR"},
    "/LI": {"/L"},
    "/LBody": {"/LI"},
    "/THead": {"/Table"},
    "/TBody": {"/Table"},
}


def problems(content: bytes) -> list[str]:
    """Everything that is wrong with the file, in words; empty when nothing is."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    root: Any = reader.trailer["/Root"]
    return [*_file(reader, root), *_tree(root["/StructTreeRoot"]), *_links(reader)]


def tags(content: bytes) -> list[str]:
    """Every element's tag, in reading order."""
    root: Any = pypdf.PdfReader(io.BytesIO(content)).trailer["/Root"]
    return [element["/S"] for element, _ in _elements(root["/StructTreeRoot"])]


def _file(reader: pypdf.PdfReader, root: Any) -> Iterator[str]:
    if not root.get("/Lang"):
        yield "the document has no language (7.2)"
    if not (root.get("/MarkInfo") or {}).get("/Marked"):
        yield "the document does not say that it is tagged (6.2)"
    if not (root.get("/ViewerPreferences") or {}).get("/DisplayDocTitle"):
        yield "a viewer is not told to show the title (7.1)"
    metadata = root["/Metadata"].get_object().get_data().decode()
    for wanted in ("pdfuaid:part", "dc:title"):
        if wanted not in metadata:
            yield f"the metadata has no {wanted} (5, 7.1)"
    for number, page in enumerate(reader.pages, start=1):
        if page.get("/Annots") and page.get("/Tabs") != "/S":
            yield f"page {number}: the order of its links is not that of its tags (7.18.3)"
        for name, font in (page["/Resources"].get("/Font") or {}).items():
            for inner in font.get_object().get("/DescendantFonts", [font]):
                described = inner.get_object().get("/FontDescriptor", {}).get_object()
                if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(described):
                    yield f"page {number}: the font {name} is not inside (7.21.4.1)"
            if "/ToUnicode" not in font.get_object():
                yield f"page {number}: the font {name} does not say its characters (7.21.7)"


def _kids(element: Any) -> list[Any]:
    kids = element.get("/K", [])
    return [kid.get_object() for kid in (kids if isinstance(kids, list) else [kids])]


def _elements(element: Any, parent: str = "") -> Iterator[tuple[Any, str]]:
    for kid in _kids(element):
        if isinstance(kid, dict) and "/S" in kid:
            yield kid, parent
            yield from _elements(kid, kid["/S"])


def _tree(root: Any) -> Iterator[str]:
    last = 0
    for element, parent in _elements(root):
        tag, attributes = element["/S"], element.get("/A") or {}
        below = {kid["/S"] for kid in _kids(element) if isinstance(kid, dict) and "/S" in kid}
        if wrong := below - CHILDREN.get(tag, below):
            yield f"{tag} holds {', '.join(sorted(wrong))} (7.2)"
        if parent not in PARENTS.get(tag, {parent}):
            yield f"{tag} stands in {parent} (7.2)"
        if tag == "/TH" and attributes.get("/Scope") not in {"/Row", "/Column", "/Both"}:
            yield "a table's head cell has no scope (7.5)"
        if tag == "/Figure" and not element.get("/Alt"):
            yield "a figure has no alternate text (7.3)"
        if tag == "/Figure" and "/BBox" not in attributes:
            yield "a figure does not say where it is (7.3)"
        if len(tag) == 3 and tag[1] == "H" and tag[2].isdigit():
            if int(tag[2]) > last + 1:
                yield f"a heading of level {tag[2]} follows one of level {last} (7.4.2)"
            last = int(tag[2])


def _links(reader: pypdf.PdfReader) -> Iterator[str]:
    """References inside the file lead to a place in it, and each link is in the tree and says where it leads."""
    places = set(reader.named_destinations)
    for number, page in enumerate(reader.pages, start=1):
        for annotation in (each.get_object() for each in page.get("/Annots", [])):
            if "/StructParent" not in annotation:
                yield f"page {number}: a link is not in the tree (7.18.1)"
            if not annotation.get("/Contents"):
                yield f"page {number}: a link does not say what it is (7.18.5)"
            place = annotation.get("/Dest") or (annotation.get("/A") or {}).get("/D")
            if isinstance(place, str) and place not in places:
                yield f"page {number}: a reference leads to {place}, which is nowhere"
