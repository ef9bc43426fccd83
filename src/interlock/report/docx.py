"""The report as a Word document, where hospitals comment: made of the Markdown report, so that no word differs.

What Markdown says as headings, lists and tables is that in Word: styles by their names, head rows that repeat on each
page, links that lead to their place. In the place of the graph's picture stands who waits for whom. The same report
gives the same bytes. python-docx is an extra, imported when used.
"""

from __future__ import annotations

import base64
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from interlock.model.errors import InterlockError
from interlock.model.language import _
from interlock.report import markdown
from interlock.report.view import ReportView

if TYPE_CHECKING:
    from docx.document import Document

_ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
#: Paper in twentieths of a point, upright: ISO 216 and ANSI/ASME Y14.1.
_PAPER = {"a4": (11906, 16838), "letter": (12240, 15840)}
_MARGIN = 1134  # 20 mm
_INK, _SOFT = "17202B", "55606D"
#: The oldest time that a zip can hold, as reproducible builds write it.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def render(view: ReportView, *, day: str, version: str) -> bytes:
    """The whole document.

    :param day: ISO 8601, the day on which the document counts as made.
    :param version: Interlock's.
    :raises InterlockError: python-docx is not installed.
    """
    try:
        import docx
    except ImportError as error:
        raise InterlockError(
            "Word documents need python-docx, which is not installed", remedy="run: pip install 'interlock[docx]'"
        ) from error
    document = docx.Document()
    _set_up(document, view, day, version)
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown.render(view))
    arrows = next((section["content"]["arrows"] for section in view.sections if section["id"] == "graph"), ())
    _Writer(document, arrows).write(tokens)
    saved = io.BytesIO()
    document.save(saved)
    return _without_times(saved.getvalue())


def _set_up(document: Document, view: ReportView, day: str, version: str) -> None:
    """Title, day and language of the document, its styles and paper, its logo, and what stands at head and foot."""
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor, Twips

    moment = datetime.fromisoformat(day[:10]).replace(tzinfo=UTC)
    core = document.core_properties
    core.title, core.author, core.last_modified_by = view.title, f"Interlock {version}", f"Interlock {version}"
    core.subject, core.comments, core.language, core.revision = _("Integration readiness report"), "", view.lang, 1
    core.created = core.modified = moment.replace(tzinfo=None)
    for name in ("Normal", *(f"Heading {level}" for level in range(1, 5)), "Title"):
        style: Any = document.styles[name]
        style.font.name = "Calibri"
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        style.font.color.rgb = RGBColor.from_string(_INK)
    normal: Any = document.styles["Normal"]
    normal.font.size, normal.paragraph_format.space_after = Pt(10), Pt(4)
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), view.lang)
    section = document.sections[0]
    section.page_width, section.page_height = map(Twips, _PAPER[view.brand.paper])
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Twips(_MARGIN)
    if view.brand.confidentiality:
        section.header.paragraphs[0].text = view.brand.confidentiality
    foot = section.footer.paragraphs[0]
    foot.add_run(f"{view.cover['footer']} · {_('page')} ")
    foot._p.append(_made("w:fldSimple", {"w:instr": "PAGE"}, _run("1")))
    if view.brand.logo:
        picture = io.BytesIO(base64.b64decode(view.brand.logo.partition(",")[2]))
        shown: Any = document.add_picture(picture, height=Mm(18))._inline
        shown.docPr.set("descr", _("Logo: %(name)s", name=view.cover["name"]))


def _made(tag: str, attributes: dict[str, str] | None = None, *children: Any) -> Any:
    """An element of WordprocessingML; names have their prefixes."""
    element = _maker(tag)()
    for name, value in (attributes or {}).items():
        element.set(_full(name), value)
    element.extend(children)
    return element


@cache
def _maker(tag: str) -> Callable[[], Any]:
    """What makes elements of this name: a large report has 400,000 of them, and a few dozen names."""
    from docx.oxml.ns import NamespacePrefixedTag
    from docx.oxml.parser import oxml_parser

    name = NamespacePrefixedTag(tag)
    return partial(oxml_parser.makeelement, name.clark_name, nsmap=name.nsmap)


