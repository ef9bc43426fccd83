"""The form of the product: its name, what kind it is, how deep the questions go, and the gate to get through."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import Select

from interlock.model import words
from interlock.model.base import Gate, ProductKind
from interlock.model.organization import Settings
from interlock.tui.screens.form import Form
from interlock.tui.widgets.fields import Field, Segments, labelled
from interlock.tui.work import in_thread

if TYPE_CHECKING:
    from interlock.workspace.store import FileChange, Workspace

#: Stands for a product of no kind, or of several.
_ANY = "any"


class ProductForm(Form[bool]):
    """Changes ``interlock.yaml``; dismissed with true, or with none when cancelled."""

    ABOUT = "What such a product cannot have is not asked. It may change later: questions appear or go, answers stay."

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        super().__init__("The product")
        self._workspace, self._settings = workspace, settings
        self.change: FileChange | None = None  # what saving made of the file

    def fields(self) -> ComposeResult:
        """A labelled line for each field."""
        now = self._settings
        kinds = [(words.capital(words.PRODUCT_KIND[kind].phrase), kind.value) for kind in ProductKind]
        kinds.append(("Something else, or several of these: everything is asked", _ANY))
        kind = now.kind.value if now.kind is not None else _ANY
        yield labelled("What it is", Select(kinds, value=kind, allow_blank=False, id="kind", compact=True))
        yield labelled("Its name", Field(now.product, id="product", compact=True))
        yield labelled("Report's title", Field(now.name, id="name", compact=True))
        gates = [(gate.value, gate.value) for gate in Gate]
        yield labelled("Target gate", Segments(gates, now.target_gate.value, id="target_gate"))
        profiles = [("core", "core"), ("full", "full: also for pilot and production")]
        yield labelled("Questions", Segments(profiles, now.profile, id="profile"))

    @on(Segments.Changed)
    def _asks_more(self) -> None:
        """The last two gates need the questions for them."""
        gate, profile = self.query_one("#target_gate", Segments), self.query_one("#profile", Segments)
        if Gate(gate.value).rank >= Gate.PILOT.rank:
            profile.value = "full"

    async def save(self) -> None:
        """Check and save."""
        kind = str(self.query_one("#kind", Select).value)
        changes = {name: self.query_one(f"#{name}", Field).given for name in ("product", "name")}
        changes |= {name: self.query_one(f"#{name}", Segments).value for name in ("target_gate", "profile")}
        save = partial(self._workspace.change_settings, {**changes, "kind": None if kind == _ANY else kind})
        _, self.change = await in_thread(self._workspace.watched, "interlock.yaml", save)
        self.dismiss(True)
