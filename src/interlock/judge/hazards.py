"""Which hazards can arise at a product, and how far each is held (docs/hazards.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from interlock.content.compile import Condition, compile_hazard
from interlock.content.hazards import Hazards
from interlock.documents.timing import timed
from interlock.judge.context import Knowledge, Known
from interlock.judge.engine import decide
from interlock.judge.evaluate import reads_of
from interlock.judge.hazard_states import HazardFacts, settle_hazards
from interlock.judge.variables import RuleInputs, Wanted
from interlock.model.base import RuleOutcome
from interlock.model.finding import UNDECIDED
from interlock.model.hazard import Hazard, HazardFigures, HazardState
from interlock.model.questionnaire import Questionnaire


class HazardLibrary:
    """The catalogue of hazards, to be held against everything that is known, again and again.

    :raises DocumentError: a condition is not CEL. Inputs never raise.
    """

    def __init__(self, catalogue: Hazards, questionnaires: Iterable[Questionnaire]) -> None:
        self.catalogue = catalogue
        items = frozenset(item.id for questionnaire in questionnaires for item in questionnaire.questions())
        compiled = ((hazard, compile_hazard(hazard)) for hazard in catalogue.hazards)
        self._compiled = [
            (hazard, condition, reads_of(condition, items) if condition else None) for hazard, condition in compiled
        ]
        reads = [name.partition(".") for _, condition, _ in self._compiled if condition for name in condition.reads]
        self._roots = frozenset(root for root, _, _ in reads)
        self._items = frozenset(rest for _, _, rest in reads)

    @timed("hazards")
    def match(
        self, inputs: RuleInputs, facts: HazardFacts, figures: Mapping[str, HazardFigures]
    ) -> tuple[HazardState, ...]:
        """Every hazard on what is known: open first, then not known, controlled, and what cannot arise.

        :param figures: the team's own severity and detectability, by the hazard's id.
        """
        product = Knowledge(inputs, self._roots, self._items).product()
        return settle_hazards(self._begun(product, figures), facts)

    def _begun(self, product: Known, figures: Mapping[str, HazardFigures]) -> Iterator[HazardState]:
        for hazard, condition, reads in self._compiled:
            applies: bool | None = True
            because = ""
            if condition is not None and reads is not None:
                applies, because = _arises(hazard, condition, product, reads.wanted, reads.items)
            own = figures.get(hazard.id)
            yield HazardState(
                hazard=hazard,
                status="not_known",
                severity=(own and own.severity) or hazard.severity,
                detectability=(own and own.detectability) or hazard.detectability,
                figures=own,
                applies=applies,
                because=because,
                sources=tuple(self.catalogue.sources[name] for name in hazard.sources),
            )


def _arises(
    hazard: Hazard, condition: Condition, product: Known, wanted: Wanted, items: Iterable[str]
) -> tuple[bool | None, str]:
    conclusion = decide(condition, product.context(wanted, items))
    if conclusion.outcome is RuleOutcome.GAP:
        return True, ""
    if conclusion.outcome in UNDECIDED:
        return None, conclusion.detail or ""
    return False, f"it arises only where {hazard.arises}"
