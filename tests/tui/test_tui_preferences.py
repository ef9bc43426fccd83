"""The user's colours and keys, going on where one left off, and the contrast of every theme."""

from __future__ import annotations

import pytest
from textual.color import Color

from interlock.model.errors import InterlockError
from interlock.model.preferences import THEMES as NAMES
from interlock.model.preferences import Preferences, read_preferences
from interlock.tui.app import InterlockApp
from interlock.tui.keys import key_of, keyed
from interlock.tui.themes import THEMES
from interlock.usecases.preferences import (
    LeftOff,
    config_path,
    keep_theme,
    left_off_in,
    preferences,
    recent_workspaces,
    remember,
)


def _luminance(colour: Color) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [part / 255 for part in (colour.r, colour.g, colour.b)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: Color, other: Color) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


_GROUNDS = ("background", "surface", "panel", "footer-background", "block-hover-background")
_CURSORS = ("block-cursor-background", "block-cursor-blurred-background")
_TEXTS = ("foreground", "text-muted", "primary", "secondary", "accent", "success", "warning", "error")


@pytest.mark.fast
@pytest.mark.parametrize("name", [name for name, theme in THEMES.items() if not theme.ansi])
def test_every_text_can_be_read_on_every_ground(name):
    colours = THEMES[name].to_color_system().generate() | THEMES[name].variables
    pairs = [(text, ground) for ground in (*_GROUNDS, *_CURSORS) for text in _TEXTS]
    pairs += [(ground.replace("background", "foreground"), ground) for ground in _CURSORS]
    pairs += [(f"footer-{part}-foreground", "footer-background") for part in ("key", "description")]
    pairs += [("text-disabled", ground) for ground in _GROUNDS]  # what a field says before something is typed
    found = {pair: _contrast(*(Color.parse(colours[colour]) for colour in pair)) for pair in pairs}
    assert not {pair: round(ratio, 2) for pair, ratio in found.items() if ratio < 4.5}, "WCAG 2.2, 1.4.3"
    assert _contrast(Color.parse(colours["possible"]), Color.parse(colours["background"])) >= 3, "WCAG 2.2, 1.4.11"


@pytest.mark.fast
def test_each_theme_that_can_be_chosen_is_there_and_no_other():
    assert tuple(THEMES) == NAMES


async def test_keys_theme_and_animations_of_the_user_hold_and_the_help_says_so(workspace):
    text = 'theme = "light"\nanimations = false\n[keys]\nquestions.next = "z"\napp.next-question = "f3"\nx.y = "n"\n'
    app = InterlockApp(workspace, "Ada", *read_preferences(text))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        assert (app.theme, app.animation_level, list(app.available_themes)) == ("light", "none", list(NAMES))
        for _ in range(500):
            await pilot.pause(0.02)
            if app.state.ranked == app.state.revision and app.state.judgement:
                break
        assert any("line 6: there is no action 'x.y'" in note.message for note in app._notifications)
        await pilot.press("f3")
        await pilot.pause()
        assert app.current_mode == "questions"
        section = app.screen
        before = section.position
        await pilot.press("n")
        assert section.position == before, "n does it no more"
        await pilot.press("z")
        assert section.position != before
        await pilot.press("question_mark")
        await pilot.pause()
        assert "z The question after this one" in " ".join(app.screen.query_one("#help-text").shown.plain.split())


async def test_one_goes_on_at_the_question_where_one_left_off(workspace):
    place = LeftOff(root=str(workspace.root), section="questions", scope="lakeshore", item="org.readiness")
    app = InterlockApp(workspace, "Ada", left_off=place)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(500):
            await pilot.pause(0.02)
            if app.current_mode == "questions" and app.screen._asked:
                break
        there = {asked.item.id for asked in app.screen._asked}
        assert app.current_mode == "questions" and app.screen.position[0] == "lakeshore"
        second = sorted(there)[1]
        app.ask_questions("lakeshore", second)
        await pilot.pause()
        app.exit()
    assert app.left == place.model_copy(update={"item": second})


def test_places_are_remembered_outside_the_workspace_and_a_damaged_file_is_none(workspace, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in workspace.root.rglob("*")}
    for number in range(25):
        remember(LeftOff(root=str(tmp_path / str(number))))
    here = LeftOff(root=str(workspace.root), section="plan")
    remember(here)
    assert left_off_in(workspace.root) == here
    assert recent_workspaces() == (workspace.root,), "the others are not there"
    assert {path: path.stat().st_mtime_ns for path in workspace.root.rglob("*")} == before
    from interlock.usecases.preferences import left_off_lately, recent_path

    assert len(left_off_lately()) == 20
    recent_path().write_text('{"places": [{"root": 3}]}')
    assert left_off_lately() == ()
    remember(here)
    assert left_off_lately() == (here,)


@pytest.mark.fast
def test_a_theme_that_is_chosen_is_kept_and_the_rest_of_the_file_stays():
    keep_theme("light")
    assert preferences()[0].theme == "light" and config_path().read_text().count("\ntheme =") == 1
    config_path().write_text('# mine\ntheme = "dark"  # at night\n[keys]\n"app.theme" = "f3"\n')
    keep_theme("ansi")
    assert config_path().read_text() == '# mine\ntheme = "ansi"  # at night\n[keys]\n"app.theme" = "f3"\n'
    config_path().write_text('[keys]\ntheme = "dark"\n')
    keep_theme("light")
    assert config_path().read_text() == 'theme = "light"\n[keys]\ntheme = "dark"\n'
    for broken in (b"\xff", b"theme"):
        config_path().write_bytes(broken)
        with pytest.raises(InterlockError, match="cannot be read"):
            keep_theme("dark")
        assert config_path().read_bytes() == broken


async def test_sentences_name_the_users_own_keys(workspace):
    app = InterlockApp(workspace, "Ada", Preferences(keys={"app.undo": "f5"}))
    async with app.run_test(size=(80, 24)):
        assert keyed("{app.undo} takes it back, {app.redo} makes it again") == "f5 takes it back, ctrl+y makes it again"
    InterlockApp(workspace, "Ada")
    assert key_of("app.undo") == "ctrl+z"


@pytest.mark.fast
def test_whatever_config_toml_is_nothing_stops():
    path = config_path()
    assert preferences()[1] == ()
    path.parent.mkdir(parents=True)
    for content, why in ((b"\xff", "UTF-8"), (b"#" * 70_000, "larger than"), (b"theme", "no TOML")):
        path.write_bytes(content)
        preferred, remarks = preferences()
        assert preferred.theme == "dark" and why in str(remarks[0])
    path.unlink()
    path.mkdir()
    assert "cannot be read" in str(preferences()[1][0])
