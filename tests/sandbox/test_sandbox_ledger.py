"""What the ledger keeps: bounded by count and age, and nothing of one organisation for another."""

from __future__ import annotations

import pytest

from interlock.sandbox import ledger as ledgers
from interlock.sandbox.grants import Context, Grant
from interlock.sandbox.ledger import Code, Launch, Ledger, Refresh

pytestmark = pytest.mark.fast

GRANT = Grant("a", "app", ("patient/*.rs",), expires=100.0, sign_in="s")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Ledger:
    """One that keeps three of everything."""
    for name in ("_MAX_LAUNCHES", "_MAX_CODES", "_MAX_TOKENS", "_MAX_ASSERTIONS"):
        monkeypatch.setattr(ledgers, name, 3)
    return Ledger(clock=clock)


def test_the_oldest_is_forgotten_first(ledger: Ledger) -> None:
    tokens = [ledger.add_token(GRANT) for _ in range(5)]
    assert [ledger.token("a", token) is not None for token in tokens] == [False, False, True, True, True]
    codes = [ledger.add_code(Code(GRANT, "r", None, None, 60.0, 1.0)) for _ in range(4)]
    assert [ledger.spend_code("a", code) is not None for code in codes] == [False, True, True, True]
    renewals = [ledger.add_refresh(Refresh(GRANT, 100.0, 1.0)) for _ in range(4)]
    assert [ledger.refresh("a", token) is not None for token in renewals] == [False, True, True, True]
    launches = [ledger.add_launch(Launch("a", "app", Context(), None, 60.0)) for _ in range(4)]
    assert [ledger.launch("a", handle) is not None for handle in launches] == [False, True, True, True]


def test_what_ended_long_ago_goes_before_what_is_good(ledger: Ledger, clock: Clock) -> None:
    kept = ledger.add_token(Grant("a", "app", (), expires=1e9))
    short = [ledger.add_token(GRANT) for _ in range(2)]
    clock.now = 4_000.0
    ledger.add_token(GRANT)
    assert ledger.token("a", kept) is not None
    assert [ledger.token("a", token) for token in short] == [None, None]


def test_nothing_of_one_organisation_is_anothers(ledger: Ledger) -> None:
    token, code = ledger.add_token(GRANT), ledger.add_code(Code(GRANT, "r", None, None, 60.0, 1.0))
    renewal = ledger.add_refresh(Refresh(GRANT, 100.0, 1.0))
    handle = ledger.add_launch(Launch("a", "app", Context(), None, 60.0))
    assert (ledger.token("b", token), ledger.refresh("b", renewal), ledger.launch("b", handle)) == (None, None, None)
    assert ledger.spend_code("b", code) is None
    spent = ledger.spend_code("a", code)
    assert spent is not None and not spent.spent, "asking elsewhere spent nothing"


def test_an_assertion_is_new_once_for_each_client_and_organisation(ledger: Ledger, clock: Clock) -> None:
    assert ledger.first_use("a", "app", "1", 50.0)
    assert not ledger.first_use("a", "app", "1", 50.0)
    assert ledger.first_use("b", "app", "1", 50.0)
    assert ledger.first_use("a", "other", "1", 50.0)
    assert not ledger.first_use("a", "app", "2", 50.0), "a full ledger takes no more, rather than forget what it saw"
    clock.now = 51.0
    assert ledger.first_use("a", "app", "1", 90.0), "its lifetime is over"


def test_a_sign_in_ends_with_all_of_its_tokens(ledger: Ledger) -> None:
    mine = [ledger.add_token(GRANT), ledger.add_token(GRANT)]
    other = ledger.add_token(Grant("a", "app", (), 100.0, sign_in="another"))
    renewal = ledger.add_refresh(Refresh(GRANT, 100.0, 1.0))
    assert ledger.revoke_sign_in("s") == 2
    assert [ledger.token("a", token) for token in mine] == [None, None]
    assert ledger.refresh("a", renewal) is None
    assert ledger.token("a", other) is not None
