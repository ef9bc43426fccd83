"""What a workspace asks of this machine, what its user allows, and what a probe may therefore do."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from interlock.contract.fhir_names import known_part
from interlock.contract.load import load_contract
from interlock.documents.files import read_bytes
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation, Target
from interlock.model.organization import Organization
from interlock.model.text import plain
from interlock.model.trust import AskedGrant, Grant, TrustReport
from interlock.probe.transport.addresses import Origin, kind_of_host, origin
from interlock.probe.transport.credentials import Credentials, Lookup, lookup, resolve
from interlock.probe.transport.settings import ProbeSettings, SamplePlan
from interlock.workspace.history import latest_observation
from interlock.workspace.store import Workspace
from interlock.workspace.trust import Trust, forget, trusted_workspaces

__all__ = ["trusted_workspaces"]

#: A variable whose name begins so was made for Interlock; any other is asked for by its name.
OWN_VARIABLES = "INTERLOCK_CRED_"
_LOOKUP_S = 3.0
_MAX_CONTENT_BYTES = 4_000_000
_ROLES = ("client_id", "client_secret", "private_key", "key_id", "bearer_token", "refresh_token")


def trust_report(workspace: Workspace) -> TrustReport:
    """Everything that a workspace asks for, and what of it is allowed. Looks names up, and contacts nobody.

    :raises DocumentError: a file of the workspace, or the record of what is allowed, is broken.
    """
    organizations = workspace.read().organizations
    private, unresolved = asyncio.run(_private(organizations))
    asked = _asked(workspace, organizations, private)
    allowed = Trust(workspace.root).grants()
    return TrustReport(
        workspace=str(workspace.root),
        asked=tuple(AskedGrant(grant=grant, allowed=grant in allowed) for grant in asked),
        unresolved=unresolved,
    )


def _asked(workspace: Workspace, organizations: Sequence[Organization], private: Collection[str]) -> list[Grant]:
    """All that a workspace asks for; ``private`` are the organisations whose base is in a private network."""
    grants = [grant for org in organizations for grant in credential_grants(org, latest_observation(workspace, org.id))]
    grants += [grant for org in organizations if org.id in private and (grant := base_grant(org)) is not None]
    return [*grants, *content_grants(workspace.root), *command_grants(workspace)]


def command_grants(workspace: Workspace) -> tuple[Grant, ...]:
    """The programs that the product's file wants to run.

    :raises DocumentError: the file is broken.
    """
    product = workspace.product()
    commands = product.commands if product is not None else ()
    return tuple(Grant(kind="command", command=command) for command in dict.fromkeys(commands))


def new_commands(workspace: Workspace) -> tuple[Grant, ...]:
    """The programs that the product's file wants to run, and may not."""
    return tuple(grant for grant in command_grants(workspace) if grant not in Trust(workspace.root).grants())


def allow(workspace: Workspace, entries: Iterable[AskedGrant]) -> None:
    """Allow exactly these: what a workspace no longer asks for is forgotten.

    :raises WorkspaceError: it cannot be recorded.
    """
    Trust(workspace.root).allow_only(entry.grant for entry in entries)


def allow_more(workspace: Workspace, grants: Iterable[Grant]) -> None:
    """Allow these besides what is allowed already.

    :raises WorkspaceError: it cannot be recorded.
    """
    Trust(workspace.root).allow(grants)


def forget_workspace(directory: Path) -> str:
    """Forget everything that a workspace may do; the folder itself may be gone. Returns its path.

    :raises InterlockError: there is no trusted workspace there.
    """
    root = str(directory.expanduser().resolve())
    if root not in {known.root for known in trusted_workspaces()}:
        raise InterlockError(
            f"{plain(root, 300)} is trusted with nothing", remedy="interlock trust --list shows what is"
        )
    forget(root)
    return root


def trust_own(workspace: Workspace) -> None:
    """Allow what a workspace asks for that this user has just made.

    Where it cannot be recorded the workspace is not trusted, and asks like any other.
    """
    with contextlib.suppress(InterlockError):
        organizations = workspace.read().organizations
        private = {
            org.id
            for org in organizations
            if (base := _origin_of(org)) is not None and kind_of_host(base.host) == "private"
        }
        Trust(workspace.root).allow_only(_asked(workspace, organizations, private))


def trust_typed_base(workspace: Workspace, org: Organization, before: Organization | None) -> None:
    """Allow an organisation's base that the user has just typed; one that a file brought stays as it was.

    Where it cannot be recorded, `interlock trust` asks for it like for any other.
    """
    grant = base_grant(org)
    if grant is not None and (before is None or base_grant(before) != grant):
        with contextlib.suppress(InterlockError):
            Trust(workspace.root).allow([grant])


def new_credentials(workspace: Workspace, org: Organization) -> tuple[Grant, ...]:
    """What an organisation's file asks for at its base and is not allowed."""
    return tuple(grant for grant in credential_grants(org) if grant not in Trust(workspace.root).grants())


def credential_grants(org: Organization, observation: Observation | None = None) -> tuple[Grant, ...]:
    """What an organisation's file asks for: each variable that it names, at the base, and at the token endpoint where
    an observation saw that elsewhere."""
    base = _origin_of(org)
    if base is None:
        return ()
    origins: list[Origin | None] = [base]
    if observation is not None and observation.facts.smart and origin(observation.target.base_url) == base:
        origins.append(origin(observation.facts.smart.token_endpoint or ""))
    return tuple(grant for where in dict.fromkeys(origins) if where is not None for grant in _grants_at(org, where))


