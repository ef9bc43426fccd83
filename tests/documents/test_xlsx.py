"""Workbooks that somebody else saved: what is read of them, and what they may not do to the reader."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from filled_sheets import zipped
from interlock.documents.xlsx import MAX_BYTES, MAX_UNPACKED, Cell, cell_name, read_workbook
from interlock.model.errors import DocumentError

NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
STRICT = 'xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"'
RELATIONS = (
    '<Relationships xmlns="r"><Relationship Id="a" Type="t/worksheet" Target="{sheet}"/>'
    '<Relationship Id="b" Type="t/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>'
)


def parts(
    cells: str, texts: str = "", *, sheet: str = "worksheets/sheet1.xml", book: str = "", ns: str = NS
) -> dict[str, bytes]:
    return {
        "xl/workbook.xml": f'<workbook {ns}>{book}<sheets><sheet name="A" id="a"/></sheets></workbook>'.encode(),
        "xl/_rels/workbook.xml.rels": RELATIONS.format(sheet=sheet).encode(),
        "xl/sharedStrings.xml": f"<sst {ns}>{texts}</sst>".encode(),
        "xl/worksheets/sheet1.xml": f"<worksheet {ns}><sheetData>{cells}</sheetData></worksheet>".encode(),
    }


def read(tmp_path: Path, content: bytes) -> dict[str, Cell]:
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)
    return {cell_name(place): cell for place, cell in read_workbook(path, {"A"}).sheets["A"].items()}


def refused(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(DocumentError) as error:
        read(tmp_path, content)
    assert str(tmp_path / "book.xlsx") in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("ns", [NS, STRICT])
@pytest.mark.parametrize("sheet", ["worksheets/sheet1.xml", "/xl/worksheets/sheet1.xml", "../xl/worksheets/sheet1.xml"])
def test_cells_as_several_programs_write_them(tmp_path: Path, ns: str, sheet: str) -> None:
    cells = (
        '<row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2" t="inlineStr"><is><t>in </t></is></c>'
        '<c r="C2"><v>4.5E1</v></c><c r="AA2" t="b"><v>1</v></c><c r="D2" s="3"/></row>'
        '<row><c t="str"><v>x</v></c><c><f>1+1</f><v>2</v></c></row>'
    )
    texts = "<si><t>first</t></si><si><r><t>rich </t></r><r><t>text</t></r><rPh><t>aid</t></rPh></si>"
    assert read(tmp_path, zipped(parts(cells, texts, sheet=sheet, ns=ns))) == {
        "A2": Cell("rich text"),
        "B2": Cell("in "),
        "C2": Cell(45.0),
        "AA2": Cell(True),
        "A3": Cell("x"),
        "B3": Cell(2.0, formula=True),
    }


def test_characters_that_xml_cannot_hold_are_what_they_stand_for(tmp_path: Path) -> None:
    cells = '<row><c t="str"><v>a_x001B_]b</v></c><c t="str"><v>_x005F_x0041_</v></c></row>'
    assert [cell.value for cell in read(tmp_path, zipped(parts(cells))).values()] == ["a\x1b]b", "_x0041_"]


def test_a_formula_without_a_value_is_told_too(tmp_path: Path) -> None:
    assert read(tmp_path, zipped(parts('<row><c r="A1"><f>CMD()</f></c></row>'))) == {"A1": Cell("", formula=True)}


ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
)
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><worksheet>&x;</worksheet>'


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"xl/worksheets/sheet1.xml": ENTITIES}, "xl/worksheets/sheet1.xml: it declares a document type"),
        ({"xl/worksheets/sheet1.xml": OUTSIDE}, "it declares a document type"),
        ({"xl/sharedStrings.xml": ENTITIES}, "xl/sharedStrings.xml: it declares a document type"),
        ({"xl/worksheets/sheet1.xml": b"<worksheet><row>"}, "not valid XML"),
        ({"xl/worksheets/sheet1.xml": b"<a>" * 100 + b"</a>" * 100}, "nested more than 64 deep"),
        ({"xl/worksheets/sheet1.xml": b'<w><row><c r="ZZZZ1"><v>1</v></c></row></w>'}, "'ZZZZ1' is no address"),
        ({"xl/worksheets/sheet1.xml": b'<w><row><c r="A9999999"><v>1</v></c></row></w>'}, "beyond XFD1048576"),
        (
            {"xl/worksheets/sheet1.xml": b'<w><row><c r="A1" t="s"><v>7</v></c></row></w>'},
            "A1 names a text that is not",
        ),
        ({"xl/worksheets/sheet1.xml": b'<w><row><c r="A1"><v>1e999</v></c></row></w>'}, "A1 holds '1e999' as a number"),
        ({"xl/worksheets/sheet1.xml": b'<w><row><c r="A1"><v>nan</v></c></row></w>'}, "A1 holds 'nan' as a number"),
        ({"xl/worksheets/sheet1.xml": None}, "lacks a part that it names"),
        ({"xl/workbook.xml": None}, "this is no Excel workbook"),
        ({f"junk/{number}": b"" for number in range(1_100)}, "more than 1,000 parts"),
    ],
)
def test_what_is_wrong_with_a_part_is_told_with_its_name(
    tmp_path: Path, changed: dict[str, bytes | None], said: str
) -> None:
    files = {name: content for name, content in (parts("<row/>") | changed).items() if content is not None}
    assert said in refused(tmp_path, zipped(files))


def test_a_bomb_is_told_while_it_unfolds(tmp_path: Path) -> None:
    bomb = b"<worksheet>" + b" " * (20 * MAX_UNPACKED) + b"</worksheet>"
    content = zipped(parts("<row/>") | {"xl/worksheets/sheet1.xml": bomb})
    assert len(content) < MAX_BYTES
    tracemalloc.start()
    started = time.monotonic()
    assert f"unfolds to more than {MAX_UNPACKED:,} bytes" in refused(tmp_path, content)
    assert time.monotonic() - started < 20
    assert tracemalloc.get_traced_memory()[1] < 10 * MAX_BYTES, "it is never whole in memory"
    tracemalloc.stop()


def test_a_part_that_says_it_is_small_is_bounded_all_the_same(tmp_path: Path) -> None:
    content = bytearray(zipped(parts("<row/>") | {"xl/worksheets/sheet1.xml": b"<w>" + b" " * 1_000_000 + b"</w>"}))
    at = content.rindex(b"PK\x01\x02")
    struct.pack_into("<L", content, at + 24, 5)  # the size that the directory claims
    assert "damaged" in refused(tmp_path, bytes(content)) or "not valid XML" in refused(tmp_path, bytes(content))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in [*parts("<row/>").items(), ("xl/workbook.xml", b"<workbook/>")]:
            archive.writestr(name, content)
    assert "two parts of one name" in refused(tmp_path, path.read_bytes())


def test_a_part_that_is_packed_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in parts("<row/>").items():
            archive.writestr(name, content)
    assert "packed in a way that no spreadsheet program uses" in refused(tmp_path, path.read_bytes())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "this is no workbook"),
        (b"No.,Question\n1,Why?\n", "this is no workbook"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "encrypted with a password"),
        (b"PK\x03\x04" + b"\0" * 100, "this workbook is damaged"),
        (b"x" * (MAX_BYTES + 1), "larger than 5,000,000 bytes"),
        (zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "this is no Excel workbook"),
    ],
)
def test_what_is_no_workbook(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refused(tmp_path, content)


def test_an_encrypted_part(tmp_path: Path) -> None:
    content = bytearray(zipped(parts("<row/>")))
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    assert "this part is encrypted" in refused(tmp_path, bytes(content))


def test_relations_lead_to_parts_of_the_workbook_alone(tmp_path: Path) -> None:
    files = parts("<row/>", sheet="../../../etc/passwd")
    assert "lacks a part that it names" in refused(tmp_path, zipped(files))
