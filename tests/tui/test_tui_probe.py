"""Probing the simulated organisations from the screen: progress, cards, cancelling, and what it changes."""

from __future__ import annotations

import pytest

from interlock.usecases import probe as probe_usecase
from interlock.workspace.history import latest_observation


@pytest.mark.parametrize("size", [(80, 24), pytest.param((160, 48), marks=pytest.mark.long)])
async def test_probe_all_shows_what_was_seen_and_moves_the_assessment(terminal, workspace, size):
    async with terminal(size) as t:
        before = {s.org: s.stage for s in t.app.state.assessment.readiness}
        await t.press("3", "a")
        await t.until(lambda: len(t.app.state.inputs.observations) == 4 and not t.app.state.probing)
        await t.settled()
        outcomes = {org: observation.outcome for org, observation in t.app.state.inputs.observations.items()}
        assert outcomes == {
            "riverside": "observed",
            "lakeshore": "observed",
            "pinecrest": "observed",
            "harborview": "not_observed",
        }
        assert latest_observation(workspace, "riverside") == t.app.state.inputs.observations["riverside"]
        after = {s.org: s.stage for s in t.app.state.assessment.readiness}
        assert after["riverside"].value == "pilot" and before["riverside"] != after["riverside"]
        assert not t.app.state.changed_files, "what we wrote ourselves is not somebody else's change"
        await t.press("home")
        card = t.of("#card")
        assert "not observed" in card and "Why not" in card
        assert "nothing is held against the organisation" in card
        assert "Nothing is off" not in card and "fail" not in card.lower().replace("failing", "")
        await t.press("down")
        card = t.of("#card")
        assert "What it publishes" in card and "R4 (4.0.1)" in card and "Contract fit" in card
        await t.press("down")
        assert "SMART-001" in t.of("#card"), "a failed check is told with its message"


@pytest.mark.usefixtures("unplanned")
async def test_one_organisation_can_be_probed_from_its_page(terminal):
    async with terminal() as t:
        t.app.show_organization("riverside")
        await t.until_shown("Riverside Regional Medical Center")
        await t.press("p")
        await t.until(lambda: "riverside" in t.app.state.inputs.observations, 30)
        assert set(t.app.state.inputs.observations) == {"riverside"}
        await t.until(lambda: "What it publishes" in t.of("#evidence"))


async def test_a_probe_is_cancelled_or_stops_with_its_reason_and_who_has_no_address_is_named(
    terminal, workspace, monkeypatch
):
    import asyncio

    from interlock.model.errors import WorkspaceError

    async def endless(targets, settings, on_event=None, workspace=None, wanted=None):
        on_event(probe_usecase.ProbeEvent(targets[0], "started", "probing [red]slowly[/red]"))
        await asyncio.sleep(3600)
        yield

    async def failing(targets, settings, on_event=None, workspace=None, wanted=None):
        raise WorkspaceError("not saved: the disk is full")
        yield

    (workspace.root / "orgs" / "zion.yaml").write_text("id: zion\nname: Zion Hospital\n")
    async with terminal() as t:
        monkeypatch.setattr(probe_usecase, "probe_targets", endless)
        await t.press("3", "p")
        await t.until_shown("probing [red]slowly[/red]")
        assert "x Cancel" in t.text and "Probe all" in t.text
        await t.press("x")
        await t.until(lambda: not t.app.state.probing)
        await t.until_shown("cancelled")
        monkeypatch.setattr(probe_usecase, "probe_targets", failing)
        await t.press("p")
        await t.until_shown("the disk is full")
        await t.until(lambda: "– stopped" in t.of_rows("#probe-list") and not t.app.state.probing)
        t.app.probe(["zion"])
        await t.until_shown("No FHIR base URL: Zion Hospital")
        assert not t.app.state.probing and not t.app.state.inputs.observations


@pytest.mark.usefixtures("unplanned")
async def test_a_row_is_cancelled_alone_and_probed_again_and_marked_rows_together(terminal, monkeypatch):
    import asyncio

    from interlock.probe import runner

    observe, stuck = runner.observe, {"lakeshore"}

    async def slow(target, client, settings, on_event=None):
        on_event(probe_usecase.ProbeEvent(target, "started", "knocking"))
        if target.org in stuck:
            await asyncio.sleep(3600)
        return await observe(target, client, settings, on_event)

    monkeypatch.setattr(runner, "observe", slow)
    async with terminal() as t:
        rows = lambda: {org: row.state for org, row in t.app.state.probes.items()}  # noqa: E731
        await t.press("3", "a")
        await t.until(lambda: list(rows().values()).count("finished") == 3)
        assert rows()["lakeshore"] == "running" and t.app.state.probing
        await t.press("home", "down", "x")
        await t.until(lambda: rows()["lakeshore"] == "cancelled" and not t.app.state.probing)
        assert "– cancelled" in t.of_rows("#probe-list") and " s " in t.of_rows("#probe-list")
        assert "lakeshore" not in t.app.state.inputs.observations
        stuck.clear()
        await t.press("space", "up", "space")
        assert "Probe 2 marked" in t.text
        await t.press("p")
        await t.until(lambda: rows() == {"lakeshore": "finished", "harborview": "finished"})
        assert t.app.state.inputs.observations["lakeshore"].outcome == "observed"


@pytest.mark.usefixtures("unplanned")
async def test_a_private_address_that_a_file_brought_is_left_alone_until_somebody_allows_it(terminal, workspace):
    path = workspace.root / "orgs" / "riverside.yaml"
    path.write_text(path.read_text().replace("sandbox://riverside", "http://127.0.0.1:9/fhir"))
    seen = lambda: t.app.state.inputs.observations["riverside"].requests[0].failure  # noqa: E731
    async with terminal((80, 24), section="probe") as t:
        await t.press("end", "p")
        await t.until(lambda: "riverside" in t.app.state.inputs.observations and not t.app.state.probing)
        assert seen() == "refused" and "t allows it: 127.0.0.1 is in a private network" in t.of_rows("#probe-list")
        await t.press("t")
        await t.until_shown("http://127.0.0.1:9/fhir is in a private network")
        await t.press("enter")
        assert seen() == "refused" and not t.app.state.probing, "the safe answer has the focus"
        await t.press("t")
        await t.until_shown("Contact Riverside")
        await t.press("left", "enter")
        await t.until(lambda: seen() != "refused" and not t.app.state.probing)


@pytest.mark.usefixtures("unplanned")
async def test_what_changed_since_the_last_time_needs_two_observations_and_goes_back_to_the_card(terminal):
    async with terminal(section="probe") as t:
        await t.press("end", "d")
        await t.until(lambda: "and two are compared" in t.of("#card"))
        for _ in range(2):
            t.app.probe(["riverside"])
            await t.until(lambda: t.app.state.probing)
            await t.until(lambda: not t.app.state.probing)
        await t.press("escape", "d")
        await t.until(lambda: "Ranked by" in t.of("#card"))
        assert "Nothing changed" in t.of("#card") or "→" in t.of("#card")
        await t.press("escape")
        await t.until(lambda: "What it publishes" in t.of("#card"))
