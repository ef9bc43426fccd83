"""The page of the product's rehearsal: rows as they become known, what broke in words, the way to the answer."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from interlock.model.base import Severity
from interlock.model.errors import InterlockError
from interlock.model.rehearsal import ProductObservation, RehearsalOutcome, RehearsalResult, RehearsedApp
from interlock.tui import work
from interlock.tui.page import Page
from interlock.tui.rehearsal_page import draw_about
from interlock.usecases import rehearsal_checks
from interlock.usecases import rehearse as usecase
from interlock.workspace.history import latest_rehearsal, save_rehearsal

PRODUCT = """
launch_url: http://127.0.0.1:8000/launch
organizations: [{id: alder, client_id: a, redirect_uri: "http://127.0.0.1:8000/alder/callback"}]
"""
HELD = RehearsalResult(
    id="RH-L01",
    outcome=RehearsalOutcome.HELD,
    severity=Severity.CRITICAL,
    title="A polite launch",
    organization="alder",
)
BROKE = RehearsalResult(
    id="RH-E01",
    outcome=RehearsalOutcome.BROKE,
    severity=Severity.CRITICAL,
    title="Without a session an endpoint shows nothing",
    subject="/{org}/[b]trend[/b].svg",
    about="viewer",
    seen="without a session it shows a record of alder p1",
    requests=(7, 12),
)
#: How many checks there are to look at.
ALL = len(rehearsal_checks.catalogue())


class Stage:
    """A rehearsal that tells two rows, and ends when it is let or told to."""

    def __init__(self) -> None:
        self.go_on, self.problem = threading.Event(), None
        self.started = 0

    def rehearse_product(self, workspace, *, on_result, stop, **options):
        product = usecase.product_of(workspace)
        self.started += 1
        if self.problem is not None:
            raise self.problem
        for row in (HELD, BROKE):
            on_result(row)
        while not (self.go_on.wait(0.01) or stop()):
            pass
        if stop():  # the others are told as not reached
            on_result(HELD.but(id="RH-L02", outcome=RehearsalOutcome.NOT_REACHED, seen="it was told to stop"))
        observation = ProductObservation(
            app=RehearsedApp(launch_url=product.launch_url),
            started=datetime.now(UTC),
            elapsed_ms=5,
            driver="http",
            layout="ports",
            organizations=("alder",),
            polite=True,
            results=(HELD, BROKE),
        )
        if not stop():
            save_rehearsal(workspace, observation)
        return observation


@pytest.fixture
def stage(monkeypatch):
    stage = Stage()
    monkeypatch.setattr(usecase, "rehearse_product", stage.rehearse_product)
    yield stage
    stage.go_on.set()


async def test_a_rehearsal_is_watched_and_what_broke_leads_to_the_answer_that_it_contradicts(
    terminal, workspace, stage
):
    async with terminal((80, 24)) as t:
        await t.press("3", "h")
        await t.until_shown("There is no product.yaml")
        assert "rehearse --write-env FILE" in t.flat_text and "Nothing was looked at yet" in t.text
        await t.press("r")
        await t.until_shown("there is no product.yaml")
        assert not stage.started
        (workspace.root / "product.yaml").write_text(PRODUCT)
        await t.press("r")
        await t.until_shown("✗ broke")
        assert f"2 of {ALL} checks looked at; 1 broke escape cancels it" in t.flat_text
        rows = t.of_rows("#rehearsal-rows")
        assert (
            rows.index("Broke 1 check, 1 row") < rows.index("/{org}/[b]") < rows.index("✓ held RH-L01 A polite launch")
        )
        assert t.app.screen.check_action("run", ()) is False, "one at a time"
        stage.go_on.set()
        await t.until(lambda: t.app.state.inputs.rehearsal is not None)
        await t.settled()
        await t.until(lambda: "1 of 2 checks held; 1 broke." in t.of("#rehearsal-about"))
        assert t.app.state.contradiction("product", "endpoints.viewers") is not None
        card = t.of("#rehearsal-card")
        assert "We did Opens each endpoint" in card and "shows a record of alder p1. requests 7 and 12" in card
        assert "Right is Refused (401, 403, 404)" in card and "Answered" in card and "as it was observed" in card
        await t.press("enter")
        await t.until(lambda: t.app.current_mode == "questions")
        await t.until_shown("An observation says otherwise")
        assert t.app.screen.position == ("product", "endpoints.viewers")
        assert not t.app.state.changed_files, "what we wrote ourselves is not somebody else's change"


@pytest.mark.usefixtures("unplanned")
async def test_a_rehearsal_is_cancelled_or_ends_with_its_reason_and_a_program_waits_for_trust(
    terminal, workspace, stage
):
    (workspace.root / "product.yaml").write_text(f"{PRODUCT}start: {{command: 'python app.py'}}\n")
    with pytest.raises(InterlockError, match="no program is started from a browser"):
        work.rehearse(workspace, on_result=lambda row: None, stop=lambda: False, in_browser=True)
    assert not stage.started
    page = Page(100)
    draw_about(page, work.rehearsable(workspace, None), in_browser=True)
    assert "not from a browser: run interlock rehearse in a terminal" in page.content().plain
    async with terminal() as t:
        await t.press("3", "h")
        await t.until_shown("not allowed yet: look at it, then in a terminal: interlock trust")
        assert "python app.py" in t.text
        await t.press("r")
        await t.until_shown("RH-E01")
        await t.press("escape")
        await t.until_shown(f"2 of {ALL} checks looked at; 1 broke. Nothing of it is kept.")
        assert latest_rehearsal(workspace) is None and "RH-E01" in t.text and "RH-L02" not in t.text
        stage.problem = InterlockError("the port 18410 is taken", remedy="name another: port in product.yaml")
        await t.press("r")
        await t.until_shown("the port 18410 is taken")
        assert "name another: port in product.yaml" in t.flat_text
        stage.problem = None
        await t.press("r")
        await t.until_shown("RH-E01")
        await t.press("3")
        await t.until(lambda: t.app.screen.MODE == "probe")
        await t.press("h")
        await t.until_shown("Nothing was looked at yet")
        assert latest_rehearsal(workspace) is None, "a page that is closed ends it"
        await t.press("escape")
        assert t.app.screen.MODE == "probe"
