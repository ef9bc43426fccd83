"""SMART App Launch by version, and what ONC's certification criterion (g)(10) asks, as Inferno tests it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal, get_args

from interlock.fhir.tables.files import Row, TableFile, read
from interlock.fhir.tables.us_core import UsCoreEdition

SmartVersion = Literal["1.0", "2.0", "2.1", "2.2"]
VERSIONS: tuple[SmartVersion, ...] = get_args(SmartVersion)

Scenario = Literal["ehr-practitioner-app", "standalone-patient-app", "v1-scopes"]


class Capability(Row, frozen=True):
    """A capability code.

    :ivar versions: version → whether it has the code, or has it as experimental.
    :ivar requested_by: scope by which a client asks for it; ``conveyed_via``: parameter of the token response.
    """

    code: str
    group: str
    versions: dict[SmartVersion, Literal["yes", "no", "experimental"]]
    requested_by: str = ""
    conveyed_via: str = ""


class CapabilitySet(Row, frozen=True):
    """A set of capabilities in one version: ``all_of`` them, one of ``any_of``, and ``may`` in addition."""

    name: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    may: tuple[str, ...] = ()

    def missing(self, capabilities: Mapping[str, object] | frozenset[str]) -> tuple[str, ...]:
        """Codes of the set that are not among these; several of which one is enough are joined with ``|``."""
        lacking = tuple(code for code in self.all_of if code not in capabilities)
        return lacking if any(code in capabilities for code in self.any_of) else (*lacking, "|".join(self.any_of))


class WellKnownField(Row, frozen=True):
    """A field of ``.well-known/smart-configuration``.

    :ivar versions: version → ``required``, ``recommended``, ``conditional``, …; versions without it are left out.
    :ivar condition: when it is required where it is conditional.
    """

    name: str
    type: str
    versions: dict[SmartVersion, str]
    condition: str = ""
    values: str = ""


class Fact(Row, frozen=True):
    """One fact about scopes or the token response, with the versions that have it."""

    kind: str
    name: str
    value: str
    versions: tuple[SmartVersion, ...]
    section: str = ""


class Smart(TableFile, frozen=True):
    """SMART App Launch 1.0 to 2.2. Licence of its facts: CC-BY-4.0; name the source where they are shown as such."""

    capabilities: tuple[Capability, ...]
    capability_sets: dict[SmartVersion, tuple[CapabilitySet, ...]]
    well_known: tuple[WellKnownField, ...]
    scopes: tuple[Fact, ...]
    token_parameters: tuple[Fact, ...]
    codes: dict[str, tuple[str, ...]]

    def capability_codes(self, *versions: SmartVersion) -> frozenset[str]:
        """The capability codes of any of these versions, of all when none is given; experimental ones included."""
        asked = versions or VERSIONS
        return frozenset(
            capability.code
            for capability in self.capabilities
            if any(capability.versions[version] != "no" for version in asked)
        )


class TestedProfile(Row, frozen=True):
    """A profile that (g)(10) tests in an edition; ``by_reference``: reached by references alone, not searched."""

    edition: UsCoreEdition
    resource: str
    id: str
    url: str
    required: bool
    by_reference: bool


class RequiredCapability(Row, frozen=True):
    """A capability that a launch scenario requires in a version of SMART; ``when`` is empty for always."""

    scenario: Scenario
    smart_version: SmartVersion
    code: str
    when: str = ""


class ScopeRule(Row, frozen=True):
    """A scope that is tested, with the editions of US Core (or the rule) that it holds for."""

    kind: Literal["granular", "required-in-launch", "rule-sub-resource"]
    editions: tuple[str, ...]
    scope: str
    note: str = ""


class OncG10(TableFile, frozen=True):
    """What Inferno's (g)(10) test kit requires: its reading of the rule, January 2025.

    :ivar facts: subject → value, such as the versions that the kit offers.
    :ivar patient_resources: edition → types that a patient's app is given access to.
    """

    facts: dict[str, str]
    capabilities: tuple[RequiredCapability, ...]
    scopes: tuple[ScopeRule, ...]
    profiles: tuple[TestedProfile, ...]
    patient_resources: dict[UsCoreEdition, tuple[str, ...]]

    def required_capabilities(self, scenario: Scenario, smart: SmartVersion, edition: UsCoreEdition) -> frozenset[str]:
        """The capabilities that a scenario requires in this version of SMART together with this edition of US Core."""
        return frozenset(
            requirement.code
            for requirement in self.capabilities
            if (requirement.scenario, requirement.smart_version) == (scenario, smart)
            and (not requirement.when or edition >= requirement.when)
        )


@cache
def smart() -> Smart:
    """The tables of SMART App Launch."""
    return read("smart", Smart)


@cache
def onc_g10() -> OncG10:
    """The tables of ONC (g)(10)."""
    return read("onc-g10", OncG10)
