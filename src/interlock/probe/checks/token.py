"""TOKEN: how the server treats the user's own client, where both ``--active`` and ``--sample`` were asked for.

A refresh token is used once, where one came or the user gave one; nothing that comes for it is kept or used.
"""

from __future__ import annotations

from interlock.model import words
from interlock.model.base import Severity
from interlock.model.sample import TokenFacts
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.data.counts import sample_of
from interlock.probe.checks.results import NeedError, Result, failed, not_applicable, not_observed, passed, warned
from interlock.probe.checks.sources import cite

_NO_TOKEN = not_observed("no token was issued")
_ANSWER = cite("RFC 6749", "section-5.1", "section 5.1, Successful response")


def _issued(probed: CheckInput) -> TokenFacts:
    """The answer with a token.

    :raises NeedError: there was none.
    """
    token = sample_of(probed).token
    if token is None or token.outcome != "issued":
        raise NeedError(_NO_TOKEN)
    return token


@check(
    "TOKEN-001",
    "An answer with a token is not to be stored",
    Severity.LOW,
    _ANSWER,
    cite("SM-APP", "response-5", "Access token response"),
    rows=("TOK-02", "OAU-05"),
    needs="active",
    rests_on=("data",),
    at="token",
    level="SHALL",
)
def unstored(probed: CheckInput) -> Result:
    """``Cache-Control: no-store``; of ``Pragma``, which HTTP has since given up, nothing is said."""
    data = sample_of(probed)
    answers = [facts for facts in (data.token, data.refresh) if facts is not None and facts.outcome == "issued"]
    if not answers:
        raise NeedError(_NO_TOKEN)
    if any(facts.no_store is False for facts in answers):
        return failed("An answer with a token does not say Cache-Control: no-store; caches on the way may keep it")
    if answers[0].no_store is None:
        return not_observed("the observation does not say with which headers the token came")
    return passed("Every answer with a token says no-store")


@check(
    "TOKEN-002",
    "A backend client gets no refresh token",
    Severity.LOW,
    cite("RFC 6749", "section-4.4.3", "section 4.4.3, Access token response"),
    needs="active",
    rests_on=("data",),
    at="token",
)
def no_refresh(probed: CheckInput) -> Result:
    """SHOULD NOT: the client can ask again at any time, and one secret more is one that may leak."""
    token = _issued(probed)
    if token.refresh_issued is None:
        return not_observed("the observation does not say whether a refresh token came")
    return (
        warned("A refresh token came for client credentials; it was dropped, and need not be kept")
        if token.refresh_issued
        else passed("No refresh token came for client credentials")
    )


@check(
    "TOKEN-003",
    "Introspection tells of a token what SMART asks for",
    Severity.LOW,
    cite("SM-INTRO"),
    cite("RFC 7662", "section-2.2", "section 2.2, Introspection response"),
    rows=("INT-01", "INT-02"),
    needs="active",
    rests_on=("data",),
    at="introspection",
    level="SHALL",
)
def introspected(probed: CheckInput) -> Result:
    """``active``, ``scope``, ``client_id`` and ``exp``, of a token that is a few seconds old."""
    data = sample_of(probed)
    _issued(probed)
    facts = data.introspection
    if facts is None:
        raise NeedError(not_applicable("no introspection endpoint is advertised"))
    if facts.outcome == "refused":
        return warned(f"The introspection endpoint refuses the client whose token it is: {facts.reason}")
    if facts.outcome != "answered":
        return not_observed(facts.reason or "the introspection endpoint gave no usable answer")
    if not facts.active:
        return failed("A token that was issued a moment ago is said not to be active")
    if facts.client == "another":
        return failed("The token is said to be another client's")
    stated = {"scope": facts.scope_stated, "client_id": facts.client is not None, "exp": facts.expiry_stated}
    missing = [name for name, there in stated.items() if not there]
    return (
        failed(f"The answer lacks {words.listed(missing)}, which SMART requires")
        if missing
        else passed("The token is active, with scope, client_id and exp")
    )


@check(
    "TOKEN-004",
    "A refresh token gives a new access token",
    Severity.MEDIUM,
    cite("SM-APP", "response-7", "Refresh token response"),
    cite("RFC 6749", "section-6", "section 6, Refreshing an access token"),
    cite("RFC 9700", "section-2.2.2", "section 2.2.2, Refresh tokens"),
    rows=("REF-02", "REF-06"),
    needs="active",
    rests_on=("data", "refresh"),
    at="refresh",
    level="SHALL",
)
def refreshed(probed: CheckInput) -> Result:
    """With ``expires_in`` and ``scope``, and whether the refresh token was replaced; used once, and then dropped."""
    data = sample_of(probed)
    facts, public = data.refresh, data.method in {"public", "bearer_token"}
    if facts is None:
        given = "none that this client may use is given (auth.refresh_token_env)"
        raise NeedError(not_applicable(f"no refresh token came, and {given}"))
    if facts.outcome == "refused" and not facts.given:
        return failed(f"The refresh token that came a moment before is refused: {facts.reason}")
    if facts.outcome == "refused" and facts.error != "invalid_grant":
        asked = "; it asked as a public client, by its id alone" if public else ""
        return warned(f"The client is not let refresh: {facts.reason}{asked}")
    if facts.outcome != "issued":
        ended = "; it has ended, was used or withdrawn, or is another client's" if facts.outcome == "refused" else ""
        return not_observed(f"the refresh token gave nothing: {facts.reason}{ended}")
    stated = {"expires_in": facts.lifetime_s is not None, "scope": facts.scope_stated}
    if missing := [name for name, there in stated.items() if not there]:
        return failed(f"The answer to a refresh lacks {words.listed(missing)}, which SMART requires")
    kept = "no new refresh token came" if facts.replaced is None else "the refresh token stays the same"
    if facts.replaced:
        kept = "a new refresh token came, and the one that was used is spent"
        kept += "; whoever uses it has to sign in again" if facts.given else ""
    said = f"A new access token came, for {facts.lifetime_s:,} s; {kept}"
    if public and not facts.replaced:
        bound = "or be bound to its holder, which cannot be seen from here (RFC 9700)"
        return warned(f"{said}; a public client's MUST be replaced at each use, {bound}")
    return passed(said)
