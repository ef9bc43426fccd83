"""The manifest in a report of each format, the hash of its text, and files that only look like reports."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import assessment_factory as factory
import pytest

from interlock.model.errors import DocumentError
from interlock.model.manifest import HASH_KEY, Manifest
from interlock.report import html, sarif, seal, view, xlsx
from interlock.report import json as report_json

pytestmark = pytest.mark.fast
MANIFEST = Manifest(
    form="md", interlock="0.1.0", made="2026-11-30", as_of="2026-11-30", runs=100, seed=1, workspace="A -- B </script>",
    product="&lt; --> \u2028 ü", versions={"ruleset": "core 1"}, content={"patterns": "0" * 16},
    parts={"answers product": {"wf.event": "a" * 16}},
)  # fmt: skip


def page() -> str:
    built = view.build(
        factory.sample(), generated=None, interlock_version="0.1.0", observations={}, sections=("executive",)
    )
    return html.render(built)


@pytest.fixture(scope="module")
def reports() -> dict[str, bytes]:
    """One small report of each format, sealed."""
    sample, observations = factory.sample(), factory.observations()
    made = {
        "md": b"# Report\n\nSome text.\n",
        "html": page().encode(),
        "json": report_json.render(sample.but(manifest=MANIFEST.but(form="json"))),
        "sarif": sarif.to_sarif(list(observations.values())).encode(),
        "xlsx": xlsx.render(sample, observations, interlock_version="0.1.0", sections=("glance",)),
    }
    return {form: seal.sealed(content, form, MANIFEST.but(form=form)) for form, content in made.items()}


@pytest.mark.parametrize("form", ["md", "html", "json", "sarif", "xlsx"])
def test_what_was_sealed_is_read_again_and_an_edit_is_told(reports: dict[str, bytes], form: str) -> None:
    content = reports[form]
    manifest, edited = seal.read(content)
    assert manifest.but(sha256_of_report="0" * 64) == MANIFEST.but(form=form) and not edited
    assert manifest.sha256_of_report != "0" * 64
    assert seal.sealed(b"", "csv", MANIFEST) == b"", "a table has no place for it"
    if form == "xlsx":
        assert seal.read(rezipped(content, "xl/sharedStrings.xml", b"Lakeshore", b"Lakeshire")).edited
        assert not seal.read(rezipped(content, "", b"", b"")).edited, "packed anew, with the same in it"
        return
    changed = content.replace(b"e", b"3", 1)
    assert seal.read(changed).edited
    assert seal.read(content.replace(b'"runs": 100', b'"runs": 999')).edited, "a changed manifest is an edit"
    mailed = b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n") + b"\r\n\r\n"
    assert not seal.read(mailed).edited, "mail and git change the ends of lines"


def test_the_manifest_of_a_page_is_data_at_its_end(reports: dict[str, bytes]) -> None:
    text = reports["html"].decode()
    assert text.count('id="interlock-manifest"') == 1
    block = text[text.index('<script type="application/json"') :]
    assert block.count("</script>") == 1, "what it holds does not end it"
    assert text.index('<script type="application/json"') > text.index("</main>")


def test_a_workbook_refers_to_it_so_that_it_is_kept(reports: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(reports["xlsx"])) as book:
        assert book.namelist()[0] == "[Content_Types].xml"
        assert "../customXml/interlock-manifest.xml" in book.read("xl/_rels/workbook.xml.rels").decode()


def test_an_assessment_of_a_report_is_an_assessment(reports: dict[str, bytes]) -> None:
    again = type(factory.sample()).model_validate_json(reports["json"])
    assert again.manifest is not None and again.but(manifest=None).findings == factory.sample().findings
    assert list(data := json.loads(reports["json"])) == sorted(data)


def rezipped(content: bytes, name: str, old: bytes, new: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(target, "w") as after:
        for member in reversed(before.namelist()):
            data = before.read(member)
            assert member != name or old in data
            after.writestr(member, data.replace(old, new) if member == name else data)
    return target.getvalue()


def a_zip(members: dict[str, bytes], **options: Any) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


BLOCK = '<script type="application/json" id="interlock-manifest">'
VALID = MANIFEST.but(workspace="A").model_dump_json()
HOSTILE = {
    "nothing at all": (b"", "holds no manifest"),
    "bytes": (bytes(range(256)) * 40, "holds no manifest"),
    "a page without one": (b"<html></html>", "holds no manifest"),
    "a thousand manifests": (f"{BLOCK}{VALID}</script>".encode() * 1000, "holds 1,000 manifests"),
    "one that never ends": (BLOCK.encode() + b"{" * 1000, "holds no manifest"),
    "one of another shape": (f'{BLOCK}{{"schema_version": "2"}}</script>'.encode(), "none of ours: .* at "),
    "no JSON": (f"{BLOCK}nothing</script>".encode(), "not valid JSON"),
    "deep": (f"{BLOCK}{'[' * 5000}</script>".encode(), "nested more than 6 deep"),
    "deep JSON": (b'{"a":' * 100_000, "nested more than 64 deep"),
    "many values": (f"{BLOCK}[{'1,' * 500_000}1]</script>".encode(), "more than 400,000 values"),
    "long names": (VALID.replace('"ruleset"', f'"{"x" * 400}"').join((BLOCK, "</script>")).encode(), "none of ours"),
    "runs without end": (VALID.replace('"runs":100', '"runs":999999999').join((BLOCK, "</script>")).encode(), "runs"),
    "a broken zip": (b"PK\x03\x04" + b"x" * 500, "zip is broken"),
    "an empty PDF": (b"%PDF-1.7\n%%EOF", "holds no manifest"),
    "a log of nothing": (b'{"runs": [{}], "manifest": {}}', "holds no manifest"),
    "a list": (b'{"manifest": [1, 2]}', "holds no manifest"),
    "a zip of many": (a_zip({f"{number}": b"" for number in range(2001)}), "more than 2,000 files"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_report_is_said_in_words(name: str) -> None:
    content, said = HOSTILE[name]
    with pytest.raises(DocumentError, match=said):
        seal.read(content)


def test_a_zip_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "MAX_UNPACKED", 1_000_000)
    with pytest.raises(DocumentError, match="unpacks to more than 1 MB"):
        seal.read(a_zip({"a": bytes(600_000), "b": bytes(600_000)}))


def test_two_hashes_in_one_file_do_not_hide_an_edit(reports: dict[str, bytes]) -> None:
    """A line that looks like the hash is text like any other: only the manifest's own is passed over."""
    content = reports["md"].replace(b"Some text.", f'"{HASH_KEY}": "{"1" * 64}"'.encode())
    assert seal.read(content).edited
