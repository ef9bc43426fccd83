"""What a reader of one observation needs first: what blocks him, what to ask them, what could not be seen."""

from __future__ import annotations

from pydantic import Field

from interlock.model.base import Model


class CardLine(Model):
    """One thing on a card.

    :ivar text: what was seen, or what was not, in one or two sentences.
    :ivar do: what to do about it; of what was not seen, what would show it.
    :ivar checks: the checks that say so, by id; none where a fact does.
    :ivar apart: it is about a possible disclosure: it goes to their security or privacy contact alone.
    """

    text: str
    do: str = ""
    checks: tuple[str, ...] = ()
    apart: bool = Field(default=False, exclude_if=lambda apart: not apart)


class Card(Model):
    """An observation sorted for a reader; everything else about it is inventory.

    :ivar first: what to do first, in a sentence or two.
    :ivar built: what can be built against that server now and what not yet; empty where nothing was seen.
    :ivar blocks: what is against the workflow contract, or so broken that a client cannot work: the worst first.
    :ivar ask: questions to the organisation, each once, in words of its own documents; those about what blocks first,
        those that go apart last.
    :ivar unseen: what could not be looked at, with what would show it.
    :ivar compared: which needs of the product's contract were found; what that says when there is none.
    :ivar also: ids of the other checks that found something, which need nobody's answer.
    :ivar mail: the questions as a text to paste, those that go apart as another; empty when there are none.
    """

    first: str
    built: str = ""
    blocks: tuple[CardLine, ...] = ()
    ask: tuple[CardLine, ...] = ()
    unseen: tuple[CardLine, ...] = ()
    compared: str = ""
    also: tuple[str, ...] = ()
    mail: str = ""
