"""The HTML report in headless Chromium: what its script does, and that no layout breaks and no request leaves."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import AsyncIterator
from pathlib import Path

import assessment_factory as factory
import pytest
import pytest_asyncio

from chromium import Browser, Tab, chromium, find_browser
from interlock.model.assessment import Assessment
from interlock.report import html, view

EXECUTABLE = find_browser()
pytestmark = [
    pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium; INTERLOCK_CHROMIUM names one"),
    pytest.mark.asyncio(loop_scope="module"),
]
PHONE, DESKTOP = 400, 1200


def page_of(assessment: Assessment) -> str:
    built = view.build(
        assessment, generated=factory.GENERATED, interlock_version="0.1.0", observations=factory.observations()
    )
    return html.render(built)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    assert EXECUTABLE is not None
    async with chromium(EXECUTABLE, tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page_of(factory.sample()), "utf-8")
    return path


async def opened(
    browser: Browser, path: Path, width: int = DESKTOP, *, dark: bool = False, scripts: bool = True
) -> Tab:
    tab = await browser.open_tab(width, 900)
    await tab.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    await tab.call(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    )
    await tab.call("Emulation.setScriptExecutionDisabled", value=not scripts)
    await tab.go(path.as_uri())
    await tab.until_true("document.readyState === 'complete' && location.protocol === 'file:'")
    return tab


def quiet(tab: Tab, path: Path) -> bool:
    """Whether nothing was complained of, and nothing asked for but the file and what it holds."""
    return tab.console == [] and all(
        address == path.as_uri() or address.startswith("data:") for address in tab.requests
    )


async def test_a_filter_hides_what_does_not_match(browser: Browser, report: Path) -> None:
    tab = await opened(browser, report)
    shown = "[...document.querySelectorAll('article.gap')].filter((each) => each.offsetParent).map((each) => each.id)"
    everything = await tab.run(shown)
    await tab.run(
        "(() => { const [org] = document.querySelectorAll('.tools select');"
        "org.value = 'Lakeshore Health System'; org.dispatchEvent(new Event('input')); })()"
    )
    some = await tab.run(shown)
    assert some and set(some) < set(everything)
    assert "of" in await tab.run("document.querySelector('.tools output').textContent")
    about = await tab.run("[...document.querySelectorAll('article.gap:not(.off)')].map((each) => each.dataset.about)")
    assert all(not names or "Lakeshore Health System" in names.split("\n") for names in about)
    hidden = (set(everything) - set(some)).pop()
    await tab.run(f"location.hash = '#{hidden}'")  # a link to what is filtered out shows it
    await tab.until_true(f"document.getElementById('{hidden}').offsetParent !== null")
    await tab.run("document.querySelector('.tools input').focus()")
    await tab.type("nothing is called like this")
    assert await tab.run(shown) == []
    await tab.run("document.querySelector('.tools button').click()")
    assert await tab.run(shown) == everything
    assert quiet(tab, report)


async def test_a_press_on_a_head_sorts_its_table_and_the_third_restores_it(browser: Browser, report: Path) -> None:
    tab = await opened(browser, report)
    table = "document.querySelector('table.coverage')"
    column = f"[...{table}.tBodies[0].rows].map((row) => row.cells[1].textContent.trim())"
    head = f"{table}.tHead.rows[0].cells[1]"
    first = await tab.run(column)
    orders = []
    for _ in range(3):
        await tab.run(f"{head}.querySelector('button').focus()")
        await tab.press("Enter", 13)
        orders.append((await tab.run(f"{head}.ariaSort"), await tab.run(column)))
    numbers = sorted(first, key=lambda text: int(text.replace(",", "")))
    assert [way for way, _ in orders] == ["ascending", "descending", None]
    assert orders[0][1] == numbers and orders[2][1] == first
    assert orders[1][1] == sorted(first, key=lambda text: -int(text.replace(",", "")))
    assert quiet(tab, report)


async def test_a_part_folds_and_print_shows_it_all_the_same(browser: Browser, report: Path) -> None:
    tab = await opened(browser, report)
    height = "document.querySelector('#gaps').parentElement.offsetHeight"
    whole = await tab.run(height)
    await tab.run("document.querySelector('#gaps .fold').focus()")
    await tab.press("Enter", 13)
    assert await tab.run("document.querySelector('#gaps .fold').getAttribute('aria-expanded')") == "false"
    assert await tab.run(height) < whole / 5
    await tab.call("Emulation.setEmulatedMedia", media="print")
    assert await tab.run(height) > whole / 5
    assert await tab.run("document.querySelector('.tools').offsetParent") is None
    await tab.call("Emulation.setEmulatedMedia", media="screen")
    anchor = await tab.run("document.querySelector('article.gap').id")
    await tab.run(f"location.hash = '#{anchor}'")  # a link into it unfolds it
    await tab.until_true(f"document.getElementById('{anchor}').offsetParent !== null")
    assert quiet(tab, report)


async def test_the_graph_has_every_node_and_follows_a_chain(browser: Browser, report: Path) -> None:
    tab = await opened(browser, report)
    graph = factory.sample().graph
    assert await tab.run("document.querySelectorAll('.node').length") == len(graph.nodes)
    start = next(edge.before for edge in graph.reduced)
    index = [node.key for node in graph.nodes].index(start)
    after = {edge.after.partition("@")[0] for edge in graph.reduced if edge.before == start}
    rule = start.partition("@")[0]
    await tab.run("document.querySelector('.node[tabindex=\"0\"]').focus()")
    for _ in range(len(graph.nodes)):
        if (await tab.run("document.activeElement.textContent")).startswith(f"{rule},"):
            break
        await tab.press("ArrowDown", 40)
    await tab.press("Enter", 13)
    said = await tab.run("document.querySelector('.said').textContent")
    assert said.startswith(rule) and all(each in said.partition("Opens the way for")[2] for each in after), index
    dimmed = await tab.run("document.querySelectorAll('.node.dim').length")
    await tab.press("ArrowRight", 39)
    assert (await tab.run("document.activeElement.textContent")).split(",")[0] in after
    await tab.run("document.querySelector('.explorer input').click()")
    left = await tab.run("document.querySelectorAll('.node').length")
    assert left == len(graph.nodes) - dimmed
    box = "document.querySelector('.explorer svg').getAttribute('viewBox')"
    before = await tab.run(box)
    await tab.run("document.querySelector('.explorer [aria-label=\"Zoom in\"]').click()")
    assert await tab.run(box) != before
    assert quiet(tab, report)


async def test_without_scripts_the_page_is_whole(browser: Browser, report: Path) -> None:
    tab = await opened(browser, report, scripts=False)
    await tab.call("Emulation.setScriptExecutionDisabled", value=False)
    assert await tab.run("document.querySelector('.tools, .fold, .explorer')") is None
    hidden = "[...document.querySelectorAll('main table, main article')].filter((each) => !each.offsetParent)"
    assert await tab.run(f"{hidden}.length") == 0
    assert quiet(tab, report)


async def test_a_text_without_a_break_breaks_no_layout(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page_of(factory.hostile("N" * 200)), "utf-8")
    for width in (PHONE, DESKTOP):
        tab = await opened(browser, path, width)
        root = "document.documentElement"
        assert await tab.run(f"{root}.scrollWidth <= {root}.clientWidth"), width


async def test_no_text_leaves_the_data_of_the_graph(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page_of(factory.hostile("</script><script>window.broken=1</script><!--<script>")), "utf-8")
    tab = await opened(browser, path)
    assert await tab.run("window.broken") is None
    assert await tab.run("document.querySelectorAll('.node').length") == len(factory.sample().graph.nodes)
    assert quiet(tab, path)


def axe() -> Path | None:
    """axe-core: the file that INTERLOCK_AXE names, or that of the development package."""
    if named := os.environ.get("INTERLOCK_AXE"):
        return Path(named)
    found = importlib.util.find_spec("axe_core_python")
    return Path(found.origin).with_name("axe.min.js") if found and found.origin else None


@pytest.mark.long
@pytest.mark.skipif(axe() is None, reason="no axe-core; INTERLOCK_AXE names an axe.min.js")
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing(browser: Browser, report: Path, width: int, dark: bool) -> None:
    library = axe()
    assert library is not None
    tab = await opened(browser, report, width, dark=dark)
    await tab.run(library.read_text("utf-8"))
    found = await tab.run(
        "axe.run({resultTypes: ['violations']}).then(({violations}) => violations.map(({id, nodes}) =>"
        " [id, ...nodes.slice(0, 3).map(({html}) => html.slice(0, 200))]))"
    )
    assert found == []
