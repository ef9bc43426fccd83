"""What a workspace asks of this machine, what its user allows, and what a probe may therefore do."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from interlock.documents.files import read_bytes
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.text import plain
from interlock.model.trust import AskedGrant, Grant, TrustReport
from interlock.probe.transport.addresses import Origin, kind_of_host, origin
from interlock.workspace.history import latest_observation
from interlock.workspace.store import Workspace
from interlock.workspace.trust import Trust, forget, trusted_workspaces

__all__ = ["trusted_workspaces"]

#: A variable whose name begins so was made for Interlock; any other is asked for by its name.
OWN_VARIABLES = "INTERLOCK_CRED_"
_LOOKUP_S = 3.0
_MAX_CONTENT_BYTES = 4_000_000
_ROLES = ("client_id", "client_secret", "private_key", "key_id", "bearer_token")


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
    return [*grants, *content_grants(workspace.root)]


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
            if (base := origin_of(org)) is not None and kind_of_host(base.host) == "private"
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
    base = origin_of(org)
    if base is None:
        return ()
    origins = [base]
    of_this_base = observation if observation is not None and origin(observation.target.base_url) == base else None
    smart = of_this_base.facts.smart if of_this_base is not None else None
    if smart is not None and smart.token_endpoint is not None:
        elsewhere = origin(smart.token_endpoint)
        origins += [elsewhere] if elsewhere is not None and elsewhere != base else []
    return tuple(grant for where in origins for grant in grants_at(org, where))


def grants_at(org: Organization, where: Origin) -> tuple[Grant, ...]:
    """What an organisation's file asks for at one origin."""
    named = {role: getattr(org.auth, f"{role}_env") for role in _ROLES}
    return tuple(
        Grant.model_validate(
            {"kind": "credential", "org": org.id, "origin": origin_text(where), "role": role, "variable": variable}
        )
        for role, variable in named.items()
        if variable is not None
    )


def base_grant(org: Organization) -> Grant | None:
    """The base of an organisation, to be contacted in a private network; none where that needs nobody's leave."""
    where = origin_of(org)
    return None if where is None else Grant(kind="private_base", org=org.id, origin=origin_text(where))


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
    return frozenset(where for org in bases if (where := origin_of(org)) is not None)


def is_foreign(grant: Grant) -> bool:
    """Whether a credential's variable may have been set for another program than Interlock."""
    return grant.variable is not None and not grant.variable.startswith(OWN_VARIABLES)


def origin_text(where: Origin) -> str:
    """An origin as people write it: the port only where it is not the scheme's own."""
    host = f"[{where.host}]" if ":" in where.host else where.host
    return f"{where.scheme}://{host}" + ("" if where == origin(f"{where.scheme}://{host}") else f":{where.port}")


def origin_of(org: Organization) -> Origin | None:
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
        wanted = [(org.id, where) for org in organizations if (where := origin_of(org)) is not None]
        answers = await asyncio.gather(*(is_private(where) for _, where in wanted))
    finally:
        await resolver.close()
    results = [(org, answer) for (org, _), answer in zip(wanted, answers, strict=True)]
    return (
        frozenset(org for org, answer in results if answer),
        tuple(org for org, answer in results if answer is None),
    )
