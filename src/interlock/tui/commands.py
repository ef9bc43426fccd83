"""Every action by name, for the command palette."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.app import SystemCommand
from textual.screen import Screen

from interlock.model.text import plain
from interlock.tui.screens.section import Section, Shell
from interlock.tui.screens.sections import SECTIONS


def commands(app: Shell, screen: Screen[object]) -> Iterator[SystemCommand]:
    """Sections, the actions of the screen that is shown, the app's own, and one entry an organisation."""
    for section in SECTIONS:
        yield SystemCommand(f"Go to {section.TITLE}", section.PURPOSE, partial(app.action_go, section.MODE))
    if isinstance(screen, Section):
        yield from _of_screen(screen)
    yield SystemCommand("Next open question", "The first question without an answer", app.ask_next)
    yield SystemCommand("Probe all organisations", "Look at every organisation's endpoints", app.probe_all)
    yield SystemCommand("Add an organisation", "A form for a new one", partial(app.edit_organization, None))
    yield SystemCommand("Reload", "Read the workspace's files again", app.action_reload)
    yield SystemCommand(
        "Save again", "Try to save every answer that is not saved", partial(screen.run_action, "app.save")
    )
    yield SystemCommand("Help", "Keys and marks of this screen", partial(screen.run_action, "app.help"))
    for org in app.state.inputs.organizations if app.state.inputs else ():
        name = _unmarked(org.name)
        yield SystemCommand(f"Open {name}", "Gates, facts, contract fit", partial(app.show_organization, org.id))
        yield SystemCommand(f"Probe {name}", "Look at its endpoints", partial(_probe, app, org.id))
        yield SystemCommand(f"Questions of {name}", "Answer what is asked of it", partial(app.ask_questions, org.id))


def _unmarked(name: str) -> str:
    """A name without brackets, which the palette would read as markup."""
    return plain(name, 80).replace("[", "(").replace("]", ")")


def _of_screen(screen: Section) -> Iterator[SystemCommand]:
    listed: set[str] = set()
    for _, binding in screen._bindings:
        if binding.action in listed or binding.key == "escape":
            continue
        listed.add(binding.action)
        yield SystemCommand(
            f"{screen.title}: {binding.description}",
            binding.tooltip or binding.description,
            partial(screen.run_action, binding.action),
        )


def _probe(app: Shell, org: str) -> None:
    app.action_go("probe")
    app.probe([org])
