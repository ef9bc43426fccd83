"""Makes the pictures of README.md from the real program: a demo, its dashboard, three pages of its report."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from interlock.tui.app import InterlockApp
from interlock.usecases.demo import run_demo
from interlock.usecases.opening import open_workspace

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
SIZE = (120, 40)
#: Sections of the report whose first pages are shown, and the pixels between two of them.
SECTIONS = ("On one page", "Plan", "What depends on what")
GAP = 6


async def dashboard(workspace: Path) -> None:
    """Save the dashboard as SVG, once it shows the assessment."""
    app = InterlockApp(open_workspace(workspace), "Ada")
    async with app.run_test(size=SIZE) as pilot:
        while not app.state.up_to_date:
            await pilot.pause(0.05)
        await app.workers.wait_for_complete()
        await pilot.pause()
        picture = re.sub(
            r',\s*url\("https://[^)]*\)\s*format\("\w+"\)', "", app.export_screenshot()
        )  # no fonts from afar
    (IMAGES / "dashboard.svg").write_text(picture, "utf-8")


def report_pages(pdf: Path) -> None:
    """Save the pages of the report on which these sections begin, side by side, as PNG."""
    if shutil.which("pdftoppm") is None:
        sys.exit("pdftoppm is missing. On Debian and Ubuntu: apt-get install poppler-utils")
    from PIL import Image

    pictures = []
    for title in SECTIONS:
        page = str(_page_of(pdf, title))
        drawn = [
            "pdftoppm",
            "-png",
            "-r",
            "60",
            "-f",
            page,
            "-l",
            page,
            "-singlefile",
            str(pdf),
            str(pdf.with_suffix("")),
        ]
        subprocess.run(drawn, check=True)
        pictures.append(Image.open(pdf.with_suffix(".png")).copy())
    width, height = pictures[0].size
    sheet = Image.new("RGB", (len(pictures) * (width + GAP) - GAP, height), "#c9d2d8")
    for number, picture in enumerate(pictures):
        sheet.paste(picture, (number * (width + GAP), 0))
    sheet.save(IMAGES / "report.png", optimize=True)


def _page_of(pdf: Path, title: str) -> int:
    """The page on which a section begins: the first whose own heading it is, after the cover with the contents."""
    text = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True).stdout
    heading = re.compile(rf"^\s*\d+\s+{re.escape(title)}\s*$", re.MULTILINE)
    return next(number for number, page in enumerate(text.split("\f"), 1) if number > 1 and heading.search(page))


def main() -> None:
    """Make every picture anew."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        result = run_demo(Path(folder) / "demo", today=date.today())
        asyncio.run(dashboard(result.workspace.root))
        report_pages(result.workspace.root / "reports" / "report.pdf")
    print(f"Made {IMAGES / 'dashboard.svg'} and {IMAGES / 'report.png'}")


if __name__ == "__main__":
    main()
