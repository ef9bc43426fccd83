"""Gaps in a list: which are listed, and as a tree by what blocks what, or by gate, organisation or owner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    Column("What is open", 42, grow=5),
    Column("Where", 16, grow=2),
    Column("Severity", 11, leaves=6),
    Column("Gate", 10, leaves=4),
    Column("Owner", 12, leaves=3),
    Column("Blocks", 6, leaves=1, right=True),
    Column("Id", 20, leaves=7),
)

#: The same at more organisations than this is one row; of more gaps than that, all is folded at first.
_ALIKE, _MANY = 5, 400
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
    """What the rows are made of. The same rule at many organisations is one row, which opens to show each of them.

    :ivar parents: key → the gap that every path to it passes through.
    :ivar turned: keys of rows that are folded where they are open at first, or the other way round.
    :ivar supposed: keys that are supposed to be closed.
    :ivar bundles: key of a row → the gaps that it stands for; filled as rows are made.
    """

    nodes: Sequence[GapNode]
    names: Mapping[str, str]
    parents: Mapping[str, str | None]
    turned: Collection[str] = ()
    supposed: Collection[str] = ()
    bundles: dict[str, tuple[GapNode, ...]] = field(default_factory=dict)

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
        rows: list[Row] = []
        for title, nodes in groups.items():
            if nodes and grouping == "org" and len(self.nodes) > _MANY:
                rows += self._of_one_organization(title, nodes)
            elif nodes:
                rows.append(Row(f"group:{title}", heading=title, aside=_counted(nodes)))
                rows += self._branches(nodes, {}, {}, title)
        return rows

    def _of_one_organization(self, title: str, nodes: Sequence[GapNode]) -> Iterator[Row]:
        """Where there are many organisations, each is one row that opens."""
        key = f"place:{title}"
        self.bundles[key] = tuple(nodes)
        folded = self.is_folded(key)
        label = line((f"{'▸' if folded else '▾'} ", ACCENT), (title, "bold"), (f"  {_counted(nodes)}", DIM))
        blocks = text(sum(node.blocks for node in nodes) or "", DIM)
        yield Row(key, (Content(""), label, *[Content("")] * 4, blocks, Content("")))
        if not folded:
            yield from (self._row(node.key, (node,), "  ", 0) for node in nodes)

    def unfolded_to(self, key: str, grouping: Grouping) -> set[str]:
        """What has to be turned so that this gap is listed: the rows that it stands in or behind."""
        wanted, turned = {key}, set(self.turned)
        while (parent := self.parents.get(key)) is not None:
            wanted.add(parent)
            key = parent
        while True:
            listing = replace(self, turned=turned, bundles={})
            folded = {row.key for row in listing.rows(grouping) if row.cells and listing.is_folded(row.key)}
            more = {
                row for row in folded if row in wanted or wanted & {node.key for node in listing.bundles.get(row, ())}
            }
            if not more:
                return turned
            turned ^= more

    def is_folded(self, key: str) -> bool:
        """Is what is behind this row, or what it stands for, left out? At first it is where there is much."""
        at_first = key in self.bundles or len(self.nodes) > _MANY
        return at_first is not (key in self.turned)

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
            size[node.key] = sum(1 + size[child.key] for child in children.get(node.key, ()))
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
        for title, nodes, aside in groups:
            if nodes:
                said = f"{_counted(nodes)}; {aside}" if aside else _counted(nodes)
                yield Row(f"group:{title}", heading=title, aside=said)
                yield from self._branches(nodes, children, size, title)

    def _listed_parent(self, key: str, listed: Mapping[str, GapNode]) -> str | None:
        parent = self.parents.get(key)
        while parent is not None and parent not in listed:
            parent = self.parents.get(parent)
        return parent

    def _branches(
        self,
        roots: Sequence[GapNode],
        children: Mapping[str | None, list[GapNode]],
        size: Mapping[str, int],
        among: str,
    ) -> Iterator[Row]:
        """Rows and what is behind them, what blocks most first; without recursion, for a chain may be long."""
        tree = bool(children)

        def in_order(bundle: tuple[GapNode, ...]) -> tuple[int, int, int, str]:
            first = bundle[0]
            return -sum(n.blocks for n in bundle), -_behind(bundle, size), first.severity.rank, first.key

        def below(nodes: Iterable[GapNode], guide: str, *, at_root: bool) -> list[tuple[tuple[GapNode, ...], str, str]]:
            bundles = _alike(nodes)
            bundles = sorted(bundles, key=in_order) if tree else bundles
            corners = [""] * len(bundles) if at_root else ["├─ "] * (len(bundles) - 1) + ["└─ "]
            return [(bundle, guide, corner) for bundle, corner in zip(bundles, corners, strict=True)][::-1]

        left = below(roots, "", at_root=True)
        while left:
            bundle, guide, corner = left.pop()
            first, several, behind = bundle[0], len(bundle) > 1, _behind(bundle, size)
            key = f"alike:{first.rule}:{first.kind}@{among}:{self.parents.get(first.key)}" if several else first.key
            if several:
                self.bundles[key] = bundle
            yield self._row(key, bundle, f"{guide}{corner}", behind)
            if (several or behind) and not self.is_folded(key):
                inner = guide + {"": "  " if several else "", "├─ ": "│  ", "└─ ": "   "}[corner]
                if several:
                    left += [((node,), inner, "") for node in reversed(bundle)]
                else:
                    left += below(children.get(key, ()), inner, at_root=False)

    def _row(self, key: str, bundle: tuple[GapNode, ...], lead: str, behind: int) -> Row:
        first, several = bundle[0], len(bundle) > 1
        sign = TASK["discovery"] if first.kind == "discovery" else SEVERITY[first.severity]
        label: list[Content | tuple[str, str] | str] = [(lead, PRIMARY)]
        if several or behind:
            label.append((f"{'▸' if self.is_folded(key) else '▾'} ", ACCENT))
        supposed = sum(node.key in self.supposed for node in bundle)
        if supposed:
            label.append((f"× {f'{supposed} ' if several else ''}as if closed: ", ACCENT))
        label.append((first.label, "bold" if behind else ""))
        if behind:
            label.append((f"  {behind:,} behind it", DIM))
        scope = {Scope.ORG: ("organisation", None), Scope.VENDOR: ("vendor", None), Scope.PRODUCT: ("entry", "entries")}
        at = words.count(len(bundle), *scope[first.subject.scope]) if several else self._where(first)
        return Row(
            key,
            (
                text(sign.glyph, sign.style),
                line(*label),
                text(at, "" if several else DIM),
                text(sign.word, sign.style),
                text(words.GATE[first.gate].phrase, DIM),
                text(words.OWNER[first.owner].title, DIM),
                text(sum(node.blocks for node in bundle) or "", DIM),
                text("" if several else first.key, DIM),
            ),
        )


def _behind(bundle: Iterable[GapNode], size: Mapping[str, int]) -> int:
    return sum(size.get(node.key, 0) for node in bundle)


def _alike(nodes: Iterable[GapNode]) -> list[tuple[GapNode, ...]]:
    """Nodes of one rule together where they are many; the others each by itself, in their order."""
    groups: dict[tuple[str, str], list[GapNode]] = {}
    for node in nodes:
        groups.setdefault((node.rule, node.kind), []).append(node)
    bundles: list[tuple[GapNode, ...]] = []
    for group in groups.values():
        bundles += [tuple(group)] if len(group) > _ALIKE else [(node,) for node in group]
    return bundles


def _counted(nodes: Sequence[GapNode]) -> str:
    """``3 gaps, 2 things to find out``."""
    unknown = sum(node.kind == "discovery" for node in nodes)
    parts = [words.count(len(nodes) - unknown, "gap")] if len(nodes) > unknown else []
    parts += [words.count(unknown, "thing to find out", "things to find out")] if unknown else []
    return ", ".join(parts)
