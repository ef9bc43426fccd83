"""Branding is data: what it changes in a report, and that nothing but a small picture in the workspace is taken."""

from __future__ import annotations

import base64
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from interlock.cli.main import run
from interlock.model.branding import Branding, Colours, contrast_with_white

BRANDING = """
branding:
  logo: branding/logo.png
  colours: {heading: "#0b3d91", accent: "#b34700"}
  confidentiality: "Confidential: <b>Riverside</b> & partners only"
  paper: letter
"""


def png(width: int = 8, height: int = 4) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + b"\xb3\x47\x00" * min(width, 100) for _ in range(min(height, 100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    quantities = b"\xff\xdb\x00\x43\x00" + b"\x01" * 64
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0" + quantities + frame + b"\xff\xd9"


@pytest.fixture
def workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "workspace"
    assert run(["init", str(folder), "--template", "ready"]) == 0
    (folder / "branding").mkdir()
    (folder / "branding/logo.png").write_bytes(png())
    capsys.readouterr()
    return folder


def brand(workspace: Path, text: str = BRANDING) -> None:
    settings = workspace / "interlock.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + text, encoding="utf-8")


def report(workspace: Path, formats: str = "md,html") -> int:
    return run(["report", "-f", formats, "--sections", "summary,glance", "--runs", "100", "-w", str(workspace)])


def test_logo_colours_line_and_paper_are_in_the_page(workspace: Path) -> None:
    assert report(workspace) == 0
    before = (workspace / "reports/report.html").read_text()
    assert "<img" not in before and 'class="confidentiality"' not in before and "#0b3d91" not in before
    brand(workspace)
    assert report(workspace) == 0
    page = (workspace / "reports/report.html").read_text()
    assert f'src="data:image/png;base64,{base64.b64encode(png()).decode()}"' in page
    assert "Confidential: &lt;b&gt;Riverside&lt;/b&gt; &amp; partners only" in page
    assert "color: #0b3d91" in page and "border-top-color: #b34700" in page and "size: letter" in page
    text = (workspace / "reports/report.md").read_text()
    assert "**Confidential: &lt;b&gt;Riverside&lt;/b&gt; &amp; partners only**" in text


def test_the_pdf_has_them_on_every_page(workspace: Path) -> None:
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed", exc_type=ImportError)
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    brand(workspace)
    assert report(workspace, "pdf") == 0
    file = workspace / "reports/report.pdf"
    pages = subprocess.run(["pdftotext", file, "-"], capture_output=True, check=True, text=True).stdout.split("\f")[:-1]
    assert len(pages) > 1
    assert all("Confidential: <b>Riverside</b> & partners only" in " ".join(page.split()) for page in pages)
    info = subprocess.run(["pdfinfo", file], capture_output=True, check=True, text=True).stdout
    assert "letter" in info and "Tagged:          yes" in info
    images = subprocess.run(["pdfimages", "-list", file], capture_output=True, check=True, text=True).stdout
    assert " 8     4 " in images


def test_a_jpeg_is_taken(workspace: Path) -> None:
    (workspace / "branding/logo.png").write_bytes(jpeg(20, 10))
    brand(workspace)
    assert report(workspace) == 0
    assert "data:image/jpeg;base64," in (workspace / "reports/report.html").read_text()


REFUSED = {
    "an SVG by another name": (b"<svg onload='alert(1)'/>", "neither a PNG nor a JPEG"),
    "HTML": (b"<script>alert(1)</script>", "neither a PNG nor a JPEG"),
    "a GIF": (b"GIF89a" + b"\0" * 100, "neither a PNG nor a JPEG"),
    "empty": (b"", "neither a PNG nor a JPEG"),
    "large": (png() + b"\0" * 500_000, "larger than 500,000 bytes"),
    "a PNG that unpacks to much": (png(50_000, 50_000), "50,000 × 50,000 pixels"),
    "a JPEG that unpacks to much": (jpeg(60_000, 60_000), "60,000 × 60,000 pixels"),
    "a PNG of no size": (png(0, 0), "0 × 0 pixels"),
    "a JPEG that does not say": (b"\xff\xd8\xff\xe0\x00\x04ab", "does not say how large"),
    "a JPEG in a circle": (b"\xff\xd8" + b"\xff" * 5000, "does not say how large"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_small_picture_is_an_error_in_words(
    name: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, told = REFUSED[name]
    (workspace / "branding/logo.png").write_bytes(content)
    brand(workspace)
    line = (workspace / "interlock.yaml").read_text().splitlines().index("  logo: branding/logo.png") + 1
    assert report(workspace) == 2
    shown = capsys.readouterr().err
    assert told in shown and f"interlock.yaml:{line}:" in shown
    assert not (workspace / "reports/report.html").exists()


@pytest.mark.parametrize("link", ["branding/logo.png", "branding"])
def test_a_link_out_of_the_workspace_is_refused(
    link: str, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.move(workspace / "branding", tmp_path / "outside")
    (workspace / link).parent.mkdir(exist_ok=True)
    (workspace / link).symlink_to(tmp_path / "outside" / ("logo.png" if link.endswith("png") else ""))
    brand(workspace)
    assert report(workspace) == 2
    assert "a link that leads out of this folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("logo: ../logo.png", "a file in the workspace"),
        ("logo: /etc/passwd", "a file in the workspace"),
        ("logo: https://victim.test/x.png", "a file in the workspace"),
        ("logo: 'C:\\x.png'", "a file in the workspace"),
        ("logo: branding/logo.svg", "SVG is not taken"),
        ("language: ../de.po", "a file in the workspace"),
        ("language: https://victim.test/de.po", "a file in the workspace"),
        ("language: de.mo", "language"),
        ("colours: {heading: red}", "heading"),
        ("colours: {heading: '#000; } body { background: url(https://victim.test)'}", "heading"),
        ("colours: {heading: '#eeeeee'}", "too little for text"),
        ("colours: {accent: '#ffff00'}", "too little for a line"),
        ("colours: {ink: '#000000'}", "ink"),
        ('confidentiality: "one\\ntwo"', "confidentiality"),
        ("confidentiality: " + "x" * 101, "confidentiality"),
        ("paper: a0", "paper"),
        ("css: 'body {}'", "css"),
    ],
)
def test_anything_else_is_an_error_with_its_line(
    text: str, told: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    brand(workspace, f"branding:\n  {text}\n")
    lines = len((workspace / "interlock.yaml").read_text().splitlines())
    assert report(workspace) == 2
    shown = capsys.readouterr().err
    assert told in shown and f"interlock.yaml:{lines}:" in shown


def test_contrast_is_the_one_of_wcag() -> None:
    assert contrast_with_white("#000000") == pytest.approx(21)
    assert contrast_with_white("#ffffff") == pytest.approx(1)
    assert contrast_with_white("#767676") == pytest.approx(4.54, abs=0.01)
    Colours(heading="#767676", accent="#949494")
    with pytest.raises(ValidationError):
        Branding.model_validate({"colours": {"heading": "#777777"}})
