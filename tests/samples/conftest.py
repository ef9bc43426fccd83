"""The samples' inputs, with their simulated organisations probed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache

import pytest

from interlock.cli.main import run
from interlock.model.assessment import Assessment
from interlock.model.observation import Observation, Target
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.opening import open_workspace

Seen = Mapping[str, Observation]


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """One observation of each simulated organisation, by its sandbox address; probed once."""
    workspace = initialize(tmp_path_factory.mktemp("seen") / "all", "sepsis")
    assert run(["probe", "--all", "--workspace", str(workspace.root)]) == 0
    inputs = load_inputs(open_workspace(workspace.root))
    return {
        org.fhir_base_url: inputs.observations[org.id] for org in inputs.organizations if org.fhir_base_url is not None
    }


@pytest.fixture(scope="session")
def inputs_of(seen: Seen, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Inputs]:
    """A sample's inputs after its simulated organisations were probed; each made once."""
    made: dict[str, Inputs] = {}

    def of(template: str) -> Inputs:
        if template not in made:
            workspace = initialize(tmp_path_factory.mktemp(template) / template, template)
            made[template] = _observed(load_inputs(open_workspace(workspace.root)), seen)
        return made[template]

    return of


@pytest.fixture(scope="session")
def assessed(inputs_of: Callable[[str], Inputs]) -> Callable[[str], Assessment]:
    """A sample's assessment of 30 November 2026, with few runs; each made once."""

    @cache
    def of(template: str) -> Assessment:
        return assess(inputs_of(template), today=date(2026, 11, 30), runs=200)

    return of


def _observed(inputs: Inputs, seen: Seen) -> Inputs:
    for org in inputs.organizations:
        if org.fhir_base_url in seen:
            observation = seen[org.fhir_base_url]
            target = Target(base_url=observation.target.base_url, org=org.id)
            inputs = inputs.with_observation(org.id, observation.model_copy(update={"target": target}))
    return inputs
