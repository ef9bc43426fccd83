"""Which organisations can be sampled: with which credentials, and what is read there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from interlock.contract.load import load_contract
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.probe.credentials import Access, Lookup, lookup, resolve
from interlock.probe.sample import SamplePlan


@dataclass(frozen=True, slots=True)
class SamplePlans:
    """By organisation id, what to sample; ``without`` says of the others why they are probed without credentials."""

    plans: dict[str, SamplePlan] = field(repr=False)
    without: dict[str, str]


def sample_plans(root: Path, organizations: Sequence[Organization], find: Lookup | None = None) -> SamplePlans:
    """What ``--sample`` reads at each organisation: the contract's inputs, with that organisation's credentials.

    With several organisations those that have no credentials are probed without; one alone must have them.

    :raises InterlockError: there is no contract or it reads nothing, or no organisation has credentials; names the
        variable that is missing and the organisation that names it.
    """
    path = root / "contract.yaml"
    if not path.is_file():
        raise InterlockError("--sample reads what the workflow contract reads, and there is no contract.yaml")
    contract = load_contract(path)[0]
    if not contract.inputs:
        raise InterlockError("the contract has no inputs to sample", remedy="write them down in contract.yaml")
    plans: dict[str, SamplePlan] = {}
    without: dict[str, str] = {}
    problems: list[InterlockError] = []
    for org in organizations:
        needs = tuple(need for need in contract.inputs if not need.organizations or org.id in need.organizations)
        try:
            access = Access(resolve(org, find or lookup()))
        except InterlockError as problem:
            problems.append(problem)
            without[org.id] = problem.message
            access = Access(None, problem.message)
        plans[org.id] = SamplePlan(access, needs)
    if len(problems) == len(organizations) and problems:
        raise problems[0]
    return SamplePlans(plans, without)
