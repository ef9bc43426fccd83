"""``auth-matrix.md``: every way in at every organisation, what has to hold there, and what holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interlock.contract.skeletons.names import need_names
from interlock.contract.skeletons.pages import OPEN, by_hand, cell, held, page, table
from interlock.contract.skeletons.scopes import syntax_of, written
from interlock.model import words
from interlock.model.resolved import ResolvedContract

AUTH_MATRIX = "auth-matrix.md"
_ABOUT = (
    "Known: what an organisation's server said when it was last observed, with the day. Assumed: a client that follows",
    "from a launch mode alone. Open: what nobody has said or seen.",
)


def auth_page(resolved: ResolvedContract) -> Mapping[str, str]:
    """The page."""
    parts = (
        table(
            "Ways in",
            ("Organisation", "Client", "Launch mode", "Proves itself by", "The server", "Seen", "Held by"),
            _ways(resolved),
        ),
        table("At every sign-in", ("What has to hold", "Source", "Held by"), _everywhere(resolved)),
        table("Scopes", ("Organisation", "Client", "Need", "Scope", "Held by"), _scopes(resolved)),
        table("Refused", ("What", "Held by"), _refused(resolved)),
    )
    return {AUTH_MATRIX: page("Authorization", resolved, _ABOUT, parts)}


def _ways(resolved: ResolvedContract) -> Iterator[tuple[str, ...]]:
    for org in resolved.organizations:
        for client in org.clients:
            mode, path = client.client.mode, client.path
            tests = [held("token", "sign_in_is_offered", mode)]
            if mode == "backend":
                tests = [held("token", "backend_token_is_given")]
            yield (
                cell(org.name),
                cell(client.client.name) + ("" if client.declared else " (assumed)"),
                mode,
                client.authentication or OPEN,
                cell(f"{words.AUTH_PATH[path.state].phrase}: {path.reason}"),
                org.server.date if org.server is not None else OPEN,
                " ".join(tests),
            )


def _everywhere(resolved: ResolvedContract) -> Iterator[tuple[str, ...]]:
    contract = resolved.contract
    modes = [mode for mode in contract.launch.modes if mode != "backend"]
    answer = "answer_of_another_sign_in_is_refused"
    yield (
        "A launch from a server that is not the organisation's is refused",
        "SMART App Launch 2.2, EHR launch",
        held("sign_in", "launch_of_another_server_is_refused"),
    )
    for mode in modes:
        yield (
            f"{mode}: state and PKCE challenge are new each time, and the audience is named",
            "RFC 7636; SMART App Launch 2.2",
            held("token", "sign_in_sends_state_and_challenge", mode),
        )
    yield "An answer with another state is sent nowhere", "RFC 6749 section 10.12", held("sign_in", answer, "state")
    yield "An answer of another issuer is sent nowhere", "RFC 9207", held("sign_in", answer, "issuer")
    yield (
        "An answer without an issuer that was to be told is sent nowhere",
        "RFC 9207",
        held("sign_in", answer, "no-issuer"),
    )
    yield "A refusal is told, and no token asked for", "RFC 6749 section 4.1.2.1", held("sign_in", answer, "refused")
    yield (
        "Nothing secret is sent without TLS",
        "RFC 6750 section 5.3",
        held("sign_in", "nothing_secret_is_sent_in_the_clear"),
    )
    yield "Only the registered key opens", "RFC 7523 section 3", held("token", "another_key_is_refused")
    if modes:
        hand = by_hand(contract, "session", "access")
        yield f"A session lasts: {cell(contract.session.length)}", "the contract", hand
        yield f"Refresh: {contract.session.refresh or OPEN}", "the contract", hand


def _scopes(resolved: ResolvedContract) -> Iterator[tuple[str, ...]]:
    names = need_names(resolved.contract)
    for org in resolved.organizations:
        syntax, _ = syntax_of(org)
        for client in org.clients:
            for scope in client.scopes:
                for key in scope.needs:
                    holding = held("token", "scopes_are_granted", names[key])
                    if client.client.mode != "backend":
                        holding += f" with `--sign-in {client.client.mode}`"
                    yield cell(org.name), cell(client.client.name), names[key], f"`{written(scope, syntax)}`", holding


def _refused(resolved: ResolvedContract) -> Iterator[tuple[str, ...]]:
    names = need_names(resolved.contract)
    for key, name in names.items():
        if key.startswith("inputs"):
            yield f"{name} without a token", held("access", "without_a_token_is_refused", name)
    yield "A type outside the contract, with its token", held("access", "type_outside_the_contract_is_refused")
