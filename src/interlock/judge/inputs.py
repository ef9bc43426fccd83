"""Everything that rules are evaluated on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from interlock.model.contract import ContractFit, WorkflowContract
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.questionnaire import Questionnaire, Responses


@dataclass(frozen=True)
class RuleInputs:
    """What is known, and about whom.

    :ivar product: responses to the product's questions.
    :ivar by_org: responses to each organisation's questions, by its id.
    :ivar observations: the latest observation of each organisation; an absent one was never probed.
    :ivar fits: the contract against each organisation.
    :ivar hidden: ids of items hidden by ``enable_when``; key ``""`` for the product, the organisation's id otherwise.
    """

    questionnaires: tuple[Questionnaire, ...] = ()
    product: Responses = field(default_factory=dict)
    by_org: Mapping[str, Responses] = field(default_factory=dict)
    organizations: tuple[Organization, ...] = ()
    observations: Mapping[str, Observation] = field(default_factory=dict)
    contract: WorkflowContract | None = None
    fits: Mapping[str, ContractFit] = field(default_factory=dict)
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)
