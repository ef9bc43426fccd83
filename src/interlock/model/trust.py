"""Permissions that a workspace asks for on its user's machine, and which of them its user granted."""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Model, Slug


class Grant(Model):
    """A permission that a workspace asks for; equal grants ask for the same.

    :ivar kind: ``credential``: the value of ``variable``, used as ``role``, may be sent to ``origin``.
        ``private_base``: the organisation's base at ``origin`` may be contacted in a private network.
        ``content``: questions and rules of the workspace's own; ``digest`` is over their names and bytes (SHA-256).
        ``command``: the program ``command`` may be run for a rehearsal, to start the product or as a hook.
    :ivar origin: scheme, host and any unusual port, as in ``https://ehr.example.org``.
    """

    kind: Literal["credential", "private_base", "content", "command"]
    org: Slug | None = None
    origin: str | None = None
    role: Literal["client_id", "client_secret", "private_key", "key_id", "bearer_token", "refresh_token"] | None = None
    variable: str | None = None
    digest: str | None = None
    command: str | None = None


class TrustedWorkspace(Model):
    """A workspace's folder with the permissions granted to it.

    :ivar root: the folder's real path.
    :ivar folder: the file system's number of the folder; another folder at the same path has another.
    :ivar changed: when its grants were last changed, ISO 8601 in UTC.
    """

    root: str
    folder: int
    changed: str
    grants: tuple[Grant, ...]


class AskedGrant(Model):
    """A permission that a workspace asks for, and whether it is granted."""

    grant: Grant
    allowed: bool


class TrustReport(Model):
    """All permissions that a workspace asks for.

    :ivar unresolved: organisations whose host has no address now, so that nobody knows whether it is private.
    """

    workspace: str
    asked: tuple[AskedGrant, ...]
    unresolved: tuple[Slug, ...] = ()
