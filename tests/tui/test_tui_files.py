"""Files that change under the app: reloading, broken YAML, and a workspace that is empty or hostile."""

from __future__ import annotations

import pytest

from interlock.tui import session, work

pytestmark = pytest.mark.usefixtures("unplanned")


async def test_broken_yaml_is_shown_with_its_place_and_the_app_goes_on(terminal, workspace):
    path = workspace.root / "orgs" / "riverside.yaml"
    whole = path.read_text()
    async with terminal() as t:
        path.write_text(whole + "colour: blue\n")
        await t.press("r")
        await t.until(lambda: t.app.state.problem is not None)
        await t.until_shown("unknown key 'colour'")
        line = len(whole.splitlines()) + 1
        assert f"riverside.yaml:{line}" in t.flat_text
        assert "r reads the workspace again" in t.flat_text
        await t.press("4")
        await t.until_shown("What others hang on")
        assert "unknown key" in t.text, "what was read before is still there, and the problem is told"
        path.write_text(whole)
        await t.press("r")
        await t.until(lambda: t.app.state.problem is None)
        await t.until(lambda: "unknown key" not in t.text)


async def test_a_workspace_that_is_broken_from_the_start_can_be_mended(terminal, workspace):
    path = workspace.root / "interlock.yaml"
    whole = path.read_text()
    path.write_text("name: [unclosed\n")
    async with terminal((80, 24), ready=False) as t:
        await t.until_shown("not valid YAML")
        assert "interlock.yaml:" in t.flat_text
        await t.press("2")
        await t.until_shown("not valid YAML")
        path.write_text(whole)
        await t.press("r")
        await t.settled()
        await t.until_shown("How many nurses?")


async def test_a_change_by_somebody_else_is_noticed_and_read_again(terminal, workspace, monkeypatch):
    monkeypatch.setattr(session, "WATCH_S", 0.1)
    async with terminal() as t:
        path = workspace.root / "responses" / "product.yaml"
        path.write_text(path.read_text().replace("proven_live", "changing"))
        await t.until_shown("files changed: r reads them again")
        await t.press("r")
        await t.settled()
        await t.until(lambda: "files changed" not in t.text)
        assert t.app.state.inputs.product["boundary.output_stable"].value == "changing"


async def test_our_own_saving_is_not_somebody_elses_change(terminal, monkeypatch):
    monkeypatch.setattr(session, "WATCH_S", 0.1)
    async with terminal() as t:
        t.app.ask_questions("product", "extra.sure")
        await t.until(lambda: t.app.current_mode == "questions" and t.app.screen._item == "extra.sure")
        await t.press("home", "enter")
        await t.settled()
        await t.pilot.pause(0.5)
        assert not t.app.state.changed_files


async def test_an_empty_workspace_says_where_to_start(terminal, workspace):
    for path in (workspace.root / "orgs").iterdir():
        path.unlink()
    for path in (workspace.root / "responses").iterdir():
        path.unlink()
    async with terminal((80, 24)) as t:
        assert "No organisation yet" in t.text
        for number, phrase in (("3", "No organisation yet"), ("7", "a adds the first one"), ("5", "no date yet")):
            await t.press(number)
            await t.until_shown(phrase)
        await t.press("1", "n")
        await t.until(lambda: t.app.current_mode == "questions")
        await t.until_shown("not answered")
        await t.until_shown("No organisation yet: g 7 leads to where one is added.")
        for number, key, phrase in (
            ("1", "p", "no organisation to probe"),
            ("3", "p", "no organisation to probe"),
            ("3", "d", "no organisation to compare"),
            ("7", "e", "no organisation yet: a adds"),
            ("7", "d", "no organisation yet: a adds"),
        ):
            t.app.clear_notifications()
            await t.press("g", number)
            await t.press(key)
            await t.until_shown(phrase)


async def test_names_with_escapes_and_markup_do_no_harm(terminal, workspace):
    path = workspace.root / "orgs" / "riverside.yaml"
    text = path.read_text().replace("Riverside Regional Medical Center", '"[red]Evil[/red] \\u200b[@click=quit]x"')
    path.write_text(text)
    async with terminal() as t:
        await t.until_shown("[red]Evil")
        for number in "34578":
            await t.press(number)
            await t.pilot.pause()
            assert "\u200b" not in t.text
        t.app.show_organization("riverside")
        await t.until_shown("[red]Evil")
        assert all("[" not in command.title for command in t.app.get_system_commands(t.app.screen))


async def test_a_defect_is_told_and_the_app_goes_on(terminal, monkeypatch):
    from interlock.tui import work

    def broken(inputs):
        raise ValueError("[red]no[/red] such luck")

    real = work.judged
    monkeypatch.setattr(work, "judged", broken)
    async with terminal(ready=False) as t:
        await t.until(lambda: t.app.state.stuck is not None)
        await t.until_shown("went wrong unexpectedly")
        assert "[red]no[/red] such luck" in t.flat_text and "please report it" in t.flat_text
        await t.press("2")
        await t.until_shown("How many nurses?")
        monkeypatch.setattr(work, "judged", real)
        await t.press("r")
        await t.until(lambda: t.app.state.up_to_date and t.app.state.stuck is None)
        assert "unexpectedly" not in t.text


@pytest.mark.fast
def test_every_file_that_an_assessment_is_made_of_is_watched(workspace):
    (workspace.root / "hazards.yaml").write_text("schema: 1\n")
    assert {"interlock.yaml", "contract.yaml", "hazards.yaml"} <= work.fingerprint(workspace.root).keys()