@cache
def _full(name: str) -> str:
    """An attribute's name with its namespace in the place of its prefix."""
    from docx.oxml.ns import qn

    return qn(name) if ":" in name else name


class _Writer:
    """Writes Markdown's tokens into a document."""

    def __init__(self, document: Document, arrows: Sequence[dict[str, Any]]) -> None:
        self._document, self._arrows = document, arrows
        self._body: Any = document.element.body
        self._end = self._body[-1]  # the section's properties stay last
        self._bookmarks: dict[str, str] = {}
        self._waiting: list[str] = []

    def write(self, tokens: Sequence[Token]) -> None:
        """Every block, in order."""
        lists: list[tuple[bool, int]] = []  # of each list that is open: whether it is numbered, and the last number
        style, number = "", ""
        rows: list[list[tuple[Token, list[Any]]]] = []
        cell = tokens[0]
        for token in tokens:
            match token.type:
                case "heading_open":
                    style = "Title" if token.tag == "h1" else f"Heading{int(token.tag[1]) - 1}"
                case "bullet_list_open" | "ordered_list_open":
                    lists.append((token.type.startswith("ordered"), 0))
                case "bullet_list_close" | "ordered_list_close":
                    lists.pop()
                case "list_item_open":
                    numbered, last = lists[-1]
                    lists[-1] = (numbered, last + 1)
                    deep = min(len(lists), 3)
                    style = "ListParagraph" if numbered else "ListBullet" + (str(deep) if deep > 1 else "")
                    number = f"{last + 1}. " if numbered else ""
                case "tr_open":
                    rows.append([])
                case "th_open" | "td_open":
                    cell = token
                case "table_close":
                    self._put(_table(rows))
                    self._put(_made("w:p"))  # two tables without a paragraph between them become one
                    rows = []
                case "inline" if rows:
                    rows[-1].append((cell, list(self._inline(token))))
                case "inline":
                    runs = [*([_run(number)] if number else []), *self._inline(token)]
                    self._put(_paragraph(style, runs))
                    style, number = "", ""
                case "fence":
                    self._graph()
                case "html_block":
                    self._waiting += _ANCHOR.findall(token.content)

    def _put(self, element: Any) -> None:
        self._end.addprevious(element)

    def _inline(self, token: Token) -> Iterator[Any]:
        """Runs, links and marks of one line of text."""
        for anchor in self._waiting:
            yield from self._mark(anchor)
        self._waiting = []
        bold = italic = 0
        link: Any = None
        for part in token.children or ():
            made: Any = None
            match part.type:
                case "text" | "code_inline" | "text_special" if part.content:
                    code = part.type == "code_inline"
                    made = _run(part.content, bold=bold > 0, italic=italic > 0, mono=code, link=link is not None)
                case "softbreak" | "hardbreak":
                    made = _run(" ")
                case "strong_open" | "strong_close":
                    bold += part.nesting
                case "em_open" | "em_close":
                    italic += part.nesting
                case "link_open":
                    link = self._link(str(part.attrs["href"]))
                case "link_close":
                    yield link
                    link = None
                case "html_inline" if found := _ANCHOR.match(part.content + "</a>"):
                    yield from self._mark(found[1])
            if made is not None and link is not None:
                link.append(made)
            elif made is not None:
                yield made

    def _name(self, anchor: str) -> str:
        """The bookmark of an anchor: Word's names are short."""
        return self._bookmarks.setdefault(anchor, f"place{len(self._bookmarks) + 1}")

    def _mark(self, anchor: str) -> tuple[Any, Any]:
        name = self._name(anchor)
        number = name.removeprefix("place")
        return (
            _made("w:bookmarkStart", {"w:id": number, "w:name": name}),
            _made("w:bookmarkEnd", {"w:id": number}),
        )

    def _link(self, address: str) -> Any:
        if address.startswith("#"):
            return _made("w:hyperlink", {"w:anchor": self._name(address[1:]), "w:history": "1"})
        kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
        return _made("w:hyperlink", {"r:id": self._document.part.relate_to(address, kind, is_external=True)})

    def _graph(self) -> None:
        """Who waits for whom, in words: Word shows no picture that is drawn by a program."""
        if not self._arrows:
            return
        head, cell = Token("th_open", "th", 1), Token("td_open", "td", 1)
        rows = [[(head, [_run("First")]), (head, [_run("Then can begin")])]]
        rows += [[(cell, [_run(arrow["first"])]), (cell, [_run("; ".join(arrow["then"]))])] for arrow in self._arrows]
        self._put(_table(rows))
        self._put(_made("w:p"))


