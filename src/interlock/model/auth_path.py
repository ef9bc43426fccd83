"""The way in that an organisation's documents show for one launch mode."""

from __future__ import annotations

from typing import Literal

from interlock.model import words
from interlock.model.base import Model

Mode = Literal["ehr", "standalone", "backend"]

_MODES = {"ehr": "EHR launch", "standalone": "Standalone launch", "backend": "Backend service"}


class AuthPath(Model):
    """One launch mode at one organisation.

    :ivar state: ``possible``: everything that the documents must say is said; ``not_offered``: a list that is given
        leaves it out; ``cannot_tell``: not observed, not declared, or contradictory.
    :ivar reason: why, one sentence without a full stop.
    :ivar scopes: syntaxes of the resource scopes listed; empty when none is listed.
    :ivar pkce: none for backend services, which have no redirect.
    :ivar client_authentication: how a client may prove who it is: ``public``, methods of the token endpoint.
    :ivar algorithms: for signing with ``private_key_jwt``.
    :ivar context: kinds of launch context: ``patient``, ``encounter``.
    :ivar open_questions: what the documents leave open, in words.
    """

    mode: Mode
    state: Literal["possible", "not_offered", "cannot_tell"]
    reason: str
    scopes: tuple[Literal["v1", "v2"], ...] = ()
    pkce: Literal["S256", "S256 beside plain", "without S256", "undeclared"] | None = None
    client_authentication: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()

    @property
    def unclear(self) -> bool:
        """Whether scopes for data are listed, none of them for a backend service, whose grant is listed."""
        return any("system/" in question for question in self.open_questions)

    def brief(self) -> str:
        """``EHR launch: declared``; a backend service without a ``system/`` scope among those listed is unclear."""
        state = "unclear (no system/ scope is listed)" if self.unclear else words.AUTH_PATH[self.state].phrase
        return f"{_MODES[self.mode]}: {state}"

    def need(self) -> str:
        """``EHR launch (launch-ehr is not among the capabilities)``: a mode that somebody needs, and why not."""
        return f"{_MODES[self.mode]} ({self.reason})"

    def summary(self) -> str:
        """``EHR launch: declared, scopes v2, PKCE S256, private_key_jwt``; or not, and why."""
        head = f"{_MODES[self.mode]}: {words.AUTH_PATH[self.state].phrase}"
        if self.state != "possible":
            return f"{head}, {self.reason}"
        parts = [f"scopes {words.listed(self.scopes)}" if self.scopes else "no resource scope listed"]
        if self.pkce is not None:
            parts.append(f"PKCE {self.pkce}")
        parts += self.client_authentication or ("client authentication undeclared",)
        if self.context:
            parts.append(f"context {words.listed(self.context)}")
        return ", ".join([head, *parts])
