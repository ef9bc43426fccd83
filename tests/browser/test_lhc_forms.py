"""The exported forms in NLM's LHC-Forms, in a real browser.

LHC-Forms is not part of this project. To run these tests, fetch the package and say where its ``dist`` is::

    npm pack lforms && tar xzf lforms-*.tgz
    INTERLOCK_LFORMS=$PWD/package/dist make test

They also need Chromium; ``INTERLOCK_CHROMIUM`` names one that is not on the path.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from forms_workspace import make, with_answers
from renderer import Job, Rendered, find_lforms, render

from chromium import find_browser
from interlock.cli.main import run
from interlock.fhir.forms.enablement import enabled_items, form_items
from interlock.model.base import Scope
from interlock.model.questionnaire import EnableWhen, Item, ItemType, Operator, Questionnaire
from interlock.model.response import AnswerValue, Response
from interlock.usecases.fhir_forms import export_forms
from interlock.usecases.fhir_import import plan_import
from interlock.usecases.load import Inputs, load_inputs
from interlock.workspace.store import Workspace

ORG = "north"
EXAMPLES: dict[ItemType, AnswerValue] = {
    ItemType.BOOLEAN: True,
    ItemType.INTEGER: 7,
    ItemType.DATE: "2026-03-31",
    ItemType.URL: "https://example.org/page?a=b",
    ItemType.STRING: 'Größe <b> & "so"',
    ItemType.TEXT: "One line\nand another",
}
Answers = dict[str, Response]


@dataclass(frozen=True)
class Shown:
    """A form that was rendered with some answers (none for an empty form)."""

    questionnaire: Questionnaire
    answers: Answers
    rendered: Rendered


def answered(value: AnswerValue) -> Response:
    return Response.model_validate({"status": "answered", "value": value})


def example(item: Item) -> AnswerValue:
    if item.type is ItemType.MULTI_CHOICE:
        return (item.options[-1].value,)
    return item.options[-1].value if item.options else EXAMPLES[item.type]


def satisfying(condition: EnableWhen, control: Item, already: AnswerValue | None) -> AnswerValue | None:
    """A value with which a condition holds; none when it holds without one."""
    if condition.operator is Operator.EXISTS:
        return (already if already is not None else example(control)) if condition.answer else None
    if condition.operator is Operator.NE:
        other = next(option.value for option in control.options if option.value != condition.answer)
        return (other,) if control.type is ItemType.MULTI_CHOICE else other
    if control.type is ItemType.MULTI_CHOICE:
        chosen = (*(already if isinstance(already, tuple) else ()), str(condition.answer))
        return tuple(option.value for option in control.options if option.value in chosen)
    step = {Operator.GT: 1, Operator.LT: -1}.get(condition.operator, 0)
    return condition.answer + step if isinstance(condition.answer, int) and step else condition.answer


def enabling(questionnaire: Questionnaire) -> list[Answers]:
    """Answer sets that together enable every question."""
    placed = form_items(questionnaire)
    open_ones, found = list(placed), []
    while open_ones:
        answers: Answers = {}
        for item_id in open_ones:
            for condition in placed[item_id].conditions:
                control = placed[condition.question].item
                before = answers.get(control.id)
                value = satisfying(condition, control, before.value if before else None)
                if value is not None and (before is None or control.type is ItemType.MULTI_CHOICE):
                    answers[control.id] = answered(value)
        for item in questionnaire.questions():
            answers.setdefault(item.id, answered(example(item)))
        enabled = enabled_items(questionnaire, answers)
        still = [item_id for item_id in open_ones if not enabled[item_id]]
        assert len(still) < len(open_ones), f"nothing enables {still}"
        found.append({item_id: response for item_id, response in answers.items() if enabled[item_id]})
        open_ones = still
    return found


def by_scope(inputs: Inputs, answers: Mapping[str, Response]) -> dict[str, dict[str, Response]]:
    scopes: dict[str, dict[str, Response]] = {"product": {}, ORG: {}}
    for item_id, response in answers.items():
        scopes[ORG if inputs.content.items[item_id].scope is Scope.ORG else "product"][item_id] = response
    return scopes


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make(tmp_path_factory.mktemp("forms") / "w", ORG)


@pytest.fixture(scope="module")
def inputs(workspace: Workspace) -> Inputs:
    return load_inputs(workspace)


@pytest.fixture(scope="module")
def shown(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> list[Shown]:
    """Every form: empty, then with answers until each of its questions was enabled; and last, one that is clicked."""
    lforms, browser = find_lforms(), find_browser()
    if lforms is None:
        pytest.skip("no LHC-Forms: INTERLOCK_LFORMS names the dist folder of the npm package lforms")
    if browser is None:
        pytest.skip("no Chromium: INTERLOCK_CHROMIUM names one")
    jobs: list[tuple[Questionnaire, Answers, Job]] = []
    empty = export_forms(inputs).files
    for questionnaire in inputs.content.questionnaires:
        form = json.loads(empty[f"Questionnaire-{questionnaire.id}.json"])
        jobs.append((questionnaire, {}, Job(form)))
        for answers in enabling(questionnaire):
            jobs.append((questionnaire, answers, Job(form, response_to(inputs, questionnaire, answers))))
    zoo = next(q for q in inputs.content.questionnaires if q.id == "zoo")
    form = json.loads(empty["Questionnaire-zoo.json"])
    jobs.append((zoo, {}, Job(form, click=("All of them - 1", "Red - 0.5", "Blue - 0.5"))))
    rendered = render(browser, lforms, [job for _, _, job in jobs], tmp_path_factory.mktemp("profile"))
    return [Shown(q, answers, result) for (q, answers, _), result in zip(jobs, rendered, strict=True)]


def response_to(inputs: Inputs, questionnaire: Questionnaire, answers: Answers) -> dict[str, object]:
    """The exported responses of the product and the organisation as one, as LHC-Forms reads them.

    R4 says ``valueUri`` for a ``url`` question; LHC-Forms 40.1 reads ``valueString``, and writes ``valueUrl``.
    """
    files = export_forms(with_answers(inputs, by_scope(inputs, answers))).files
    merged: dict[str, object] = {}
    items: list[object] = []
    for scope in ("product", ORG):
        if raw := files.get(f"QuestionnaireResponse-{questionnaire.id}.{scope}.json"):
            merged = json.loads(raw.replace(b'"valueUri"', b'"valueString"'))
            items += merged.get("item", [])  # type: ignore[arg-type]
    return merged | {"item": items}


def words(text: str) -> str:
    return " ".join(text.split())


def test_every_question_is_shown_exactly_when_it_is_enabled(shown: list[Shown]) -> None:
    seen: dict[str, set[str]] = {}
    for one in shown[:-1]:
        lines = [line for line in one.rendered.text.splitlines() if not line.startswith("Leave this empty unless")]
        text = words(" ".join(lines))
        assert words(one.questionnaire.title) in text
        enabled = enabled_items(one.questionnaire, one.answers)
        for item_id, placed in form_items(one.questionnaire).items():
            assert (words(placed.item.text) in text) is enabled[item_id], (item_id, bool(one.answers))
            if enabled[item_id]:
                seen.setdefault(one.questionnaire.id, set()).add(item_id)
                for option in placed.item.options:
                    assert words(option.label) in text, (item_id, option.value)
    assert seen == {one.questionnaire.id: set(form_items(one.questionnaire)) for one in shown}


def test_nothing_goes_wrong_in_the_page(shown: list[Shown]) -> None:
    assert {one.questionnaire.id: one.rendered.errors for one in shown if one.rendered.errors} == {}


def test_answers_that_were_filled_in_come_back(shown: list[Shown], inputs: Inputs, tmp_path: Path) -> None:
    for number, one in enumerate(shown[:-1]):
        if not one.answers:
            continue
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(one.rendered.response))
        planned = plan_import(with_answers(inputs, {}), [path], org=ORG)
        came_back = {change.item: change.after.value for change in planned.changes}
        assert came_back == {item_id: response.value for item_id, response in one.answers.items()}
        assert planned.kept == ()


def test_what_is_clicked_is_imported_by_the_command(shown: list[Shown], workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "clicked.json"
    path.write_text(json.dumps(shown[-1].rendered.response))
    assert run(["import", "fhir", str(path), "--org", ORG, "--workspace", str(workspace.root)]) == 0
    stored = workspace.responses("product")
    assert {item: response.value for item, response in stored.items()} == {
        "zoo.choice": "all",
        "zoo.several": ("red", "blue"),
    }