def _run(text: str, *, bold: bool = False, italic: bool = False, mono: bool = False, link: bool = False) -> Any:
    properties = _made("w:rPr")
    if mono:
        properties.append(_made("w:rFonts", {"w:ascii": "Consolas", "w:hAnsi": "Consolas"}))
    if bold:
        properties.append(_made("w:b"))
    if italic:
        properties.append(_made("w:i"))
    if link:
        properties.append(_made("w:u", {"w:val": "single", "w:color": _SOFT}))
    text_element = _made("w:t", {"xml:space": "preserve"})
    text_element.text = text
    return _made("w:r", {}, *([properties] if len(properties) else []), text_element)


def _paragraph(style: str, runs: Sequence[Any], *, right: bool = False, small: bool = False) -> Any:
    properties = _made("w:pPr")
    if style:
        properties.append(_made("w:pStyle", {"w:val": style}))
    if small:
        properties.append(_made("w:spacing", {"w:after": "0"}))
    if right:
        properties.append(_made("w:jc", {"w:val": "right"}))
    return _made("w:p", {}, *([properties] if len(properties) else []), *runs)


def _table(rows: Sequence[Sequence[tuple[Token, Sequence[Any]]]]) -> Any:
    """A table as wide as the page, whose head stands on each page; a head without words is none."""
    head, *rest = rows
    kept = rows if any(runs for _, runs in head) else rest
    borders = [
        _made(f"w:{side}", {"w:val": "single", "w:sz": "4", "w:space": "0", "w:color": "C9CFD6"})
        for side in ("top", "bottom", "insideH")
    ]
    properties = _made(
        "w:tblPr", {}, _made("w:tblW", {"w:w": "5000", "w:type": "pct"}), _made("w:tblBorders", {}, *borders),
        _made("w:tblLayout", {"w:type": "autofit"}),
        _made("w:tblLook", {"w:val": "0020" if kept is rows else "0000", "w:firstRow": str(int(kept is rows))}),
    )  # fmt: skip
    grid = _made("w:tblGrid", {}, *(_made("w:gridCol") for _ in head))
    return _made("w:tbl", {}, properties, grid, *map(_row, kept))


def _row(cells: Sequence[tuple[Token, Sequence[Any]]]) -> Any:
    first = cells[0][0].type == "th_open"
    marks = [_made("w:cantSplit"), *([_made("w:tblHeader")] if first else [])]
    made = []
    for token, runs in cells:
        right = "right" in str(token.attrs.get("style", ""))
        for run in (each for part in runs for each in part.iter("{*}r")):
            _small(run, bold=first)
        made.append(_made("w:tc", {}, _made("w:tcPr"), _paragraph("", runs, right=right, small=True)))
    return _made("w:tr", {}, _made("w:trPr", {}, *marks), *made)


def _small(run: Any, *, bold: bool) -> None:
    """A run of a table: smaller, and bold in its head."""
    properties = run.get_or_add_rPr()
    if bold and properties.find("{*}b") is None:
        properties.insert(int(properties.find("{*}rFonts") is not None), _made("w:b"))
    if properties.find("{*}sz") is None:
        at = next((i for i, child in enumerate(properties) if child.tag.endswith("}u")), len(properties))
        properties.insert(at, _made("w:sz", {"w:val": "17"}))


def _without_times(content: bytes) -> bytes:
    """The same package with one time for all of its files."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            new.writestr(entry, old.read(name))
    return made.getvalue()
