"""What a widget is asked for before it has a width, after its rows changed, or after its question was left."""

from __future__ import annotations

import pytest

from interlock.tui.widgets.rows import Rows


@pytest.mark.fast
async def test_another_scope_is_shown_where_the_list_has_no_room(terminal):
    async with terminal((80, 24)) as t:
        await t.press("2", "right_square_bracket")
        await t.until_shown("Harborview Clinics")
        table = t.app.screen.query_one("#questions", Rows)
        assert not table.size.width, "the list is hidden at this width"
        assert table.key == t.app.screen._item, "it says which question is meant, not one of the product's"
        await t.press("l")
        await t.until(lambda: table.options.highlighted is not None)
        assert table.key == t.app.screen._item
        text = t.app.screen._current.item.text
        await t.until(lambda: text[:20] in str(table.options.highlighted_option.prompt))
