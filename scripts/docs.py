"""Makes the pictures of README.md from the real program: a demo, its dashboard, a page of its report."""

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
from interlock.usecases.load import open_workspace

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
SIZE = (120, 40)
REPORT_PAGE = 2


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


def report_page(pdf: Path) -> None:
    """Save one page of the report as PNG."""
    if shutil.which("pdftoppm") is None:
        sys.exit("pdftoppm is missing. On Debian and Ubuntu: apt-get install poppler-utils")
    page = str(REPORT_PAGE)
    target = str(IMAGES / "report")
    subprocess.run(
        ["pdftoppm", "-png", "-r", "80", "-f", page, "-l", page, "-singlefile", str(pdf), target], check=True
    )


def main() -> None:
    """Make every picture anew."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        result = run_demo(Path(folder) / "demo", today=date.today())
        asyncio.run(dashboard(result.workspace.root))
        report_page(result.workspace.root / "reports" / "report.pdf")
    print(f"Made {IMAGES / 'dashboard.svg'} and {IMAGES / 'report.png'}")


if __name__ == "__main__":
    main()
