"""The kind of product: what is not asked of it, and what says that it is of another kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.content.kinds import denied_by
from interlock.content.visibility import Hiding, hidden, visible
from interlock.model.base import ProductKind, Status
from interlock.model.contract import Launch, WorkflowContract
from interlock.model.questionnaire import Questionnaire
from interlock.model.response import Response, Responses
from interlock.usecases.initialize import initialize
from interlock.usecases.lint import lint_content
from interlock.usecases.load import load_content, load_inputs

BACKEND = ProductKind.BACKEND_SERVICE
SCREENS = ["chart_app", "viewer", "patient_app", "staff_app"]
STARTED = {
    "id": "a.started",
    "type": "multi_choice",
    "text": "How does it start?",
    "options": [
        {"value": "launch", "label": "By a launch", "kinds": SCREENS},
        {"value": "service", "label": "As a service"},
    ],
}
FRAME = {
    "id": "a.frame",
    "type": "boolean",
    "text": "Is it framed?",
    "kinds": SCREENS,
    "enable_when": [{"question": "a.started", "operator": "=", "answer": "launch"}],
}
FORM = Questionnaire.model_validate({"id": "q", "version": "1", "title": "Q", "items": [STARTED, FRAME]})


def started(*values: str) -> Responses:
    return {"a.started": Response(status=Status.ANSWERED, value=values)}


@pytest.mark.parametrize(
    ("kind", "responses", "shown"),
    [
        (None, {}, None),
        (ProductKind.VIEWER, {}, None),
        (ProductKind.VIEWER, started("launch"), True),
        (BACKEND, {}, False),
        (BACKEND, started("service"), False),
        (BACKEND, started("service", "launch"), True),  # the answer says that it is no back-end service
    ],
)
def test_a_kind_hides_what_does_not_apply_unless_an_answer_says_otherwise(
    kind: ProductKind | None, responses: Responses, shown: bool | None
) -> None:
    visibility = visible([FORM], responses, kind)
    assert (visibility["a.started"], visibility["a.frame"]) == (True, shown)
    assert Hiding([FORM]).of(responses, None, kind) == hidden(visibility)


def test_a_contract_that_contradicts_the_kind_is_told_and_hides_nothing(tmp_path: Path) -> None:
    workspace = initialize(tmp_path / "ws", "ready", kind=BACKEND)  # its contract names launches from the chart
    inputs = load_inputs(workspace)
    assert (inputs.settings.kind, inputs.kind) == (BACKEND, None)
    assert inputs.visible("product")["auth.launch_context"] is True
    told = [problem for problem in lint_content(workspace.root) if problem.code == "kind"]
    lines = (workspace.root / "contract.yaml").read_text().splitlines()
    assert told[0].file is not None and told[0].file.endswith("contract.yaml")
    assert told[0].line is not None and "modes: [ehr" in lines[told[0].line - 1]
    assert told[0].message == (
        "interlock.yaml says that the product is a back-end service without a screen of its own, and the contract has "
        "a launch from the chart: change one of them; meanwhile every question is asked"
    )
    assert told[1].file is not None and told[1].file.endswith("product.yaml")
    assert "auth.launch_modes is “From inside the EHR" in told[1].message


@pytest.mark.parametrize("kind", ProductKind)
def test_only_what_a_kind_can_have_is_asked_of_it(kind: ProductKind) -> None:
    """Nobody without a browser is asked about sessions in it, and nobody loses a question that has to be asked."""
    questionnaires = load_content(None).questionnaires
    shown = visible(questionnaires, {}, kind)
    of_a_browser = {
        "auth.return_checks",
        "auth.token_refresh",
        "endpoints.redirect_targets",
        "production.user_identity",
    }
    of_a_chart = {"auth.launch_context", "auth.framing", "org.embedding_host"}
    everybody = {"boundary.output_stable", "auth.launch_modes", "auth.session_isolation", "endpoints.inventory"}
    assert {name for name in of_a_browser if shown[name] is False} == (of_a_browser if kind is BACKEND else set())
    outside = kind in {BACKEND, ProductKind.STAFF_APP}
    assert {name for name in of_a_chart if shown[name] is False} == (of_a_chart if outside else set())
    assert all(shown[name] for name in everybody)
    assert (shown["boundary.alert_burden"] is False) == (kind is ProductKind.PATIENT_APP)


def test_a_contract_without_launches_contradicts_no_kind() -> None:
    contract = WorkflowContract(version="1", title="T", launch=Launch(modes=("backend",)))
    assert [list(denied_by(contract, kind)) for kind in ProductKind] == [[], [], [], [], []]
