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
from functools import partial
from typing import TYPE_CHECKING, Any
from xml.sax import saxutils

from markdown_it import MarkdownIt

from interlock.documents.markdown import escape
from interlock.model.errors import InterlockError
from interlock.model.language import _
from interlock.report import markdown
from interlock.report.view import ReportView

if TYPE_CHECKING:
    from docx.document import Document

_ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
#: A link within the document, and the label of one that stands in brackets beside what it is about.
_INNER, _BESIDE = re.compile(r" ?\[((?:\\.|[^\]\\])+)\]\(#([^)]+)\)"), "\\["
_HEADING = re.compile(r"(#{1,4}) (.+)")
#: What means something within a line of CommonMark, with the extensions that we turn on: none.
_MARKED = re.compile(r"[\\`*_\[\]!<&\n\0]")
_ITEM = re.compile(r"( *)(?:- |(\d+\. ))(.+)")
_BAR = re.compile(r"(?<!\\)\|")
#: Paper in twentieths of a point, upright: ISO 216 and ANSI/ASME Y14.1.
_PAPER = {"a4": (11906, 16838), "letter": (12240, 15840)}
_MARGIN = 1134  # 20 mm
_INK, _SOFT = "17202B", "55606D"
_TABLE = (
    '<w:tblW w:w="5000" w:type="pct"/><w:tblBorders>'
    + "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="C9CFD6"/>' for side in ("top", "bottom", "insideH")
    )
    + '</w:tblBorders><w:tblLayout w:type="autofit"/>'
)
_HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
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
    arrows = next((section["content"]["arrows"] for section in view.sections if section["id"] == "graph"), ())
    related = partial(document.part.relate_to, reltype=_HYPERLINK, is_external=True)
    body = "".join(_Writer(arrows, related).write(_led(markdown.render(view))))
    saved = io.BytesIO()
    document.save(saved)
    return _finished(saved.getvalue(), body)


def _led(text: str) -> str:
    """Markdown without its links to what the document leaves out: words stay, a link beside them goes."""
    anchors = set(_ANCHOR.findall(text))

    def kept(link: re.Match[str]) -> str:
        if link[2] in anchors:
            return link[0]
        return "" if link[1].startswith(_BESIDE) else link[0][: link[0].index("[")] + link[1]

    return _INNER.sub(kept, text)


