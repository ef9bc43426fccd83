"""The PDF report: whole, tagged, quiet, and it fetches nothing."""

from __future__ import annotations

import builtins
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import assessment_factory as factory
import pytest
from tag_tree import problems, tags
from test_seal import MANIFEST

from interlock.model.errors import InterlockError
from interlock.report import html, pdf, seal, view


def page(assessment: object = None, **options: Any) -> str:
    built = view.build(
        assessment or factory.sample(),  # type: ignore[arg-type]
        generated=factory.GENERATED,
        interlock_version="0.1.0",
        observations=factory.observations(),
        **options,
    )
    return html.render(built)


@pytest.fixture
def needs_weasyprint() -> None:
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed", exc_type=ImportError)


def text_of(content: bytes, tmp_path: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    file = tmp_path / "report.pdf"
    file.write_bytes(content)
    return subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, check=True, text=True).stdout


def info_of(content: bytes, tmp_path: Path) -> dict[str, str]:
    if shutil.which("pdfinfo") is None:
        pytest.skip("pdfinfo is not installed")
    file = tmp_path / "report.pdf"
    file.write_bytes(content)
    shown = subprocess.run(["pdfinfo", file], capture_output=True, check=True, text=True).stdout
    return {key: value.strip() for key, _, value in (line.partition(":") for line in shown.splitlines())}


@pytest.mark.usefixtures("needs_weasyprint")
def test_the_whole_report_is_in_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = pdf.render(page())
    assert content.startswith(b"%PDF-1.7")
    assert capfd.readouterr() == ("", "")
    info = info_of(content, tmp_path)
    assert info["Title"] == "Sentinel Sepsis: integration readiness report"
    assert info["Tagged"] == "yes"
    assert 12 < int(info["Pages"]) < 40
    text = " ".join(text_of(content, tmp_path).split())
    for said in (
        "Map the auth surface",
        "connection timed out after 10 s",
        "a range and not a date to promise",
        "Backend client has no JWK Set that this vendor accepts",
        "Required needs supported",
        "RFC 7517, JSON Web Key, section 5",
        "2 of ",
    ):
        assert said in text
    assert "✓" in text and "✗" in text
    assert problems(content) == []
    found = set(tags(content))
    assert {"/H1", "/H2", "/H3", "/Table", "/THead", "/TH", "/TD", "/L", "/LI", "/Figure", "/Link"} <= found


@pytest.mark.usefixtures("needs_weasyprint")
def test_the_check_of_the_tag_tree_sees_what_weasyprint_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlock.report.tagging.complete", lambda _: None)
    table = "<table><thead><tr><th>a</th></tr></thead><tr><td>b</td></tr></table>"
    found = problems(pdf.render(f"<html lang=en><title>x</title>{table}<dl><div><dt>a</dt></div></dl></html>"))
    assert "a table's head cell has no scope (7.5)" in found
    assert any(problem.startswith("/L holds") for problem in found)


def test_verapdf_agrees(needs_weasyprint: None, tmp_path: Path) -> None:
    """The reference implementation's own judgement, where it is installed (https://verapdf.org)."""
    if shutil.which("verapdf") is None:
        pytest.skip("verapdf is not installed")
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf.render(page(sections=["summary", "glance", "graph", "gaps"])))
    done = subprocess.run(["verapdf", "--flavour", "ua1", "--format", "text", file], capture_output=True, text=True)
    assert done.stdout.startswith("PASS"), done.stdout


@pytest.mark.usefixtures("needs_weasyprint")
def test_same_page_same_bytes_with_its_manifest_in_the_metadata() -> None:
    short = seal.in_html(page(sections=["summary", "glance"]), MANIFEST.but(form="pdf"))
    content = pdf.render(short)
    assert content == pdf.render(short)
    manifest, edited = seal.read(content)
    assert manifest.product == MANIFEST.product and manifest.workspace == MANIFEST.workspace and not edited
    assert seal.read(content[:-9] + b" " + content[-9:]).edited, "any other byte is an edit"
    assert content.count(b"<rdf:RDF") == content.count(b"</rdf:RDF>") == 1


@pytest.mark.usefixtures("needs_weasyprint")
@pytest.mark.parametrize(
    "payload",
    [pytest.param("x" * 10_000, marks=pytest.mark.long), "<script>x</script> \u202eمرحبا שלום 漢字 🩺 \x1b[31m\x00"],
)
def test_hostile_texts(payload: str, tmp_path: Path) -> None:
    content = pdf.render(page(factory.hostile(payload), sections=["summary", "graph", "glance"]))
    assert "\x1b" not in text_of(content, tmp_path)


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}", asked
        listening.shutdown()
        thread.join()


@pytest.mark.usefixtures("needs_weasyprint")
def test_nothing_is_fetched(server: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = server
    outside = tmp_path.parent / "outside.svg"
    outside.write_text("<svg xmlns='http://www.w3.org/2000/svg'><text y='20'>OUTSIDE</text></svg>", encoding="utf-8")
    (tmp_path / "inside.svg").write_text(
        "<svg xmlns='http://www.w3.org/2000/svg' width='100' height='30'><text y='20'>INSIDE</text></svg>",
        encoding="utf-8",
    )
    document = f"""<!DOCTYPE html><html lang="en"><title>x</title><link rel="stylesheet" href="{address}/a.css">
    <style>@import url({address}/b.css); p {{ background: url({address}/c.png) }}</style>
    <img alt="" src="{address}/d.png"><img alt="" src="inside.svg"><img alt="" src="../outside.svg">
    <img alt="" src="{outside.as_uri()}"><svg><image href="{address}/e.png"/></svg><p>Text</p></html>"""
    text = text_of(pdf.render(document, tmp_path), tmp_path)
    assert asked == []
    assert "Text" in text and "INSIDE" in text and "OUTSIDE" not in text


@pytest.mark.parametrize(("error", "command"), [(ImportError, "pip install"), (OSError, "apt install")])
def test_without_its_library_one_command_is_named(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception], command: str
) -> None:
    real = builtins.__import__

    def absent(name: str, *args: Any, **options: Any) -> Any:
        if name == "weasyprint" or name.startswith("weasyprint."):
            raise error(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(InterlockError) as caught:
        pdf.render("<p>x")
    assert command in (caught.value.remedy or "")
