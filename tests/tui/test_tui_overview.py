"""The overview: verdict, organisations and gates, blockers, what to do and to answer first, who owes, what moved."""

from __future__ import annotations

import re

import pytest

from interlock.model.base import GapClass, Recommendation, RuleOutcome, Status
from interlock.model.response import Response
from interlock.tui.screens.overview import GROUPED, _grouped
from interlock.tui.widgets.rows import Rows
from interlock.usecases.blockers import blockers
from interlock.usecases.judge import judge
from interlock.usecases.load import load_inputs
from interlock.usecases.milestone import save_milestone

RULE = re.compile(r"\b[A-Z]{2,5}-\d{3}\b")
ARABIC, LONG = "مستشفى الملك فيصل التخصصي", "Very Long Hospital Name " * 8


async def test_the_start_tells_where_it_stands_what_blocks_what_is_first_and_who_owes(terminal, workspace):
    for old, new in (("Lakeshore Health System", ARABIC), ("Pinecrest Community Hospital", LONG.strip())):
        for path in (workspace.root / "orgs").glob("*.yaml"):
            path.write_text(path.read_text().replace(f"name: {old}", f"name: {new}"))
    owed = Response(status=Status.UNANSWERED, assignee="Bob Lake", due="2020-01-02", by="Ada")
    workspace.save_response("product", "extra.count", owed, before=None)
    async with terminal((160, 60)) as t:
        state = t.app.state
        for org in state.judgement.readiness:
            assert t.app.screen.query_one("#orgs", Rows).keys.count(org.org) == 1
        rows = t.of_rows("#orgs")
        assert ARABIC in rows and "Very Long Hospital" in rows and "never probed" in rows
        riverside = state.readiness_of("riverside")
        assert f"?{len(riverside.gates[1].undecided)}" in rows and "✓" in rows
        # What blocks stands side by side, in words.
        for selector, gap_class in (
            ("#product-blockers", GapClass.PRODUCT_BLOCKER),
            ("#integration-blockers", GapClass.INTEGRATION_BLOCKER),
        ):
            found, said = blockers(state.judgement, gap_class), t.of(selector)
            assert all(" ".join(blocker.title.split()) in said for blocker in found[:3])
            assert not RULE.search(said)
            by_rule = {(f.rule, f.outcome is RuleOutcome.UNKNOWN) for f in state.judgement.findings}
            assert {(blocker.rule, blocker.undecided) for blocker in found} <= by_rule
        assert (
            t.app.screen.query_one("#product-blockers").region.y
            == t.app.screen.query_one("#integration-blockers").region.y
        )
        # First things are told in words, with what to do; ids stay where details are.
        first = t.of_rows("#first-things")
        for thing in state.assessment.plan.first:
            assert thing.key not in first
        below = {row.key: row.below.plain for row in t.app.screen.query_one("#first-things", Rows)._rows}
        assert {thing.key: thing.what_to_do for thing in state.assessment.plan.first} == below
        assert "What if" in t.of("#verdict") and not RULE.search(t.of("#verdict"))
        following = t.of("#next")
        assert " ".join(state.next_question.text.split()) in following
        assert "! Bob Lake: 1 answer, 1 overdue" in following and "Nobody is named for" in following
        await t.until(lambda: "No milestone yet" in t.of("#forecast"))
        # The keyboard reaches the last panel on a small screen.
        await t.pilot.resize_terminal(80, 24)
        await t.until(lambda: t.app.screen.has_class("-narrow"))
        assert "Do first" in t.text and "since the last milestone" not in t.text
        await t.press(*["tab"] * 6)
        await t.until(lambda: t.app.focused is not None and t.app.focused.id == "forecast")
        await t.until_shown("since the last milestone")
        await t.press("shift+tab", "shift+tab", "enter")
        await t.until(lambda: t.app.current_mode == "gaps")
        worst = blockers(state.judgement, GapClass.INTEGRATION_BLOCKER)[0].keys[0]
        await t.until(lambda: t.app.screen.query_one("#gaps", Rows).key == worst)
        await t.press("1")
        # What has moved since the last milestone.
        save_milestone(workspace, "start", state.assessment)
        changed = Response(status=Status.ANSWERED, value="changing", by="Ada")
        before = state.inputs.product["boundary.output_stable"]
        workspace.save_response("product", "boundary.output_stable", changed, before=before)
        t.app.action_reload()
        await t.until(lambda: "Since milestone start" in t.of("#forecast") and "opened" in t.of("#forecast"))


def test_many_organisations_stand_in_groups_that_open(workspace):
    inputs = load_inputs(workspace)
    known = list(zip(inputs.organizations, judge(inputs).readiness, strict=True))
    many = [
        (org.model_copy(update={"id": f"{org.id}-{n}"}), own.model_copy(update={"org": f"{org.id}-{n}"}))
        for n in range(GROUPED)
        for org, own in known
    ]
    groups = {own.recommendation for _, own in many}
    folded = _grouped(many, set())
    assert [row.key for row in folded] == [f"group:{each.value}" for each in Recommendation if each in groups]
    first = folded[0]
    inside = [org.id for org, own in many if first.key.endswith(own.recommendation.value)]
    assert f"{len(inside)}" in first.cells[0].plain and first.cells[2].plain.endswith(f"/{len(inside)}")
    unfolded = [row.key for row in _grouped(many, {first.key})]
    assert unfolded[: len(inside) + 1] == [first.key, *inside]


@pytest.mark.usefixtures("unplanned")
async def test_what_the_product_is_is_said_here_and_undone(terminal, workspace):
    from textual.widgets import Select

    from interlock.tui.widgets.fields import Segments

    path = workspace.root / "interlock.yaml"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("kind:")) + "\n")
    before = path.read_bytes()
    async with terminal((80, 24)) as t:
        await t.press("1")
        await t.until_shown("says what kind of product it is")
        await t.press("e")
        await t.until(lambda: t.app.screen.query("#kind"))
        t.app.screen.query_one("#kind", Select).value = "backend_service"
        t.app.screen.query_one("#product").value = ""
        await t.press("ctrl+s")
        await t.until_shown("! ")
        assert path.read_bytes() == before, "a product without a name is refused, and nothing is written"
        t.app.screen.query_one("#product").value = "Sentinel"
        t.app.screen.query_one("#target_gate", Segments)._choose("production")
        await t.press("ctrl+s")
        await t.until(lambda: t.app.state.inputs.settings.kind == "backend_service")
        settings = t.app.state.inputs.settings
        assert (settings.product, settings.target_gate, settings.profile) == ("Sentinel", "production", "full")
        assert "# " in path.read_text() and "says what kind of product it is" not in t.text
        await t.press("ctrl+z")
        await t.until(lambda: path.read_bytes() == before)
