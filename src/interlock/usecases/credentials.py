"""Which organisations can be sampled: with which credentials, and what is read there."""

from __future__ import annotations

import json
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

    A simulated organisation (``sandbox://``) of whose variables none is set is read with the sandbox's own, published
    client. With several organisations those that have no credentials are probed without; one alone must have them.

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
            access = Access(resolve(org, _with_published(org, find or lookup())))
        except InterlockError as problem:
            problems.append(problem)
            without[org.id] = problem.message
            access = Access(None, problem.message)
        plans[org.id] = SamplePlan(access, needs)
    if len(problems) == len(organizations) and problems:
        raise problems[0]
    return SamplePlans(plans, without)


def _with_published(org: Organization, find: Lookup) -> Lookup:
    """The same lookup; for a simulated organisation without values of its own, the sandbox's published ones."""
    auth = org.auth
    named = [auth.client_id_env, auth.client_secret_env, auth.private_key_env, auth.key_id_env, auth.bearer_token_env]
    if not (org.fhir_base_url or "").startswith("sandbox://") or any(find(name) for name in named if name is not None):
        return find
    from interlock.sandbox import client

    published = {
        auth.client_id_env: client.CLIENT_ID,
        auth.client_secret_env: client.CLIENT_SECRET,
        auth.private_key_env: json.dumps(client.client_key().as_dict(private=True)),
        auth.key_id_env: client.KEY_ID,
    }
    return published.get
