"""The workflow contract as a tree to fill in: what each part means, who supports it, and what is wrong there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.tui.contract_parts import (
    HINTS,
    OF_OUTPUTS,
    OFFERED,
    OFTEN,
    holds,
    in_entry,
    in_words,
    offer_line,
    typed,
)
from interlock.tui.keys import bindings, key_of, keyed
from interlock.tui.page import ACCENT, BAD, DIM, WARN, Page, text
from interlock.tui.screens.search import Entry, Search
from interlock.tui.screens.section import AskText, Pick, Section
from interlock.tui.state import State
from interlock.tui.undo import Step
from interlock.tui.widgets.flow import ScrollingFlow
from interlock.tui.work import in_thread

if TYPE_CHECKING:
    from interlock.documents.yaml import Path_
    from interlock.usecases.contract import ContractRemark
    from interlock.usecases.contract_form import Slot

_FILE = "contract.yaml"
#: From so many offers on they are searched by their words.
_FEW = 12


class SlotTree(Tree["Slot"]):
    """The contract's parts, with vim's keys to move."""

    BINDINGS = bindings("tree")

    def action_open(self) -> None:
        """Show what is below."""
        if self.cursor_node is not None:
            self.cursor_node.expand()

    def action_close(self) -> None:
        """Hide what is below, or go to what it belongs to."""
        node = self.cursor_node
        if node is not None and node.is_expanded and node.allow_expand:
            node.collapse()
        elif node is not None and node.parent is not None and node.parent.parent is not None:
            self.move_cursor(node.parent)


class ContractEditor(Section):
    """The page that edits ``contract.yaml``, on top of the section that shows it."""

    TITLE = "Edit the contract"
    ABOUT = (
        "The contract part by part. Enter opens a part, or changes the highlighted value; {editor.add} adds an entry "
        "to a list, or fills a part that is not there yet; {editor.clear} takes the value or the entry away. Of an "
        "entry those fields are shown in which something is said; {editor.fields} shows the others too. What FHIR "
        "knows is offered, with the organisations that declare it as they were last seen. On the right is what is "
        "wrong or open. Each change is saved at once, comments of the file stay, and {app.undo} takes it back."
    )
    INITIAL_FOCUS = "#slots"
    PANELS = {"#slots": _FILE, "#about-slot": "Here"}
    BINDINGS = bindings("editor")

    def __init__(self) -> None:
        super().__init__()
        self._remarks: tuple[ContractRemark, ...] = ()
        self._here: Path_ | None = None  # what is highlighted
        self._all = False  # every field of an entry, also those in which nothing is said
        self._wanted: Path_ | None = None  # what was just written, to be highlighted when the file is read again,
        self._left: Path_ | None = None  # unless something else is by then than what was when it was written

    def body(self) -> ComposeResult:
        """The tree beside what is said about the highlighted part."""
        with Horizontal(classes="sides"):
            tree: SlotTree = SlotTree("contract", id="slots", classes="panel side")
            tree.show_root = False
            tree.guide_depth = 2
            yield tree
            yield ScrollingFlow(id="about-slot", classes="panel side")

    @property
    def _tree(self) -> SlotTree:
        return self.query_one("#slots", SlotTree)

    @property
    def _slot(self) -> Slot | None:
        return self._tree.cursor_node.data if self._tree.cursor_node is not None else None

    # -- showing --------------------------------------------------------------------------------------------------

    def show(self, old: State | None, new: State) -> None:
        """Draw the tree of new inputs; what was open stays open."""
        if new.inputs is None or (old is not None and old.inputs is new.inputs):
            return
        if new.inputs.contract is None:
            self._tree.clear()
            self._tell()
            return
        from interlock.usecases.contract import lint_contract
        from interlock.usecases.contract_form import slots

        try:
            self._remarks = lint_contract(self.interlock.workspace.root)[1]
        except InterlockError:  # the file has changed since it was read; the next reading says so
            self._remarks = ()
        at = self._slot.path if self._slot is not None else None
        moved_on = at != self._left and at is not None  # while it was being written
        here = self._here = at if moved_on or self._wanted is None else self._wanted
        self._wanted = self._left = None
        opened = {node.data.path for node in self._listed() if node.is_expanded and node.data is not None}
        self._tree.clear()
        for slot in slots(new.inputs.contract):
            self._add_node(self._tree.root, slot, opened)
        self._tree.root.expand()
        self._go_to(here)
        self._tell()

    def _add_node(self, parent: TreeNode[Slot], slot: Slot, opened: set[Path_]) -> None:
        label = self._label(slot)
        if slot.is_leaf:
            parent.add_leaf(label, slot)
            return
        node = parent.add(label, slot, expand=slot.path in opened)
        shown = [part for part in slot.parts if self._all or not in_entry(part) or self._is_shown(part)]
        for part in shown:
            self._add_node(node, part, opened)
        if left := len(slot.parts) - len(shown):
            node.add_leaf(
                Text(f"and {words.count(left, 'field')} in which nothing is said", "dim italic", no_wrap=True)
            )

    def _is_shown(self, part: Slot) -> bool:
        """Of an entry with twenty fields: what is asked of it, what is said, and what something is wrong at."""
        often = part.path[-1] in OFTEN and (part.path[0] == "outputs" or part.path[-1] not in OF_OUTPUTS)
        return part.is_said or often or part.path == self._here or bool(self._remarks_at(part))

    def _label(self, slot: Slot) -> Text:
        mark = "! " if self._remarks_at(slot) else ""
        label = Text.assemble((mark, "bold"), (slot.name, ""), (holds(slot), "dim"))
        label.no_wrap = True
        return label

    def _remarks_at(self, slot: Slot) -> list[ContractRemark]:
        pointer = "".join(f"/{step}" for step in slot.path)
        return [
            remark for remark in self._remarks if remark.pointer == pointer or remark.pointer.startswith(f"{pointer}/")
        ]

    def _listed(self) -> Sequence[TreeNode[Slot]]:
        """Every node below the root, in order."""
        nodes: list[TreeNode[Slot]] = []
        left = list(reversed(self._tree.root.children))
        while left:
            node = left.pop()
            nodes.append(node)
            left.extend(reversed(node.children))
        return nodes

    def _go_to(self, path: Path_ | None) -> None:
        """Highlight a place, or the nearest above it that there is."""
        by_path = {node.data.path: node for node in self._listed() if node.data is not None}
        while path and path not in by_path:
            path = path[:-1]
        node = by_path.get(path or ())
        if node is None:
            self._tree.cursor_line = 0
            return
        above = node.parent
        while above is not None:
            above.expand()
            above = above.parent
        if self._tree.last_line >= 0:  # asking for it lays the lines out, or the node would not have one yet
            self._tree.move_cursor(node)

    @on(Tree.NodeHighlighted)
    def _tell(self) -> None:
        slot, contract = self._slot, self.state.inputs.contract if self.state.inputs else None

        def draw(page: Page) -> None:
            if contract is None:
                page.para(keyed("There is no contract.yaml yet. {editor.add} writes one with nothing decided in it."))
                return
            if slot is None:
                if self._tree.cursor_node is not None:
                    page.para(
                        keyed("Enter shows the other fields of every entry, and {editor.fields} hides them again.")
                    )
                return
            page.para(in_words(slot.path), "bold")
            if slot.about:
                page.para(slot.about)
            if slot.is_leaf:
                page.field("Now", plain(typed(slot), 2000) or "nothing", label_width=6)
            offered = slot.kind == "text" and next(s for s in reversed(slot.path) if isinstance(s, str)) in OFFERED
            page.line(("Enter chooses, or takes what you type." if offered else keyed(HINTS[slot.kind]), ACCENT))
            remarks = self._remarks_at(slot)
            if remarks:
                page.heading("Here", words.count(len(remarks), "point"))
            for remark in remarks[:40]:
                page.bullet(text("!", BAD if remark.wrong else WARN), remark.message)
            others = len(self._remarks) - len(remarks)
            if others:
                page.line(
                    (f"{words.count(others, 'point')} elsewhere: {key_of('editor.next-open')} goes to the next.", DIM)
                )

        self.query_one("#about-slot", ScrollingFlow).draw(draw)

    def action_next_open(self) -> None:
        """Go to the next part at which something is wrong or left open."""
        nodes = self._listed()
        index = nodes.index(self._tree.cursor_node) if self._tree.cursor_node in nodes else -1
        for node in (*nodes[index + 1 :], *nodes[: index + 1]):
            if node.data is not None and self._remarks_at(node.data):
                below = any(self._remarks_at(child.data) for child in node.children if child.data is not None)
                if not below:
                    self._go_to(node.data.path)
                    return
        self.notify("Nothing is wrong here, and nothing is left open.")

    # -- changing -------------------------------------------------------------------------------------------------

    @on(Tree.NodeSelected)
    def _chosen(self, event: Tree.NodeSelected[Slot]) -> None:
        slot = event.node.data
        if slot is None:
            self.action_fields()
        elif slot.is_leaf:
            self._change(slot)

    def action_fields(self) -> None:
        """Show every field of the entries, or those alone in which something is said."""
        self._all = not self._all
        above = self._tree.cursor_node.parent if self._tree.cursor_node is not None else None
        if self._slot is None and above is not None and above.data is not None:
            self._wanted = above.data.path
        self.show(None, self.state)

    @work(group="contract", exclusive=True, description="change")
    async def _change(self, slot: Slot) -> None:
        value = await self._asked(slot)
        if value is not None:
            await self._put(slot.path, value[0])

    @work(group="contract", exclusive=True, description="add")
    async def action_add(self) -> None:
        """Add an entry to the list, or fill a part that is not there yet, asking for what it cannot be without."""
        from interlock.usecases.contract_form import entry_slots

        inputs, slot = self.state.inputs, self._slot
        if inputs is None:
            return
        if inputs.contract is None:
            from interlock.usecases.initialize import blank_contract

            await self._written(partial(self.interlock.workspace.write, _FILE, blank_contract()), "a new contract")
            return
        while slot is not None and slot.kind != "list" and not (slot.kind == "group" and slot.is_empty):
            slot = self._slot_at(slot.path[:-1])
        if slot is None:
            self.notify("Nothing can be added here: Enter changes the value.")
            return
        path: Path_ = (*slot.path, len(slot.parts)) if slot.kind == "list" else slot.path
        wanted = entry_slots(slot.entry, path)
        given: dict[str, object] = {}
        for part in wanted:
            value = await self._asked(part)
            if value is None or value[0] is None:
                return
            if part.path == path:
                await self._put(path, value[0])
                return
            given[str(part.path[-1])] = value[0]
        if given:
            await self._put(path, given)
        else:
            self.notify("Choose one of the parts below: Enter fills it.")

    def _slot_at(self, path: Path_) -> Slot | None:
        return next((node.data for node in self._listed() if node.data is not None and node.data.path == path), None)

    async def _asked(self, slot: Slot) -> tuple[object] | None:
        """Ask for a value: among what is offered, or typed; none when it was cancelled."""
        from interlock.usecases.contract_form import offers, value_of

        inputs = self.state.inputs
        if inputs is None or inputs.contract is None:
            return None
        offered = offers(inputs, inputs.contract, slot)
        title = words.capital(" ".join(step.replace("_", " ") for step in slot.path[-2:] if isinstance(step, str)))
        shown = typed(slot)
        given: str | None
        if slot.kind == "flag":
            yes_no = [(choice, text(choice)) for choice in slot.choices]
            given = await self.app.push_screen_wait(Pick(title, yes_no, "yes" if slot.value else "no"))
        elif offered and len(offered) <= _FEW:
            lines = [(offer.value, offer_line(offer)) for offer in offered]
            given = await self.app.push_screen_wait(Pick(title, lines, shown))
        elif offered:
            entries = [
                Entry(offer.value, f"{offer.value} {offer.about}".casefold(), partial(offer_line, offer))
                for offer in offered
            ]
            given = await self.app.push_screen_wait(
                Search(title, "part of its name", entries, free=True, enter="takes it")
            )
        else:
            ask = AskText(title, slot.about or keyed(HINTS[slot.kind]), value=shown, check=partial(value_of, slot))
            given = await self.app.push_screen_wait(ask)
        return None if given is None else (value_of(slot, given),)

    @work(group="contract", exclusive=True, description="clear")
    async def action_clear(self) -> None:
        """Take the highlighted value or entry away."""
        slot = self._slot
        if slot is not None and not (slot.is_leaf and slot.value is None):
            await self._put(slot.path, None)

    async def _put(self, path: Path_, value: object) -> None:
        self._wanted, self._left = path, self._slot.path if self._slot is not None else None
        told = f"contract: {in_words(path)}"
        await self._written(partial(self.interlock.workspace.put_in_contract, path, value), told)

    async def _written(self, change: Callable[[], object], told: str) -> None:
        """Write a change of the file, and read the workspace again; what is no contract is refused and told."""
        try:
            _, made = await in_thread(self.interlock.workspace.watched, _FILE, change)
        except InterlockError as error:
            self.notify(plain(error.message, 400), title="Not written", severity="error", timeout=8)
            return
        self.interlock.changed(Step(told, files=(made,)))
        self.interlock.action_reload()

    def action_back(self) -> None:
        """Back to the section below; pressed twice, the second time does nothing."""
        if self.is_current:
            self.app.pop_screen()
