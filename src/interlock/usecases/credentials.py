"""What a probe of a workspace may do: which credentials it reads and where it sends them, and what it samples there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from interlock.contract.load import load_contract
from interlock.model.errors import InterlockError
from interlock.model.observation import Target
from interlock.model.organization import Organization
from interlock.model.text import plain
from interlock.model.trust import Grant
from interlock.probe.transport.addresses import Origin, origin
from interlock.probe.transport.credentials import Credentials, Lookup, lookup, resolve
from interlock.probe.transport.settings import ProbeSettings, SamplePlan
from interlock.usecases.trust import (
    credential_grants,
    grants_at,
    is_foreign,
    origin_of,
    origin_text,
    trusted_origins,
)
from interlock.workspace.store import Workspace
from interlock.workspace.trust import Trust


def trusted_settings(
    settings: ProbeSettings, workspace: Workspace, targets: Sequence[Target], run_only: Sequence[str], *, sample: bool
) -> ProbeSettings:
    """The settings with what a workspace's organisations may get: private addresses, credentials, the certificate.

    ``run_only`` are the values of ``--trust-credentials``.

    :raises InterlockError: nothing can be sampled, or a value of ``run_only`` is wrong.
    """
    wanted = {target.org for target in targets}
    organizations = [org for org in workspace.read().organizations if org.id in wanted]
    grants = Trust(workspace.root).grants() | _grants_for_run(organizations, run_only)
    certificate = settings.client_certificate
    if certificate is not None:  # it may be presented wherever any credential may go
        origins = (origin(grant.origin) for grant in grants if grant.kind == "credential" and grant.origin is not None)
        certificate = replace(certificate, origins=frozenset(where for where in origins if where is not None))
    return replace(
        settings,
        private_origins=settings.private_origins | trusted_origins(workspace),
        client_certificate=certificate,
        samples=sample_plans(workspace.root, organizations, grants) if sample else {},
    )


def sample_plans(
    root: Path, organizations: Sequence[Organization], grants: Iterable[Grant], find: Lookup | None = None
) -> dict[str, SamplePlan]:
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
    problems: list[InterlockError] = []
    allowed = frozenset(grants)
    for org in organizations:
        needs = tuple(need for need in contract.inputs if not need.organizations or org.id in need.organizations)
        try:
            plans[org.id] = SamplePlan(_credentials(org, allowed, find or lookup), needs)
        except InterlockError as problem:
            problems.append(problem)
            plans[org.id] = SamplePlan(None, needs, problem.message)
    if len(problems) == len(organizations) and problems:
        raise problems[0]
    return plans


def _credentials(org: Organization, grants: frozenset[Grant], find: Lookup) -> Credentials:
    """The credentials of one organisation.

    :raises InterlockError: they are not all there, or not all allowed to go to the organisation's base. No variable is
        read before that is known.
    """
    if (org.fhir_base_url or "").startswith("sandbox://"):
        return resolve(org, _published(org), None)
    origins = _credential_origins(org, grants)
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


def _credential_origins(org: Organization, grants: frozenset[Grant]) -> frozenset[Origin]:
    """Origins to which every credential that an organisation names may be sent."""
    granted = {where for grant in grants if grant.org == org.id and grant.origin and (where := origin(grant.origin))}
    return frozenset(where for where in granted if set(grants_at(org, where)) <= grants)


def _grants_for_run(organizations: Sequence[Organization], texts: Sequence[str]) -> frozenset[Grant]:
    """What ``--trust-credentials ORG=HOST[:PORT][,VARIABLE…]`` allows for one run.

    The organisation's credentials may go to that host. A variable that is not named ``INTERLOCK_CRED_…`` must be named
    there too, for it may be another program's.

    :raises InterlockError: it is written otherwise, there is no such organisation, or a variable is not named.
    """
    known = {org.id: org for org in organizations}
    grants: set[Grant] = set()
    for text in texts:
        org_id, equals, rest = text.partition("=")
        host, *named = rest.split(",")
        if not equals or not host:
            raise InterlockError(
                f"--trust-credentials {plain(text, 80)!r} is not ORG=HOST",
                remedy="write --trust-credentials riverside=fhir.riverside.example",
            )
        org = known.get(org_id)
        if org is None:
            raise InterlockError(
                f"--trust-credentials names {plain(org_id, 80)!r}, and no such organisation is probed",
                remedy=f"organisations: {', '.join(known) or 'none'}",
            )
        base = origin_of(org)
        where = (
            base if base is not None and host in {base.host, f"{base.host}:{base.port}"} else origin(f"https://{host}")
        )
        if where is None:
            raise InterlockError(f"--trust-credentials: {plain(host, 80)!r} is no host name")
        asked = grants_at(org, where)
        foreign = [grant.variable for grant in asked if is_foreign(grant) and grant.variable not in named]
        if foreign:
            names = ",".join(name for name in dict.fromkeys(foreign) if name)
            raise InterlockError(
                f"{org.id} asks for {names}, which may be another program's",
                remedy=f"name it to allow it: --trust-credentials {org.id}={host},{names}",
            )
        grants.update(asked, [Grant(kind="credential", org=org.id, origin=origin_text(where))])
    return frozenset(grants)