def _grants_at(org: Organization, where: Origin) -> tuple[Grant, ...]:
    """What an organisation's file asks for at one origin."""
    named = {role: getattr(org.auth, f"{role}_env") for role in _ROLES}
    return tuple(
        Grant.model_validate(
            {"kind": "credential", "org": org.id, "origin": _origin_text(where), "role": role, "variable": variable}
        )
        for role, variable in named.items()
        if variable is not None
    )


def base_grant(org: Organization) -> Grant | None:
    """The base of an organisation, to be contacted in a private network; none where that needs nobody's leave."""
    where = _origin_of(org)
    return None if where is None else Grant(kind="private_base", org=org.id, origin=_origin_text(where))


def content_grants(root: Path) -> tuple[Grant, ...]:
    """The workspace's own questions and rules as one grant; none where it has none.

    They are judged whether they are trusted or not, and every difference from ours is told; trusting them only says
    that its user has looked.
    """
    files = sorted({*root.glob("questionnaires/**/*.y*ml"), *root.glob("rulesets/**/*.y*ml")})
    if not files:
        return ()
    digest = hashlib.sha256()
    for path in files:
        content = read_bytes(path, _MAX_CONTENT_BYTES, within=root)
        digest.update(f"{path.relative_to(root).as_posix()}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return (Grant(kind="content", digest=digest.hexdigest()),)


def trusted_origins(workspace: Workspace) -> frozenset[Origin]:
    """Origins of the workspace's bases that may lie in a private network.

    :raises DocumentError: a file of the workspace, or the record of what is allowed, is broken.
    """
    grants = Trust(workspace.root).grants()
    bases = [org for org in workspace.read().organizations if base_grant(org) in grants]
    return frozenset(where for org in bases if (where := _origin_of(org)) is not None)


def is_foreign(grant: Grant) -> bool:
    """Whether a credential's variable may have been set for another program than Interlock."""
    return grant.variable is not None and not grant.variable.startswith(OWN_VARIABLES)


def _origin_text(where: Origin) -> str:
    """An origin as people write it: the port only where it is not the scheme's own."""
    host = f"[{where.host}]" if ":" in where.host else where.host
    return f"{where.scheme}://{host}" + ("" if where == origin(f"{where.scheme}://{host}") else f":{where.port}")


def _origin_of(org: Organization) -> Origin | None:
    """The origin of an organisation's base; none without a base, and for a simulated organisation."""
    return origin(org.fhir_base_url) if org.fhir_base_url else None


async def _private(organizations: Sequence[Organization]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Organisations whose base has private addresses only, and those whose host has no address now."""
    from interlock.probe.transport.connections import (
        PUBLIC,
        PUBLIC_OR_PRIVATE,
        Resolver,
    )  # brings asyncio's network stack along; only looking names up needs it
    from interlock.probe.transport.failures import RequestFailed

    resolver = Resolver()

    async def is_private(where: Origin) -> bool | None:
        for kinds in (PUBLIC, PUBLIC_OR_PRIVATE):
            try:
                async with asyncio.timeout(_LOOKUP_S):
                    await resolver.usable(where.host, kinds)
            except RequestFailed:
                continue
            except (OSError, TimeoutError):
                return None
            return kinds is PUBLIC_OR_PRIVATE
        return False  # nobody can allow such an address

    try:
        wanted = [(org.id, where) for org in organizations if (where := _origin_of(org)) is not None]
        answers = await asyncio.gather(*(is_private(where) for _, where in wanted))
    finally:
        await resolver.close()
    results = [(org, answer) for (org, _), answer in zip(wanted, answers, strict=True)]
    return (
        frozenset(org for org, answer in results if answer),
        tuple(org for org, answer in results if answer is None),
    )


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
        needs = tuple(
            need
            for named in contract.inputs
            if (here := named.at(org.id)) is not None and (need := known_part(contract.fhir_release, here)) is not None
        )
        try:
            use = _credentials(org, allowed, find or lookup)
            plans[org.id] = SamplePlan(use, needs, release=contract.fhir_release)
        except InterlockError as problem:
            problems.append(problem)
            plans[org.id] = SamplePlan(None, needs, problem.message, contract.fhir_release)
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
    if asked and asked[0].origin not in {_origin_text(where) for where in origins}:
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
    return frozenset(where for where in granted if set(_grants_at(org, where)) <= grants)


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
        base = _origin_of(org)
        where = (
            base if base is not None and host in {base.host, f"{base.host}:{base.port}"} else origin(f"https://{host}")
        )
        if where is None:
            raise InterlockError(f"--trust-credentials: {plain(host, 80)!r} is no host name")
        asked = _grants_at(org, where)
        foreign = [grant.variable for grant in asked if is_foreign(grant) and grant.variable not in named]
        if foreign:
            names = ",".join(name for name in dict.fromkeys(foreign) if name)
            raise InterlockError(
                f"{org.id} asks for {names}, which may be another program's",
                remedy=f"name it to allow it: --trust-credentials {org.id}={host},{names}",
            )
        grants.update(asked, [Grant(kind="credential", org=org.id, origin=_origin_text(where))])
    return frozenset(grants)
