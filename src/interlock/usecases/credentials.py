"""Which organisations can be sampled: with which credentials, bound to which origins, and what is read there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from interlock.contract.load import load_contract
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.trust import Grant
from interlock.probe.transport.credentials import Credentials, Lookup, lookup, resolve
from interlock.probe.transport.settings import SamplePlan
from interlock.usecases.trust import credential_grants, credential_origins, origin_text


@dataclass(frozen=True, slots=True)
class SamplePlans:
    """By organisation id, what to sample; ``without`` says of the others why they are probed without credentials."""

    plans: dict[str, SamplePlan] = field(repr=False)
    without: dict[str, str]


def sample_plans(
    root: Path, organizations: Sequence[Organization], grants: Iterable[Grant], find: Lookup | None = None
) -> SamplePlans:
    """What ``--sample`` reads at each organisation: the contract's inputs, with that organisation's credentials.

    ``grants`` say which variables may be read at all, and where their values may be sent. A simulated organisation
    (``sandbox://``) is read with the sandbox's own, published client. With several organisations those that have no
    credentials are probed without; one alone must have them.

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
    allowed = frozenset(grants)
    for org in organizations:
        needs = tuple(need for need in contract.inputs if not need.organizations or org.id in need.organizations)
        try:
            plans[org.id] = SamplePlan(_credentials(org, allowed, find or lookup), needs)
        except InterlockError as problem:
            problems.append(problem)
            without[org.id] = problem.message
            plans[org.id] = SamplePlan(None, needs, problem.message)
    if len(problems) == len(organizations) and problems:
        raise problems[0]
    return SamplePlans(plans, without)


def _credentials(org: Organization, grants: frozenset[Grant], find: Lookup) -> Credentials:
    """The credentials of one organisation.

    :raises InterlockError: they are not all there, or not all allowed to go to the organisation's base. No variable is
        read before that is known.
    """
    if (org.fhir_base_url or "").startswith("sandbox://"):
        return resolve(org, _published(org), None)
    origins = credential_origins(org, grants)
    asked = credential_grants(org)
    if asked and asked[0].origin not in {origin_text(where) for where in origins}:
        names = ", ".join(dict.fromkeys(grant.variable or "" for grant in asked))
        raise InterlockError(
            f"{names} may not go to {asked[0].origin}: {org.name} ({org.id}) asks for it, and you have not allowed it",
            remedy="look at what this workspace asks for, and allow it: interlock trust",
        )
    return resolve(org, find, origins)


def _published(org: Organization) -> Lookup:
    """The sandbox's own client, under the names that an organisation gives to its variables."""
    from interlock.sandbox import client

    auth = org.auth
    published = {
        auth.client_id_env: client.CLIENT_ID,
        auth.client_secret_env: client.CLIENT_SECRET,
        auth.private_key_env: json.dumps(client.client_key().as_dict(private=True)),
        auth.key_id_env: client.KEY_ID,
    }
    return published.get