def _set_up(document: Document, view: ReportView, day: str, version: str) -> None:
    """Title, day and language of the document, its styles and paper, its logo, and what stands at head and foot."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls, qn
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
    foot._p.append(parse_xml(f'<w:fldSimple {nsdecls("w")} w:instr="PAGE">{_run("1")}</w:fldSimple>'))
    if view.brand.logo:
        picture = io.BytesIO(base64.b64decode(view.brand.logo.partition(",")[2]))
        shown: Any = document.add_picture(picture, height=Mm(18))._inline
        shown.docPr.set("descr", _("Logo: %(name)s", name=view.cover["name"]))


class _Writer:
    """Writes the Markdown report as WordprocessingML, in text: a large one has 350,000 elements of a few kinds.

    Its blocks begin as the templates write them, each on its own line; what is within a line is markdown-it's to read,
    once for all cells that say the same.

    :param outside: the id of the document's relation to an address.
    """

    def __init__(self, arrows: Sequence[dict[str, Any]], outside: Callable[[str], str]) -> None:
        self._arrows, self._outside = arrows, outside
        self._markdown = MarkdownIt("commonmark", {"html": True})
        self._read: dict[tuple[str, bool, bool], str] = {}
        self._bookmarks: dict[str, str] = {}
        self._waiting = ""  # bookmarks of what comes next

    def write(self, text: str) -> Iterator[str]:
        """Every block, in order."""
        style = number = ""
        said: list[str] = []  # lines of the paragraph that is open
        rows: list[str] = []  # of the table that is open
        fenced = False
        for line in [*text.split("\n"), ""]:
            heading, item = _HEADING.match(line), _ITEM.match(line)
            anchor, bar, fence = _ANCHOR.fullmatch(line), line.startswith("|"), line.startswith("```")
            if said and (heading or item or anchor or bar or fence or not line):
                yield self._paragraph(style, number, "\n".join(said).rstrip())
                style, number, said = "", "", []
            if rows and not bar:
                yield self._table([_BAR.split(row)[1:-1] for row in rows])
                rows = []
            if fence:
                fenced = not fenced
                yield self._graph() if fenced else ""
            elif fenced or not line:
                continue
            elif bar:
                rows.append(line)
            elif anchor:
                self._waiting += self._mark(anchor[1])
            elif heading:
                style, said = f"Heading{len(heading[1]) - 1}" if heading[1] != "#" else "Title", [heading[2]]
            elif item:
                deep, number, said = min(len(item[1]) // 2 + 1, 3), item[2] or "", [item[3]]
                style = "ListParagraph" if number else f"ListBullet{deep if deep > 1 else ''}"
            else:
                said.append(line.strip().removeprefix("> "))

    def _paragraph(self, style: str, number: str, text: str) -> str:
        properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        return f"<w:p>{properties}{_run(number) if number else ''}{self._line(text)}</w:p>"

    def _line(self, text: str, *, small: bool = False, head: bool = False) -> str:
        """Marks, runs and links of a line; those of a table are smaller, and bold in its head."""
        marks, self._waiting = self._waiting, ""
        key = text, small, head
        if key not in self._read:
            self._read[key] = "".join(self._inline(text, small=small, head=head))
        return marks + self._read[key]

    def _inline(self, text: str, *, small: bool, head: bool) -> Iterator[str]:
        if not _MARKED.search(text):  # most cells: reading them takes ten times as long as writing them
            yield _run(text, bold=head, small=small) if text else ""
            return
        bold = italic = 0
        linked = False
        for part in self._markdown.parseInline(text)[0].children or ():
            match part.type:
                case "text" | "code_inline" | "text_special" if part.content:
                    mono = part.type == "code_inline"
                    yield _run(
                        part.content, bold=head or bold > 0, italic=italic > 0, mono=mono, small=small, link=linked
                    )
                case "softbreak" | "hardbreak":
                    yield _run(" ", bold=head, small=small)
                case "strong_open" | "strong_close":
                    bold += part.nesting
                case "em_open" | "em_close":
                    italic += part.nesting
                case "link_open":
                    linked = True
                    yield self._link(str(part.attrs["href"]))
                case "link_close":
                    linked = False
                    yield "</w:hyperlink>"
                case "html_inline" if anchor := _ANCHOR.match(part.content + "</a>"):
                    yield self._mark(anchor[1])

    def _name(self, anchor: str) -> str:
        """The bookmark of an anchor: Word's names are short."""
        return self._bookmarks.setdefault(anchor, f"place{len(self._bookmarks) + 1}")

    def _mark(self, anchor: str) -> str:
        name = self._name(anchor)
        number = name.removeprefix("place")
        return f'<w:bookmarkStart w:id="{number}" w:name="{name}"/><w:bookmarkEnd w:id="{number}"/>'

    def _link(self, address: str) -> str:
        if address.startswith("#"):
            return f'<w:hyperlink w:anchor="{self._name(address[1:])}" w:history="1">'
        return f'<w:hyperlink r:id="{self._outside(address)}">'

    def _graph(self) -> str:
        """Who waits for whom, in words: Word shows no picture that is drawn by a program."""
        if not self._arrows:
            return ""
        rows = [[escape(arrow["first"]), escape("; ".join(arrow["then"]))] for arrow in self._arrows]
        return self._table([[escape(_("First")), escape(_("Then can begin"))], ["", ""], *rows])

    def _table(self, rows: Sequence[Sequence[str]]) -> str:
        """A table as wide as the page, whose head stands on each page; a head without words is none.

        :param rows: of Markdown's cells; the second says how the columns are aligned.
        """
        head, ruler, *rest = ([cell.strip() for cell in row] for row in rows)
        right = [cell.endswith(":") and not cell.startswith(":") for cell in ruler]
        ends = ['<w:jc w:val="right"/>' if each else "" for each in right]
        told = any(head)
        kept = [self._row(head, ends, head=True)] if told else []
        kept += [self._row(row, ends) for row in rest]
        look = f'<w:tblLook w:val="{"0020" if told else "0000"}" w:firstRow="{int(told)}"/>'
        grid = "<w:gridCol/>" * len(head)
        # Two tables without a paragraph between them would become one.
        return f"<w:tbl><w:tblPr>{_TABLE}{look}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(kept)}</w:tbl><w:p/>"

    def _row(self, cells: Sequence[str], ends: Sequence[str], *, head: bool = False) -> str:
        made = [
            f'<w:tc><w:tcPr/><w:p><w:pPr><w:spacing w:after="0"/>{end}</w:pPr>'
            f"{self._line(cell, small=True, head=head)}</w:p></w:tc>"
            for cell, end in zip(cells, ends, strict=True)
        ]
        repeated = "<w:tblHeader/>" if head else ""
        return f"<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>{''.join(made)}</w:tr>"


def _run(
    text: str, *, bold: bool = False, italic: bool = False, mono: bool = False, small: bool = False, link: bool = False
) -> str:
    properties = "".join(
        element
        for element, holds in (
            ('<w:rFonts w:ascii="Consolas" w:hAnsi="Consolas"/>', mono),
            ("<w:b/>", bold),
            ("<w:i/>", italic),
            ('<w:sz w:val="17"/>', small),
            (f'<w:u w:val="single" w:color="{_SOFT}"/>', link),
        )
        if holds
    )
    shown = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{shown}<w:t xml:space="preserve">{saxutils.escape(text)}</w:t></w:r>'


def _finished(content: bytes, body: str) -> bytes:
    """The package with the body in its place, and one time for all of its files."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:  # packed when it is sealed
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            part = old.read(name)
            if name == "word/document.xml":
                before, end, after = part.rpartition(b"<w:sectPr")
                part = b"%b%b%b%b" % (before, body.encode(), end, after)
            new.writestr(entry, part)
    return made.getvalue()
