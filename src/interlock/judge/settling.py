"""Which undecided votes settle a verdict, in which order to find out about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from interlock.judge.verdict import Ballot, Vote


class Doubts(NamedTuple):
    """Undecided votes that could change a verdict: those to settle first, and those that may never matter.

    :ivar now: the product's, and those of one organisation; all have to be met before the latest verdict is certain.
    :ivar later: other organisations', which matter only once that one turns out to be held back.
    """

    now: Sequence[Vote] = ()
    later: Sequence[Vote] = ()


def doubts(ballot: Ballot) -> Doubts:
    """The undecided votes that could change the verdict; none when it is settled.

    One organisation that nothing holds back is enough for the organisations to have no say, so the one about which the
    least has to be found out goes first: what answers tell before what only an observation can.
    """
    earliest, latest = ballot.range()
    if earliest is latest:
        return Doubts()
    product = [vote for vote in ballot.product if vote.undecided and vote.value.rank < latest.rank]
    orgs = list(ballot.by_org.values())
    open_there = [[vote for vote in votes if vote.undecided] for votes in orgs]
    earlier = [[vote for vote in votes if vote.value.rank < latest.rank] for votes in open_there]
    if not all(orgs) or not any(earlier):
        return Doubts(product)  # an organisation is free for certain, or none could make the verdict earlier
    free = [votes for votes, every in zip(open_there, orgs, strict=True) if len(votes) == len(every)]
    if not free:
        return Doubts([*product, *(vote for votes in earlier for vote in votes)])
    nearest = min(free, key=lambda votes: (sum(bool(vote.finding.missing_facts) for vote in votes), len(votes)))
    return Doubts([*product, *nearest], [vote for votes in open_there if votes is not nearest for vote in votes])
