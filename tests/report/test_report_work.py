"""The plan's work as other programs import it: complete, resolvable, and nothing quoted in it does anything."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import assessment_factory as factory
import pytest

from interlock.model.assessment import Assessment
from interlock.model.base import Gate, Owner
from interlock.model.errors import InterlockError
from interlock.model.plan import PlanTask
from interlock.report.work import dates, oscal, trackers
from interlock.report.work.items import LABEL_LIMIT, as_html, as_markdown, as_text, work_items

pytestmark = pytest.mark.fast

NOW = datetime(2026, 9, 8, 14, 3, tzinfo=UTC)
HOSTILE = "=CMD() @everyone #12 [[x]] {code} <script>alert(1)</script> ![a](http://x) `b` | *c*"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def hostile() -> Assessment:
    """The sample with names, titles and messages that want to be more than text."""
    sample = factory.sample()
    graph = sample.graph.model_copy(
        update={"nodes": tuple(n.model_copy(update={"title": HOSTILE, "message": HOSTILE}) for n in sample.graph.nodes)}
    )
    plan = sample.plan.model_copy(
        update={"tasks": tuple(task.model_copy(update={"title": HOSTILE}) for task in sample.plan.tasks)}
    )
    orgs = tuple(org.model_copy(update={"name": HOSTILE}) for org in sample.organizations)
    return sample.model_copy(update={"graph": graph, "plan": plan, "organizations": orgs, "product": HOSTILE})


def task(key: str, kind: str, wave: int, after: tuple[str, ...]) -> PlanTask:
    return PlanTask(
        id=key, title=key, kind=kind, org=None, owner=Owner.US, gate=Gate.PILOT, wave=wave, after=after,
        effort=None, lead_time=None, start_p50=0, finish_p50=1, criticality=0,
    )  # type: ignore[arg-type]  # fmt: skip


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_items_are_the_open_and_undecided_tasks_of_the_plan() -> None:
    sample = factory.sample()
    items = work_items(sample)
    assert {item.id for item in items} == {t.id for t in sample.plan.tasks if t.kind != "routine"}
    assert {item.id for item in work_items(sample, routine=True)} == {t.id for t in sample.plan.tasks}
    assert all(key in {item.id for item in items} for item in items for key in item.blocked_by)


def test_without_routine_tasks_an_item_waits_for_what_is_behind_them() -> None:
    tasks = (
        task("A", "gap", 0, ()),
        task("s1", "routine", 1, ("A",)),
        task("s2", "routine", 2, ("s1",)),
        task("B", "gap", 3, ("s2", "gone")),
    )
    sample = factory.sample()
    assessment = sample.model_copy(update={"plan": sample.plan.model_copy(update={"tasks": tasks})})
    assert {item.id: item.blocked_by for item in work_items(assessment)} == {"A": (), "B": ("A",)}
    assert {item.id: item.blocked_by for item in work_items(assessment, routine=True)}["B"] == ("s2",)


def test_something_undecided_is_never_told_as_a_fact() -> None:
    sample = factory.sample()
    undecided = {node.key: node for node in sample.graph.nodes if node.kind == "discovery"}
    items = [item for item in work_items(sample) if item.id in undecided]
    assert items
    for item in items:
        assert "Does this hold?" in item.title and "to-find-out" in item.labels
        assert undecided[item.id].message != item.message


@pytest.mark.parametrize("tracker", ["github", "jira", "azure"])
def test_a_csv_file_has_a_row_an_item_and_no_formula(tracker: trackers.Tracker) -> None:
    items = work_items(hostile(), routine=True)
    table = rows(trackers.write(items, tracker, "csv"))
    assert len(table) == len(items) + 1
    assert {len(row) for row in table} == {len(table[0])}
    assert not [cell for row in table for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]
    calls = r"@everyone|#12" if tracker == "azure" else r"@everyone|#12|\[\["
    assert not [cell for row in table for cell in row if re.search(calls, cell)]


@pytest.mark.parametrize("tracker", ["github", "jira", "azure"])
def test_json_has_the_same_items_and_links_that_resolve(tracker: trackers.Tracker) -> None:
    items = work_items(factory.sample(), routine=True)
    expected = Counter((key, item.id) for item in items for key in item.blocked_by)
    assert expected
    data = json.loads(trackers.write(items, tracker, "json"))
    if tracker == "github":
        blockers = Counter((key, entry["id"]) for entry in data for key in entry["blocked_by"])
        assert all(len(label) <= LABEL_LIMIT for entry in data for label in entry["issue"]["labels"])
    elif tracker == "jira":
        blockers = Counter((link["sourceId"], link["destinationId"]) for link in data["links"])
        assert {issue["externalId"] for issue in data["projects"][0]["issues"]} == {item.id for item in items}
    else:
        blockers = Counter((link["target"], link["source"]) for link in data["links"])
        assert all(step["op"] == "add" for entry in data["work_items"] for step in entry["patch"])
    assert blockers == expected


def test_jira_links_name_the_rows_of_the_same_file() -> None:
    items = work_items(factory.sample(), routine=True)
    head, *table = rows(trackers.write(items, "jira", "csv"))
    number, key = head.index("Issue ID"), head.index("External issue ID")
    names = {row[number]: row[key] for row in table}
    links = [index for index, name in enumerate(head) if name.startswith("Outward issue link")]
    blockers = {(row[key], names[row[index]]) for row in table for index in links if row[index]}
    assert blockers == {(before, item.id) for item in items for before in item.blocked_by}


def test_bodies_say_why_what_and_what_they_wait_for() -> None:
    first = next(item for item in work_items(factory.sample()) if item.why)
    item = first.model_copy(update={"blocked_by": ("AUTH-001@x",), "message": HOSTILE})
    assert "<script" not in as_markdown(item) and "<script" not in as_html(item)
    for body in (as_markdown(item), as_text(item), as_html(item)):
        assert "Why it matters" in body and "What to do" in body and "Waits for" in body
        assert item.blocked_by[0].partition("@")[0] in body


def test_nothing_to_do_is_an_empty_list_not_an_error() -> None:
    items = work_items(factory.minimal())
    assert rows(trackers.write(items, "github", "csv")) == [["id", "title", "body", "labels", "blocked_by"]]
    assert json.loads(trackers.write(items, "jira", "json"))["links"] == []


# -- OSCAL -----------------------------------------------------------------------------------------------------------


def poam(assessment: Assessment, now: datetime = NOW) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(oscal.render(assessment, now=now, version="0.1.0"))
    assert list(document) == ["plan-of-action-and-milestones"]
    body: dict[str, Any] = document["plan-of-action-and-milestones"]
    return body


def everything(value: object, name: str = "") -> list[tuple[str, object]]:
    """Every member of a document with its name."""
    values: list[tuple[str, object]] = [(name, value)]
    if isinstance(value, list):
        for child in value:
            values += everything(child, name)
    elif isinstance(value, dict):
        for key, child in value.items():
            values += everything(child, key)
    return values


@pytest.mark.parametrize("assessment", [factory.sample(), hostile()], ids=["sample", "hostile"])
def test_oscal_keeps_what_its_schema_demands(assessment: Assessment) -> None:
    body = poam(assessment)
    assert {"title", "last-modified", "version", "oscal-version"} <= set(body["metadata"])
    assert body["poam-items"], "minItems 1"
    assert all({"title", "description"} <= set(item) for item in body["poam-items"])
    for risk in body.get("risks", ()):
        assert {"uuid", "title", "description", "statement", "status"} <= set(risk)
        assert risk["status"] in {"open", "investigating"}
        assert all(
            {"uuid", "lifecycle", "title", "description"} <= set(remediation) for remediation in risk["remediations"]
        )
    for observation in body.get("observations", ()):
        assert {"uuid", "description", "methods", "collected"} <= set(observation)
        assert datetime.fromisoformat(observation["collected"]).tzinfo is not None
    members = everything(body)
    assert not [name for name, value in members if value in ([], {}, "", None)], "no empty member"
    for name, value in members:
        if name == "title":
            assert isinstance(value, str) and "\n" not in value and value
        if name in {"name", "value"}:
            assert re.fullmatch(r"\S(.*\S)?", str(value))
        if name == "uuid" or name.endswith("-uuid"):
            assert UUID.fullmatch(str(value))


def test_oscal_is_not_written_when_nothing_is_open() -> None:
    with pytest.raises(InterlockError, match="nothing is open"):
        oscal.render(factory.minimal(), now=NOW, version="0.1.0")


def test_oscal_references_resolve_and_identifiers_are_unique() -> None:
    body = poam(factory.sample())
    members = everything(body)
    own = [str(value) for name, value in members if name == "uuid"]
    assert len(own) == len(set(own))
    references = {str(value) for name, value in members if name.endswith("-uuid")}
    assert references <= set(own)


def test_oscal_identifiers_stay_and_the_documents_own_changes_with_its_content() -> None:
    first, again, later = poam(factory.sample()), poam(factory.sample()), poam(factory.sample(), NOW.replace(day=9))
    assert first == again
    assert first["uuid"] != later["uuid"]
    assert [item["uuid"] for item in first["poam-items"]] == [item["uuid"] for item in later["poam-items"]]


def test_oscal_undecided_is_investigated_and_open_is_open() -> None:
    sample = factory.sample()
    kinds = {node.key: node.kind for node in sample.graph.nodes}
    body = poam(sample)
    keys = {item["related-risks"][0]["risk-uuid"]: item["props"][0]["value"] for item in body["poam-items"]}
    for risk in body["risks"]:
        expected = "open" if kinds[keys[risk["uuid"]]] == "gap" else "investigating"
        assert risk["status"] == expected


def test_oscal_has_the_deadlines_that_were_stated_and_no_others_without_ground() -> None:
    sample = factory.sample()
    due, *others = [task for task in sample.plan.tasks if task.kind == "gap"]

    def deadlines(*, firm: bool) -> dict[str, str | None]:
        days = {"starts": "2027-01-11", "ends": "2027-01-20", "latest": "2027-02-01"}
        tasks = [task.but(**days) for task in others]
        plan = sample.plan.but(tasks=(due.but(due="2026-12-24"), *tasks))
        body = poam(sample.but(plan=plan.but(ground=plan.ground.but(firm=firm))))
        steps = [step for risk in body["risks"] for step in risk["remediations"][0]["tasks"] if "timing" in step]
        assert any("2027-02-01T23:59:59+00:00" in str(step["timing"]) for step in steps)
        keys = {item["related-risks"][0]["risk-uuid"]: item["props"][0]["value"] for item in body["poam-items"]}
        return {keys[risk["uuid"]]: risk.get("deadline") for risk in body["risks"]}

    ranges, dated = deadlines(firm=False), deadlines(firm=True)
    assert ranges[due.id] == dated[due.id] == "2026-12-24T23:59:59+00:00"
    assert {ranges[task.id] for task in others} == {None}, "a range is no deadline"
    assert {dated[task.id] for task in others} == {"2027-02-01T23:59:59+00:00"}


def test_oscal_is_valid_for_a_reader_of_its_own() -> None:
    trestle = pytest.importorskip("trestle.oscal.poam", reason="compliance-trestle is not installed")
    for assessment in (factory.sample(), hostile()):
        body = poam(assessment)
        body["metadata"]["oscal-version"] = "1.2.1"  # the one version that this reader takes; the model is the same
        trestle.PlanOfActionAndMilestones.model_validate(body)


# -- iCalendar -------------------------------------------------------------------------------------------------------


def test_without_ground_a_calendar_has_one_range_an_organisation() -> None:
    from icalendar import Calendar

    sample = factory.sample()
    events = Calendar.from_ical(dates.render(sample, now=NOW)).walk("VEVENT")
    assert len(events) == len(sample.plan.orgs) + 1
    finish = sample.plan.finish
    ends = {(event.decoded("DTSTART").isoformat(), event.decoded("DTEND").isoformat()) for event in events}
    assert (finish.first_date, "2027-06-12") in ends and finish.p90_date == "2027-06-11"
    assert all("no date to promise" in str(event["SUMMARY"]) for event in events)
    assert all("Harborview Clinics was never observed" in str(event["DESCRIPTION"]) for event in events)


def test_with_ground_a_calendar_has_two_days_an_organisation_and_keeps_its_uids() -> None:
    from icalendar import Calendar

    sample = factory.firm()
    read = Calendar.from_ical(dates.render(sample, now=NOW))
    events = read.walk("VEVENT")
    assert len(events) == 2 * (len(sample.plan.orgs) + 1)
    assert len({str(event["UID"]) for event in events}) == len(events)
    days = {event.decoded("DTSTART").isoformat() for event in events}
    assert sample.plan.finish.p80_date in days
    again = Calendar.from_ical(dates.render(sample, now=NOW.replace(year=2027)))
    assert [str(event["UID"]) for event in again.walk("VEVENT")] == [str(event["UID"]) for event in events]


def test_a_hostile_name_stays_in_its_line_of_the_calendar() -> None:
    from icalendar import Calendar

    sample = factory.sample()
    named = sample.organizations[0].model_copy(update={"name": "A\r\nBEGIN:VALARM\r\nEND:VALARM"})
    assessment = sample.model_copy(update={"organizations": (named, *sample.organizations[1:])})
    written = dates.render(assessment, now=NOW)
    assert b"\r\nBEGIN:VALARM" not in written
    assert not Calendar.from_ical(written).walk("VALARM")


def test_without_a_plan_the_calendar_is_empty() -> None:
    from icalendar import Calendar

    assert Calendar.from_ical(dates.render(factory.minimal(), now=NOW)).walk("VEVENT") == []
