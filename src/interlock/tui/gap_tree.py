"""Gaps in a list: which are listed, and as a tree by what blocks what, or by gate, organisation or owner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from textual.content import Content

from interlock.model import words
from interlock.model.base import Gate, Owner, Scope, Severity
from interlock.model.gap_graph import GapNode
from interlock.tui.page import ACCENT, DIM, PRIMARY, SEVERITY, TASK, line, text
from interlock.tui.widgets.rows import Column, Row

#: The glyph says the severity, and the words say what it is: severity's word and the id are the first to leave.
COLUMNS = (
    Column("", 1),
    Column("What is open", 36, grow=5),
    Column("Where", 16, grow=2, leaves=2),
    Column("Severity", 11, leaves=6),
    Column("Gate", 10, leaves=4),
    Column("Owner", 12, leaves=3),
    Column("Blocks", 6, leaves=1, right=True),
    Column("Id", 20, leaves=7),
)

Kind = Literal["gap", "discovery"]
KINDS: dict[Kind, str] = {"gap": "gaps", "discovery": "things to find out"}
Grouping = Literal["blocks", "gate", "org", "owner"]
#: In the order in which one key goes through them.
GROUPINGS: dict[Grouping, str] = {
    "blocks": "what blocks what",
    "gate": "gate",
    "org": "organisation",
    "owner": "owner",
}


@dataclass(frozen=True)
class Filter:
    """Which nodes are listed; none means all. Product-wide nodes concern every organisation."""

    org: str | None = None
    severity: Severity | None = None
    owner: Owner | None = None
    kind: Kind | None = None
    find: str = ""

    def takes(self, node: GapNode) -> bool:
        """Is this node listed?"""
        return (
            self.org in {None, *node.orgs}
            and self.severity in {None, node.severity}
            and self.owner in {None, node.owner}
            and self.kind in {None, node.kind}
            and self.find.casefold() in f"{node.key}\n{node.title}\n{node.question}\n{node.message}".casefold()
        )

    @property
    def is_set(self) -> bool:
        """Is anything filtered?"""
        return self != Filter()


def where(node: GapNode, names: Mapping[str, str]) -> str:
    """Whom it is about, by name."""
    subject = node.subject
    if subject.scope is Scope.PRODUCT:
        return "the product"
    return words.vendor(subject.id) if subject.scope is Scope.VENDOR else names.get(subject.id, subject.id)


@dataclass(frozen=True)
class Listing:
    """What the rows are made of.

    :ivar parents: key → the gap that every path to it passes through.
    :ivar folded: keys of the gaps of which those behind them are not listed.
    :ivar supposed: keys that are supposed to be closed.
    """

    nodes: Sequence[GapNode]
    names: Mapping[str, str]
    parents: Mapping[str, str | None]
    folded: Collection[str] = ()
    supposed: Collection[str] = ()

    def rows(self, grouping: Grouping) -> list[Row]:
        """The rows of one grouping."""
        if grouping == "blocks":
            return list(self._tree())
        groups: dict[str, list[GapNode]] = {}
        if grouping == "gate":
            groups = {words.capital(words.gate(gate)): [n for n in self.nodes if n.gate is gate] for gate in Gate}
        elif grouping == "owner":
            groups = {words.OWNER[owner].title: [n for n in self.nodes if n.owner is owner] for owner in Owner}
        else:
            scopes = sorted(self.nodes, key=lambda node: (list(Scope).index(node.subject.scope), self._where(node)))
            for node in scopes:
                groups.setdefault(words.capital(self._where(node)), []).append(node)
        rows = []
        for number, (title, nodes) in enumerate(groups.items()):
            if nodes:
                rows.append(Row(f"group:{number}", heading=title, aside=_counted(nodes)))
                rows += [self._row(node) for node in nodes]
        return rows

    def _where(self, node: GapNode) -> str:
        return where(node, self.names)

    def _tree(self) -> Iterator[Row]:
        """By what blocks what: first what others hang on, then what waits for several, then what stands alone."""
        listed = {node.key: node for node in self.nodes}
        children: dict[str | None, list[GapNode]] = defaultdict(list)
        for node in self.nodes:
            children[self._listed_parent(node.key, listed)].append(node)
        size: dict[str, int] = {}
        for node in reversed(self.nodes):  # in order of waves: what is behind a node comes after it
            size[node.key] = sum(1 + size[child.key] for child in children[node.key])
        roots = children[None]
        alone = [node for node in roots if not size[node.key]]
        groups = (
            (
                "What others hang on",
                [node for node in roots if size[node.key]],
                "nothing behind it can be begun before",
            ),
            ("Waits for several at once", [node for node in alone if node.wave], ""),
            ("Can start now", [node for node in alone if not node.wave], "and nothing waits for it alone"),
        )
        for number, (title, nodes, aside) in enumerate(groups):
            if nodes:
                said = f"{_counted(nodes)}; {aside}" if aside else _counted(nodes)
                yield Row(f"group:{number}", heading=title, aside=said)
                yield from self._branches(nodes, children, size)

    def _listed_parent(self, key: str, listed: Mapping[str, GapNode]) -> str | None:
        parent = self.parents.get(key)
        while parent is not None and parent not in listed:
            parent = self.parents.get(parent)
        return parent

    def _branches(
        self, roots: Iterable[GapNode], children: Mapping[str | None, list[GapNode]], size: Mapping[str, int]
    ) -> Iterator[Row]:
        """A node and what is behind it, what blocks most first; without recursion, for a chain may be long."""

        def in_order(nodes: Iterable[GapNode]) -> list[GapNode]:
            return sorted(nodes, key=lambda node: (-node.blocks, -size[node.key], node.severity.rank, node.key))

        left = [(node, "", "") for node in reversed(in_order(roots))]
        while left:
            node, guide, corner = left.pop()
            folded = node.key in self.folded and size[node.key] > 0
            yield self._row(node, f"{guide}{corner}", size[node.key], folded=folded)
            if not folded:
                inner = guide + {"": "", "├─ ": "│  ", "└─ ": "   "}[corner]
                below = in_order(children.get(node.key, ()))
                corners = ["├─ "] * (len(below) - 1) + ["└─ "]
                left += reversed([(child, inner, at) for child, at in zip(below, corners, strict=False)])

    def _row(self, node: GapNode, lead: str = "", behind: int = 0, *, folded: bool = False) -> Row:
        undecided = node.kind == "discovery"
        sign = TASK["discovery"] if undecided else SEVERITY[node.severity]
        what: list[Content | tuple[str, str] | str] = [(lead, PRIMARY)]
        if behind:
            what.append((f"{'▸' if folded else '▾'} ", ACCENT))
        if node.key in self.supposed:
            what.append(("× as if closed: ", ACCENT))
        what.append((node.label, "bold" if behind else ""))
        if behind:
            what.append((f"  {behind:,} behind it", DIM))
        return Row(
            node.key,
            (
                text(sign.glyph, sign.style),
                line(*what),
                text(self._where(node), DIM),
                text(sign.word, sign.style),
                text(words.GATE[node.gate].phrase, DIM),
                text(words.OWNER[node.owner].title, DIM),
                text(node.blocks or "", DIM),
                text(node.key, DIM),
            ),
        )


def _counted(nodes: Sequence[GapNode]) -> str:
    """``3 gaps, 2 things to find out``."""
    unknown = sum(node.kind == "discovery" for node in nodes)
    parts = [words.count(len(nodes) - unknown, "gap")] if len(nodes) > unknown else []
    parts += [words.count(unknown, "thing to find out", "things to find out")] if unknown else []
    return ", ".join(parts)
