"""Words of the page that an executive decides from: plain ones for ours, and what those that stay mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from interlock.model import words
from interlock.model.language import N_, _
from interlock.report.elements import Pair

#: Words of engineers, and what a board reads in their place.
_BOARD = (
    ("a look at ", "a check of the EHR's server at "),
    ("never observed", "never checked"),
    ("the verdict is “product first”", "the product comes first"),
    ("the verdict is “", "what comes first is “"),
    ("another FHIR release than the contract", "another version of FHIR than the contract is written for"),
    ("prove it outside the EHR", "try it outside the EHR"),
    ("define the contract", "write the workflow contract"),
    ("map the auth surface", "find out how signing in works at each hospital"),
    ("findings about signing in there cannot be decided", "of the points not known are about signing in there"),
    ("finding about signing in there cannot be decided", "of the points not known is about signing in there"),
    ("our client's key", "the product's sign-in key"),
    ("the production client", "the product's registration for production"),
    ("our client is", "the product's registration is"),
    ("the authentication paths are not mapped", "how signing in works at each hospital is not written down"),
    (
        "the contract needs an EHR launch that this organisation does not offer",
        "the product has to open inside the EHR, which is not offered there",
    ),
    (
        "the contract needs a standalone launch that this organisation does not offer",
        "the product has to open outside the EHR, which is not offered there",
    ),
    ("a standalone launch here", "opening the product outside the EHR there"),
    ("launch in the pilot unit", "begin in the pilot unit"),
    ("a second mapping", "building for that hospital's version of FHIR too"),
    ("another resource, a card, a person who transcribes", "another kind of entry, a notice, a person who copies it"),
    (
        "draw one table: organisations down, kinds of user and ways of starting across",
        "write down for each hospital who opens the product, from where, and how they sign in",
    ),
    ("publishes no SMART configuration", "does not publish how to sign in"),
    ("needed here have not been tried here", "needed there have not been tried"),
    ("does not offer a write that the contract needs", "does not let the product write what the contract needs"),
    ("leaving this organisation out", "leaving it out"),
    ("leaving the organisation out", "leaving it out"),
    (" at this organisation", " there"),
    ("this organisation", "the organisation"),
)
#: Words that stay, as they stand on the page, and what they mean there.
_MEANT = (
    (
        N_("gate"),
        N_("design (on paper), sandbox (test environment), pilot (one unit), production (every unit)"),
    ),
    (N_("blocker"), N_("an open requirement that holds a gate up")),
    (
        N_("contract"),
        N_("the workflow contract: what the product reads, writes and does when something fails"),
    ),
    (N_("EHR"), N_("the hospital's electronic health record")),
    (N_("FHIR"), N_("the data standard of EHRs")),
    (N_("registration"), N_("the EHR's entry for a product that may sign in")),
    (N_("sign-in key"), N_("how the EHR knows that it is the product")),
    (N_("clinical owner"), N_("the clinician who answers for what the product does")),
    (N_("SAFER"), N_("a hospital's own check of how safe its EHR is")),
)
#: Words of FHIR that people write into a contract, and so stay as they wrote them.
_OF_FHIR = (
    ("Observation", N_("a result or score in the record")),
    ("DocumentReference", N_("a document")),
    ("entered-in-error", N_("marked as wrong, and kept")),
)


def board(text: str) -> str:
    """A title or verdict in words that nobody has to look up."""
    for ours, theirs in _BOARD:
        text = text.replace(ours, theirs).replace(words.capital(ours), words.capital(theirs))
    return text


def meant(page: Mapping[str, object]) -> Iterator[Pair]:
    """What each word of ours on the page means, where it occurs."""
    said = "\n".join(_texts(page))
    for term, meaning in _MEANT:
        if re.search(rf"\b{re.escape(_(term))}", said, re.IGNORECASE):
            yield Pair(term=words.capital(_(term)), value=_(meaning))
    for term, meaning in _OF_FHIR:
        if term in said:
            yield Pair(term=term, value=_(meaning))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Pair):
        yield value.value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from _texts(each)
