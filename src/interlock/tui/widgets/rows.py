"""A table that fits its width: columns grow and shrink, and the least important leave first when there is no room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from interlock.tui.page import DIM, PRIMARY, fit, line, text

#: A cell is text, or something drawn for the width that its column has.
Cell = Content | Callable[[int], Content]
_GAP = 2
#: Lines of a screen on which rows have room for their second line.
TALL = 40


@dataclass(frozen=True)
class Column:
    """One column.

    :ivar width: cells that it needs.
    :ivar grow: its share of the cells that are left over.
    :ivar leaves: the column with the highest number leaves first when there is no room; 0 stays.
    """

    title: str
    width: int
    grow: int = 0
    leaves: int = 0
    right: bool = False


@dataclass(frozen=True)
class Row:
    """One row with a key, or (without cells) a heading between rows.

    :ivar below: a second, quiet line, from column ``below_at`` on; shown where the screen is tall, or if asked for.
    """

    key: str
    cells: tuple[Cell, ...] = ()
    heading: str = ""
    aside: str = ""
    below: Content | None = None
    below_at: int = 0


def layout(columns: Sequence[Column], width: int) -> list[tuple[int, int]]:
    """Which columns are shown in ``width`` cells, as (index, cells), from left to right."""
    kept = list(range(len(columns)))

    def needed() -> int:
        return sum(columns[index].width for index in kept) + _GAP * (len(kept) - 1)

    while needed() > width:
        leaving = max(kept, key=lambda index: (columns[index].leaves, index))
        if columns[leaving].leaves == 0:
            break
        kept.remove(leaving)
    spare = max(0, width - needed())
    shares = sum(columns[index].grow for index in kept)
    widths = {}
    for index in kept:
        extra = spare * columns[index].grow // shares if shares else 0
        widths[index] = columns[index].width + extra
    short = needed() - width  # the columns that stay are too wide together: the widest gives way
    if short > 0:
        widest = max(kept, key=lambda index: widths[index])
        widths[widest] = max(4, widths[widest] - short)
    return [(index, widths[index]) for index in kept]


def _look(row: Row) -> tuple[object, ...]:
    """What a row looks like. Cells that are drawn for their width are alike only when they are identical."""
    cells = ((cell.plain, cell.spans) if isinstance(cell, Content) else cell for cell in (*row.cells, row.below))
    return (row.key, row.heading, row.aside, *cells)


class Rows(Vertical):
    """A table: a head and a list of rows that the keyboard and the mouse choose from.

    A hidden table has no width and draws nothing, so its list still holds earlier rows. Keys and selections are
    answered from the newest rows meanwhile, and the list is drawn once there is room.
    """

    @dataclass(eq=False, repr=False)
    class OfRow(Message):
        """Something happened to the row with this key."""

        rows: Rows
        key: str

        @property
        def control(self) -> Rows:
            """The table."""
            return self.rows

    class Chosen(OfRow):
        """Enter or a click on a row."""

    class Moved(OfRow):
        """Another row is highlighted."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "Nothing here.",
        roomy: bool = False,
        head: bool = True,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id, classes="rows" if head else "rows -headless")
        self._columns = tuple(columns)
        self._rows: tuple[Row, ...] = ()
        self._empty = empty
        self._roomy = roomy
        self._laid_out: list[tuple[int, int]] = []  # empty while the list does not hold the rows as they are
        self._was_tall = False
        self._wanted: str | None = None

    def compose(self) -> ComposeResult:
        """Head, list, and what is said when there is nothing."""
        yield Static("", classes="rows--head", markup=False)
        yield Options(markup=False, classes="rows--list")
        yield Static(self._empty, classes="rows--empty", markup=False)

    @property
    def options(self) -> Options:
        """The list itself."""
        return self.query_one(Options)

    @property
    def key(self) -> str | None:
        """Key of the highlighted row, or of the one that will be highlighted once there is room for the list."""
        keys = self.keys
        index = self.options.highlighted if self._laid_out else None
        if index is not None:
            return self._rows[index].key
        return self._wanted if self._wanted in keys else next(iter(keys), None)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all rows, headings left out."""
        return tuple(row.key for row in self._rows if row.cells)

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns; the rows are given anew after this."""
        self._wanted = self.key
        self._columns = tuple(columns)
        self._rows, self._laid_out = (), []

    def set_rows(self, rows: Sequence[Row], *, empty: str | None = None) -> None:
        """Show these rows; the highlighted row stays the same one if it is still there."""
        key = self._wanted or self.key
        before, self._rows = self._rows, tuple(rows)
        empty_before, self._empty = self._empty, self._empty if empty is None else empty
        if (
            not self._laid_out
            or empty_before != self._empty
            or list(map(_look, before)) != list(map(_look, self._rows))
        ):
            self._wanted = key
            self._fill()

    def select(self, key: str) -> bool:
        """Highlight a row; false when there is none by that key."""
        index = self._index(key)
        if index is None:
            return False
        if self._laid_out:
            self.options.highlighted = index
        else:
            self._wanted = key
        return True

    def _index(self, key: str | None) -> int | None:
        return next((index for index, row in enumerate(self._rows) if row.cells and row.key == key), None)

    def on_resize(self, event: events.Resize) -> None:
        """Lay out for the new width."""
        if (layout(self._columns, self._room()), self._tall()) != (self._laid_out, self._was_tall):
            self._fill()

    def _room(self) -> int:
        # Two cells of padding and one for a scroll bar: the layout stays the same when one appears.
        return max(20, self.size.width - 3)

    def _tall(self) -> bool:
        return self._roomy or self.app.size.height >= TALL

    def _fill(self) -> None:
        if not self.is_mounted or not self.size.width:
            self._laid_out = []
            return
        wanted, scroll = self._wanted or self.key, self.options.scroll_offset.y
        room = self._room()
        self._laid_out, self._was_tall, self._wanted = layout(self._columns, room), self._tall(), None
        head, empty, shown = self.query_one(".rows--head", Static), self.query_one(".rows--empty", Static), self.options
        head.update(self._head(), layout=False)
        if not self._rows:
            empty.update(text(self._empty))
        self.set_class(not self._rows, "-empty")
        with self.prevent(OptionList.OptionHighlighted):
            # Without ids of Textual's: two rows with one key would be an error there.
            shown.set_options(Option(self._draw(row, room), disabled=not row.cells) for row in self._rows)
            first = next((index for index, row in enumerate(self._rows) if row.cells), None)
            if first is not None:
                index = self._index(wanted)
                shown.highlighted = first if index is None else index
                if shown.highlighted == first:
                    shown.scroll_home(animate=False)  # with the headings above it
                else:
                    shown.scroll_to(y=scroll, animate=False, immediate=True)
                    shown.scroll_to_highlight()
        after = self.key
        if after is not None:
            self.post_message(self.Moved(self, after))

    def _head(self) -> Content:
        titles = (
            fit(text(self._columns[index].title, DIM), width, right=self._columns[index].right)
            for index, width in self._laid_out
        )
        return Content(" " * _GAP).join(titles)

    def _draw(self, row: Row, room: int) -> Content:
        if not row.cells:
            return line((row.heading, f"bold {PRIMARY}"), (f"  {row.aside}" if row.aside else "", DIM))
        drawn = []
        for index, width in self._laid_out:
            cell = row.cells[index]
            content = cell(width) if callable(cell) else cell
            drawn.append(fit(content, width, right=self._columns[index].right))
        cells = Content(" " * _GAP).join(drawn).truncate(room)
        if row.below is None or not self._was_tall:
            return cells
        indent = sum(width + _GAP for _, width in self._laid_out[: row.below_at])
        below = row.below.truncate(max(10, room - indent), ellipsis=True).pad_left(indent)
        return Content("\n").join([cells, below])

    def _row_of(self, event: OptionList.OptionMessage) -> Row | None:
        """The row that an event of the list is about; none when the rows have changed since."""
        return self._rows[event.option_index] if self._laid_out and self.options.holds(event) else None

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        row = self._row_of(event)
        if row is not None:
            self.post_message(self.Chosen(self, row.key))

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        row = self._row_of(event)
        if row is not None:
            self.post_message(self.Moved(self, row.key))
            self.call_after_refresh(self._keep_in_sight, row)

    def _keep_in_sight(self, row: Row) -> None:
        """Where a page around the table scrolls, scroll it to the highlighted row."""
        index = self._index(row.key)
        if index is None or not self._laid_out or not self.options.has_focus:
            return
        if not any(row.cells for row in self._rows[:index]):
            self.options.scroll_home(animate=False)
        heights = [2 if row.cells and row.below is not None and self._was_tall else 1 for row in self._rows]
        top = self.options.region.y - self.options.scroll_offset.y + sum(heights[:index])
        bottom = top + heights[index]
        for page in self.ancestors:
            if isinstance(page, Widget) and page.max_scroll_y > 0:
                visible = page.scrollable_content_region
                if bottom > visible.bottom:
                    page.scroll_relative(y=bottom - visible.bottom, animate=False)
                elif top < visible.y:
                    page.scroll_relative(y=top - visible.y, animate=False)
                return


class Options(OptionList):
    """An :class:`OptionList` that tells what is about its options from what is about earlier ones."""

    def holds(self, event: OptionList.OptionMessage) -> bool:
        """Is the event about an option that is still there, at its index?"""
        options = self.options
        return event.option_index < len(options) and options[event.option_index] is event.option

    async def _on_click(self, event: events.Click) -> None:  # Textual's own handler follows, unless it is prevented
        clicked = event.style.meta.get("option")
        if clicked is not None and clicked >= self.option_count:
            event.prevent_default()
