"""What a workspace asks of its user's machine, and what its user allows."""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Model, Slug


class Grant(Model):
    """One thing that a workspace asks for; equal grants ask for the same.

    :ivar kind: ``credential``: the value of ``variable``, used as ``role``, may be sent to ``origin``.
        ``private_base``: the organisation's base at ``origin`` may be contacted in a private network.
        ``content``: questions and rules of the workspace's own; ``digest`` is over their names and bytes (SHA-256).
    :ivar origin: scheme, host and any unusual port, as in ``https://ehr.example.org``.
    """

    kind: Literal["credential", "private_base", "content"]
    org: Slug | None = None
    origin: str | None = None
    role: Literal["client_id", "client_secret", "private_key", "key_id", "bearer_token"] | None = None
    variable: str | None = None
    digest: str | None = None


class TrustedWorkspace(Model):
    """One folder and what it may do.

    :ivar root: the folder's real path.
    :ivar folder: the file system's number of the folder; another folder at the same path has another.
    :ivar changed: when its grants were last changed, ISO 8601 in UTC.
    """

    root: str
    folder: int
    changed: str
    grants: tuple[Grant, ...]


class AskedGrant(Model):
    """One thing that a workspace asks for, and whether it is allowed."""

    grant: Grant
    allowed: bool


class TrustReport(Model):
    """Everything that a workspace asks for.

    :ivar unresolved: organisations whose host has no address now, so that nobody knows whether it is private.
    """

    workspace: str
    asked: tuple[AskedGrant, ...]
    unresolved: tuple[Slug, ...] = ()
