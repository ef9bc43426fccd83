"""Drift: what changed between two observations, and which of it matters to the contract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.contract.load import load_contract
from interlock.model.base import CheckOutcome, Severity
from interlock.model.contract import WorkflowContract
from interlock.model.drift import RANKS, Drift, DriftChange
from interlock.model.errors import InterlockError, ThresholdNotMetError
from interlock.model.facts import Facts
from interlock.model.observation import Check, Observation, Target
from interlock.probe.drift import changes_between
from interlock.probe.recheck import with_drift
from interlock.probe.transport.settings import ProbeSettings
from interlock.sandbox.server import SandboxServer
from interlock.usecases.observations import Comparer, check_drift, drift_between, drift_of_files, drift_of_org
from interlock.workspace.history import save_observation
from interlock.workspace.store import Workspace
from typed_targets import probe_sync

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = load_contract(ROOT / "samples/templates/sepsis/contract.yaml")[0]
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPPOSITE = {"removed": "added", "added": "removed", "worse": "better", "better": "worse", "changed": "changed"}


def observed(
    facts: dict[str, Any], *, day: int = 0, base: str = "https://ehr.example/fhir", **checks: str
) -> Observation:
    return Observation(
        target=Target(base_url=base, org="acme"),
        started=START + timedelta(days=day),
        elapsed_ms=1,
        outcome="observed" if facts else "not_observed",
        facts=Facts.model_validate(facts),
        checks=tuple(
            Check(id=name.replace("_", "-"), title="t", outcome=CheckOutcome(word), severity=Severity.LOW, message="m")
            for name, word in checks.items()
        ),
    )


def capability(**resources: dict[str, Any]) -> dict[str, Any]:
    return {"capability": {"fhir_version": "4.0.1", "fhir_release": "R4", "resources": resources}}


def smart(**fields: Any) -> dict[str, Any]:
    return {"smart": {"token_endpoint": "https://ehr.example/fhir/token"} | fields}


def drift(before: Observation, after: Observation, contract: WorkflowContract | None = CONTRACT) -> Drift:
    return drift_between(before, after, contract, None)


def brief(compared: Drift) -> dict[str, str]:
    return {f"{change.kind} {change.name} {change.direction}": change.rank for change in compared.changes}


# -- properties --------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "system/Observation.rs", "patient/Patient.read", "S256", "private_key_jwt"])
LISTS = st.lists(NAMES, max_size=4, unique=True).map(tuple)
MAYBE = st.none() | LISTS
RESOURCES = st.dictionaries(
    st.sampled_from(["Patient", "Observation", "Device"]),
    st.fixed_dictionaries(
        {"interactions": LISTS, "search_params": LISTS, "profiles": LISTS, "operations": LISTS},
    ),
    max_size=3,
)
CAPABILITIES = st.fixed_dictionaries(
    {
        "fhir_version": st.sampled_from([None, "4.0.1", "4.3.0"]),
        "fhir_release": st.sampled_from([None, "R4", "R4B"]),
        "software": st.dictionaries(st.sampled_from(["name", "version"]), st.sampled_from(["x", "y"])),
        "resources": RESOURCES,
        "subsetted": st.booleans(),
        "operations": LISTS,
    }
)
SMARTS = st.fixed_dictionaries(
    {
        "issuer": st.sampled_from([None, "https://i.example", "https://ehr.example/fhir"]),
        "token_endpoint": st.sampled_from([None, "https://t.example/1", "https://t.example/2"]),
        "scopes_supported": MAYBE,
        "capabilities": MAYBE,
        "grant_types_supported": MAYBE,
        "code_challenge_methods_supported": MAYBE,
        "launch_modes": LISTS,
        "source": st.sampled_from(["well-known", "oauth-uris"]),
    }
)
SAMPLES = st.fixed_dictionaries(
    {
        "method": st.just("bearer_token"),
        "inputs": st.lists(
            st.fixed_dictionaries(
                {
                    "resource": st.sampled_from(["Patient", "Observation"]),
                    "outcome": st.sampled_from(["sampled", "empty", "refused", "failed", "not_asked"]),
                    "count": st.just(3),
                    "fields": st.dictionaries(st.sampled_from(["id", "code"]), st.integers(0, 3)),
                }
            ),
            max_size=2,
            unique_by=lambda entry: entry["resource"],
        ),
    }
)
FACTS = st.fixed_dictionaries(
    {
        "capability": st.none() | CAPABILITIES,
        "smart": st.none() | SMARTS,
        "data": st.none() | SAMPLES,
        "jwks": st.none() | st.fixed_dictionaries({"valid": st.booleans(), "kids": LISTS}),
    }
)
CHECKS = st.dictionaries(
    st.sampled_from(["CAP_001", "SMART_001", "NET_001"]), st.sampled_from([outcome.value for outcome in CheckOutcome])
)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    return observed(draw(FACTS), **draw(CHECKS))


@given(observations())
def test_nothing_changes_between_an_observation_and_itself(observation: Observation) -> None:
    assert drift(observation, observation).changes == ()


@given(observations(), observations())
def test_a_removal_is_an_addition_seen_from_the_other_side(before: Observation, after: Observation) -> None:
    there, notes = changes_between(before, after)
    back, notes_back = changes_between(after, before)

    def mirrored(change: DriftChange) -> tuple[Any, ...]:
        values = (None, None) if change.kind == "check" else (change.after, change.before)
        return (change.kind, OPPOSITE[change.direction], change.name, change.subject, *values)

    def plainly(change: DriftChange) -> tuple[Any, ...]:
        values = (None, None) if change.kind == "check" else (change.before, change.after)
        return (change.kind, change.direction, change.name, change.subject, *values)

    assert sorted(map(mirrored, there), key=str) == sorted(map(plainly, back), key=str)
    assert len(notes) == len(notes_back)


@given(observations(), observations())
def test_changes_are_ranked_and_what_was_not_seen_is_no_removal(before: Observation, after: Observation) -> None:
    compared = drift(before, after)
    ranks = [RANKS.index(change.rank) for change in compared.changes]
    assert ranks == sorted(ranks)
    if after.facts.capability is None:
        assert not {"resource", "interaction", "search_parameter", "fhir_release"} & {
            change.kind for change in compared.changes
        }
    if after.facts.data is None:
        assert "data" not in {change.kind for change in compared.changes}
    assert all(change.uses is None for change in drift(before, after, None).changes)
    assert not drift(before, after, None).concerns_contract


# -- kinds of changes --------------------------------------------------------------------------------------------------


def test_what_the_contract_uses_comes_first() -> None:
    before = observed(
        capability(
            Device={"interactions": ["read"]},
            Observation={"interactions": ["read", "search-type", "create"], "search_params": ["patient", "method"]},
            Condition={"interactions": ["read", "search-type"]},
        )
    )
    after = observed(
        capability(
            Observation={"interactions": ["read", "search-type"], "search_params": ["date"]},
            Goal={"interactions": ["read"]},
        )
    )
    assert brief(drift(before, after)) == {
        "interaction create removed": "contract_broken",
        "search_parameter patient removed": "contract_broken",
        "resource Condition removed": "contract_broken",
        "resource Device removed": "removed",
        "search_parameter method removed": "removed",
        "search_parameter date added": "added",
        "resource Goal added": "added",
    }
    first = drift(before, after).changes[0]
    assert first.uses is not None


def test_a_statement_that_was_not_seen_concludes_nothing() -> None:
    before = observed(capability(Observation={"interactions": ["create"]}))
    compared = drift(before, observed({"smart": None}))
    assert compared.changes == ()
    assert compared.not_compared == ("capability statement: not observed the second time",)
    summary = observed({"capability": {"fhir_version": "4.0.1", "fhir_release": "R4", "subsetted": True}})
    assert brief(drift(before, summary)) == {}
    assert drift(before, summary).not_compared


def test_a_configuration_that_is_gone_is_not_one_that_was_not_seen() -> None:
    before = observed(smart(launch_modes=["ehr", "backend"]), SMART_001="pass")
    unseen = observed({}, SMART_001="not_observed")
    assert drift(before, unseen).changes == ()
    gone = brief(drift(before, observed({}, SMART_001="fail")))
    assert gone["document SMART configuration removed"] == "contract_broken"
    assert gone["launch_mode ehr removed"] == "contract_broken"


def test_a_scope_matters_when_nothing_else_covers_it() -> None:
    narrow = observed(smart(scopes_supported=["system/Observation.rs", "system/*.cruds", "user/Goal.rs"]))
    covered = observed(smart(scopes_supported=["system/*.cruds"]))
    assert set(brief(drift(narrow, covered)).values()) == {"removed"}
    lost = brief(drift(narrow, observed(smart(scopes_supported=["system/Patient.rs"]))))
    assert lost["scope system/*.cruds removed"] == "contract_broken"
    assert lost["scope user/Goal.rs removed"] == "removed"
    unlisted = brief(drift(narrow, observed(smart())))
    assert unlisted == {"document scopes_supported removed": "removed"}


def test_endpoints_that_move_with_the_base_are_one_change() -> None:
    before = observed(smart(issuer="https://ehr.example/fhir"))
    after = observed(
        smart(issuer="https://new.example/fhir", token_endpoint="https://new.example/fhir/token"),
        base="https://new.example/fhir",
    )
    assert brief(drift(before, after)) == {"base_url base URL changed": "contract_changed"}
    moved = observed(smart(issuer="https://ehr.example/fhir", token_endpoint="https://auth.example/token"))
    assert brief(drift(before, moved)) == {"endpoint token_endpoint changed": "contract_changed"}


def test_keys_that_rotate_and_certificates_that_are_renewed_break_nothing() -> None:
    leaf = {
        "subject": "ehr", "issuer": "CA", "not_before": "2026-01-01T00:00:00Z", "days_left": 30, "self_signed": False,
        "key": "RSA 2048",
    }  # fmt: skip

    def with_kid(kid: str, end: str, **tls: Any) -> Observation:
        facts = {"tls": {"verified": True, "chain": [leaf | {"not_after": end}]} | tls}
        return observed(facts | {"jwks": {"valid": True, "keys": 1, "kids": [kid]}})

    before, after = with_kid("k1", "2026-05-01T00:00:00Z"), with_kid("k2", "2027-05-01T00:00:00Z")
    assert not drift(before, after).concerns_contract
    assert brief(drift(before, after))["certificate end changed"] == "changed"
    broken = with_kid("k1", "2026-05-01T00:00:00Z", verified=False, error="expired")
    assert brief(drift(before, broken)) == {"tls certificate accepted worse": "contract_broken"}


def test_checks_count_only_when_decided_both_times() -> None:
    before = observed({}, CAP_001="pass", CAP_002="pass", NET_001="warn", DRIFT_001="pass")
    after = observed({}, CAP_001="fail", CAP_002="not_observed", NET_001="pass", DRIFT_001="fail", CAP_009="fail")
    assert brief(drift(before, after)) == {"check CAP-001 worse": "removed", "check NET-001 better": "added"}


def test_a_check_against_the_contract_concerns_the_contract() -> None:
    compared = drift(observed({}, CAP_050="pass"), observed({}, CAP_050="fail"))
    assert brief(compared) == {"check CAP-050 worse": "contract_broken"}
    assert compared.changes[0].summary() == "CAP-050: pass → fail: m"


def test_a_sample_that_is_refused_now_breaks_the_contract() -> None:
    def data(outcome: str, **fields: int) -> dict[str, Any]:
        sample = {"resource": "Observation", "outcome": outcome, "count": 4, "fields": fields}
        return {"data": {"method": "bearer_token", "inputs": [sample]}}

    before = observed(data("sampled", code=4, status=2))
    assert brief(drift(before, observed(data("refused")))) == {"data reading Observation worse": "contract_broken"}
    assert brief(drift(before, observed(data("sampled", code=0, status=4)))) == {
        "data Observation.code worse": "contract_broken"
    }
    failed = drift(before, observed(data("failed")))
    assert failed.changes == ()
    assert failed.not_compared == ("sample of Observation: not seen both times",)


def test_the_sandboxes_ports_are_no_change() -> None:
    observations = []
    for _ in range(2):
        with SandboxServer() as server:
            observations.append(
                probe_sync([Target(base_url=server.base_url("riverside"), org="riverside")], ProbeSettings())[0]
            )
    assert observations[0].target.base_url != observations[1].target.base_url
    assert drift(*observations).changes == ()


def test_the_checks_of_an_observation_say_what_changed() -> None:
    with SandboxServer() as server:
        targets = [
            Target(base_url=server.base_url("riverside", *faults), org="riverside") for faults in ((), ("no-smart",))
        ]
        before, after = (probe_sync([target], ProbeSettings())[0] for target in targets)

    def outcomes(observation: Observation) -> list[str]:
        return [check.outcome.value for check in observation.checks if check.id.startswith("DRIFT-")]

    assert outcomes(before) == ["not_applicable"] * 3
    assert outcomes(with_drift(before, drift(before, before))) == ["pass"] * 3
    judged = with_drift(after, drift(before, after))
    assert outcomes(judged)[0] == "fail"
    message = next(check.message for check in judged.checks if check.id == "DRIFT-001")
    assert "SMART configuration is gone" in message


# -- the workspace -----------------------------------------------------------------------------------------------------


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    contract = (ROOT / "samples/templates/sepsis/contract.yaml").read_bytes()
    settings = b"name: N\nproduct: P\n"
    org = b"id: acme\nname: Acme Clinic\nfhir_base_url: https://ehr.example/fhir\n"
    return Workspace.create(
        tmp_path / "ws", {"interlock.yaml": settings, "orgs/acme.yaml": org, "contract.yaml": contract}
    )


def test_dates_and_words_choose_observations(workspace: Workspace) -> None:
    listed = [["read", "create"], ["read", "create"], ["read"]]
    for day, interactions in enumerate(listed):
        save_observation(workspace, observed(capability(Observation={"interactions": interactions}), day=day))
    save_observation(workspace, observed({}, day=3))
    assert drift_of_org(workspace, "acme", None, None).changes == ()
    assert drift_of_org(workspace, "acme", None, None).not_compared
    assert drift_of_org(workspace, "acme", "2026-03-01", "2026-03-02").changes == ()
    compared = drift_of_org(workspace, "acme", "2026-03-01T12", "2026-03-03")
    assert brief(compared) == {"interaction create removed": "contract_broken"}
    assert compared.ranked_by == f"{CONTRACT.title}, version {CONTRACT.version}"
    assert brief(drift_of_org(workspace, "acme", "before", "2026-03-03")) == brief(compared)
    for before, after, said in (
        ("2026-04", None, "no observation of '2026-04'"),
        ("before", "2026-03-01", "nothing was observed before"),
        ("", "x", "no observation of 'x'"),
    ):
        with pytest.raises(InterlockError, match=said):
            drift_of_org(workspace, "acme", before, after)
    with pytest.raises(InterlockError, match="no organisation 'nobody'"):
        drift_of_org(workspace, "nobody", None, None)


def test_files_are_compared_with_the_contract_at_hand(workspace: Workspace, tmp_path: Path) -> None:
    earlier = save_observation(workspace, observed(capability(Observation={"interactions": ["create"]})))
    later = save_observation(workspace, observed(capability(Observation={"interactions": ["read"]}), day=1))
    assert drift_of_files(earlier, later, later.parent).changes[0].rank == "contract_broken"
    assert drift_of_files(earlier, later, tmp_path).changes[0].rank == "removed"
    other = tmp_path / "other.json"
    other.write_text(earlier.read_text().replace('"acme"', '"other"'))
    with pytest.raises(InterlockError, match="of acme and"):
        drift_of_files(earlier, other, tmp_path)


def test_a_new_observation_is_compared_with_the_last_that_saw_anything(workspace: Workspace) -> None:
    full = capability(Observation={"interactions": ["create"]})
    save_observation(workspace, observed(full))
    save_observation(workspace, observed({}, day=1))
    (workspace.root / "observations/acme/2026-03-03T000000.000000Z.json").write_text("{broken")
    comparer = Comparer(workspace, ["acme", "nobody"])
    comparer.compared(observed({}, day=2))
    assert comparer.drifts == {}
    lost = comparer.compared(observed(capability(Observation={"interactions": ["read"]}), day=4))
    assert lost.target.org == "acme"
    with pytest.raises(ThresholdNotMetError, match=r"acme: interaction Observation\.create is gone"):
        check_drift(list(comparer.drifts.values()))
    check_drift([drift(observed(full), observed(capability(Observation={"interactions": ["create", "read"]})))])
