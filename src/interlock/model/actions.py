"""Every action of the terminal UI: its id, its keys, its words and its help. Screens take their keys from here.

A screen's bindings, its foot, its help, the list of commands, the user's own keys in ``config.toml`` and the table in
``docs/terminal-ui.md`` are made from this one table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """One action.

    :ivar id: the screen (``app`` for what works everywhere, or the kind of widget) and a name: ``questions.next``. It
        is what a user's ``config.toml`` names, so it does not change.
    :ivar keys: what does it, as Textual names keys, separated by commas; an action without is in the list of commands
        alone. ``{key}`` in ``do`` stands for the key.
    :ivar words: what it is called: at the foot of the screen, and in the list of commands.
    :ivar help: what it does, in a sentence without its full stop.
    :ivar do: Textual's action; without it, the id's name.
    :ivar foot: it may stand at the foot of its screen, where the first ones have room.
    :ivar fixed: it only moves, chooses or goes back: its keys stay what they are, and no command is needed for it.
    """

    id: str
    keys: str
    words: str
    help: str
    do: str = ""
    foot: bool = False
    fixed: bool = False

    @property
    def screen(self) -> str:
        """The screen or kind of widget at which it works."""
        return self.id.partition(".")[0]

    @property
    def action(self) -> str:
        """Textual's action."""
        return self.do or self.id.partition(".")[2].replace("-", "_")


#: What each group of actions is called, in the order of the documentation.
SCREENS = {
    "app": "Everywhere",
    "overview": "Overview",
    "questions": "Questions",
    "matrix": "All organisations' questions in one table",
    "probe": "Probe",
    "rehearsal": "A rehearsal of your own product",
    "gaps": "Gaps",
    "plan": "Plan",
    "timeline": "The plan over time",
    "report": "Report",
    "organizations": "Organisations",
    "organization": "An organisation's page",
    "contract": "Contract",
    "editor": "The contract, part by part",
    "list": "Lists",
    "table": "Tables with a cursor in both directions",
    "text": "Texts that scroll",
    "tree": "Trees",
    "choices": "The choices of a question",
    "segments": "Words beside each other",
    "dialog": "Dialogs",
    "confirm": "Yes or no",
    "review": "Something to read first",
    "several": "Several of a list",
    "form": "Forms",
    "search": "Search",
    "letters": "Jump",
    "help": "Help",
}

ACTIONS: tuple[Action, ...] = (
    *(
        Action(f"app.section-{number}", str(number), name, f"Go to {name}", do=f"go('{mode}')", fixed=True)
        for number, (mode, name) in enumerate(
            {
                "overview": "Overview",
                "questions": "Questions",
                "probe": "Probe",
                "gaps": "Gaps",
                "plan": "Plan",
                "report": "Report",
                "organizations": "Organisations",
                "contract": "Contract",
            }.items(),
            1,
        )
    ),
    Action("app.go", "g", "Go", "Choose a section to go to", do="go_to", foot=True),
    Action("app.jump", "ctrl+o", "Jump", "A letter on each part of the screen; the letter goes there"),
    Action("app.reload", "r", "Reload", "Read the workspace's files again"),
    Action("app.save", "ctrl+s", "Save again", "Try to save every answer that is not saved"),
    Action("app.undo", "ctrl+z", "Undo", "Take the last change back, wherever it was made"),
    Action("app.redo", "ctrl+y", "Redo", "Make the change again that was undone last"),
    Action("app.theme", "f2", "Theme", "Choose the colours", do="change_theme"),
    Action("app.commands", "ctrl+p", "Commands", "Every command by name", do="command_palette"),
    Action("app.help", "question_mark,f1", "Help", "Help for this screen, and for this question", foot=True),
    Action("app.quit", "q", "Quit", "Close Interlock", foot=True),
    Action("app.next-question", "", "Next open question", "The question without an answer that settles most"),
    Action("app.probe-all", "", "Probe all organisations", "Look at every organisation's endpoints"),
    Action("app.product", "", "The product", "Its name, what kind it is, the gate to get through"),
    Action("app.add-organization", "", "Add an organisation", "A form for a new organisation"),
    # -- sections ---------------------------------------------------------------------------------------------------
    Action(
        "overview.next-question", "n", "Next question", "Go to the question that settles most, and see why", foot=True
    ),
    Action("overview.open", "enter", "Open", "Go where the panel leads that has the focus", fixed=True),
    Action("overview.product", "e", "The product", "Its name, what kind it is, the gate to get through", foot=True),
    Action("overview.probe-all", "p", "Probe all", "Probe every organisation", foot=True),
    Action(
        "questions.choose",
        "1,2,3,4,5,6,7,8,9",
        "Choose",
        "Take the answer of this number",
        do="choose({key})",
        fixed=True,
    ),
    Action(
        "questions.leave",
        "escape",
        "Leave the field",
        "Out of a field or the list, back to the choices",
        foot=True,
        fixed=True,
    ),
    Action(
        "questions.next-open",
        "o",
        "Next open",
        "The next question without an answer, here or in the next scope",
        foot=True,
    ),
    Action("questions.unknown", "u", "Unknown", "Say that the answer is not known yet", foot=True),
    Action("questions.confirm", "y", "Confirm", "Confirm what is proposed for every organisation", foot=True),
    Action("questions.not-applicable", "x", "N/A", "Say that the question does not apply, and why", foot=True),
    Action("questions.list", "l", "List", "Go to the list of questions", foot=True),
    Action("questions.next", "n", "Next", "The question after this one", do="step(1)", foot=True),
    Action("questions.previous", "p", "Previous", "The question before this one", do="step(-1)", foot=True),
    Action("questions.worth", "w", "Worth most", "The open question that settles most, in any scope"),
    Action("questions.evidence", "e", "Evidence", "Asserted, documented or observed"),
    Action(
        "questions.pieces", "d", "Evidence list", "Documents, reports, tickets behind the answer: add one, remove one"
    ),
    Action("questions.note", "m", "Note", "Write a note"),
    Action("questions.assign", "a", "Assign", "Say who owes this, and by when"),
    Action("questions.scope", "s", "Who", "Whose questions: the product's or an organisation's", foot=True),
    Action(
        "questions.previous-scope",
        "left_square_bracket",
        "Who before",
        "The scope before this one",
        do="scope_step(-1)",
    ),
    Action("questions.next-scope", "right_square_bracket", "Who after", "The scope after this one", do="scope_step(1)"),
    Action("questions.table", "t", "Table", "Every organisation's questions in one table", do="matrix"),
    Action("questions.filter", "f", "Filter", "List only some: open, not known, core, contradicted, …", foot=True),
    Action("questions.find", "slash", "Find", "Find any question by its words"),
    Action("questions.area", "v", "Area", "Go to an area of this questionnaire"),
    Action("questions.clear", "c", "Clear filter", "List every question again"),
    Action("questions.take-back", "delete", "Take back", "Take the answer back"),
    Action("matrix.back", "escape", "Back", "Back to the questions", fixed=True),
    Action("matrix.mark", "space", "Mark", "Mark the cell, or take its mark away", foot=True),
    Action("matrix.mark-row", "a", "Row", "Mark every organisation of this question", foot=True),
    Action("matrix.mark-column", "c", "Column", "Mark every question of this organisation", foot=True),
    Action(
        "matrix.same-as", "equals_sign", "Same as", "Fill the marked cells as another organisation answered", foot=True
    ),
    Action("matrix.confirm", "y", "Confirm", "Take over what is proposed for every organisation", foot=True),
    Action("matrix.area", "v", "Area", "List one area's questions only", foot=True),
    Action("matrix.range-down", "shift+down", "Mark a range", "Mark on downwards", do="extend(1, 0)", fixed=True),
    Action("matrix.range-up", "shift+up", "Mark a range", "Mark on upwards", do="extend(-1, 0)", fixed=True),
    Action("matrix.range-right", "shift+right", "Mark a range", "Mark on to the right", do="extend(0, 1)", fixed=True),
    Action("matrix.range-left", "shift+left", "Mark a range", "Mark on to the left", do="extend(0, -1)", fixed=True),
    Action("matrix.unmark", "x", "Unmark", "Take all marks away"),
    Action("matrix.unknown", "u", "Unknown", "Say that the answers are not known yet"),
    Action("matrix.take-back", "delete", "Take back", "Take the answers back"),
    Action("matrix.open", "o", "Open", "Go to the question of the highlighted cell"),
    Action("probe.back", "escape", "Back", "Back to the list and the card", foot=True, fixed=True),
    Action("probe.cancel", "x", "Cancel", "Stop the probe of the marked organisations, or of this one", foot=True),
    Action("probe.allow", "t", "Allow it", "Let a probe ask at this organisation's private address", foot=True),
    Action("probe.one", "p", "Probe", "Probe the marked organisations, or this one", do="probe_one", foot=True),
    Action("probe.all", "a", "Probe all", "Probe every organisation", do="probe_all", foot=True),
    Action("probe.rehearse", "h", "Rehearse", "Let simulated hospitals launch your own running product", foot=True),
    Action("probe.mark", "space", "Mark", "Mark the organisation, or take its mark away", foot=True),
    Action("probe.cancel-all", "c", "Cancel all", "Stop every probe that is running"),
    Action("probe.drift", "d", "What changed", "What changed between the last two observations of this one", foot=True),
    Action("rehearsal.back", "escape", "Back", "End the rehearsal that runs, or go back", foot=True, fixed=True),
    Action("rehearsal.run", "r", "Rehearse", "Launch your product, politely first, then not, and see", foot=True),
    Action(
        "rehearsal.question", "a", "Its question", "Go to the question that the highlighted row contradicts", foot=True
    ),
    Action("gaps.back", "escape", "Back", "From the right-hand side to the list", foot=True, fixed=True),
    Action("gaps.keep", "y", "Keep", "Keep the closing as a what-if of the plan, or take it back", foot=True),
    Action("gaps.clear", "c", "Clear filters", "Clear every filter", foot=True),
    Action("gaps.answer", "a", "Its question", "Go to the question that would decide or close this", foot=True),
    Action("gaps.close", "x", "If closed", "What closing it does: score, stage, what unlocks, the dates", foot=True),
    Action("gaps.chain", "d", "Chain", "Draw the chain of gaps around it", foot=True),
    Action("gaps.group", "o", "Group", "Group by what blocks what, by gate, by organisation, by owner", foot=True),
    Action("gaps.find", "slash", "Find", "List only what has these words, or this id", foot=True),
    Action("gaps.fold", "space", "Fold", "Fold what is behind the highlighted gap, or show it again"),
    Action("gaps.patterns", "i", "Patterns", "Show the patterns of trouble that hold here"),
    Action("gaps.organization", "f", "Organisation", "List one organisation's gaps only", do="filter('org')"),
    Action("gaps.severity", "s", "Severity", "List one severity only", do="filter('severity')"),
    Action("gaps.owner", "w", "Owner", "List one owner's work only", do="filter('owner')"),
    Action("gaps.kind", "t", "Kind", "List gaps only, or things to find out only", do="filter('kind')"),
    Action("plan.begin", "b", "Begun", "Say that the highlighted routine task has begun", foot=True),
    Action("plan.done", "d", "Done", "Say that the highlighted routine task is done", foot=True),
    Action("plan.suppose", "x", "As if done", "What if the highlighted task were done? Again takes it back", foot=True),
    Action("plan.what-if", "w", "What if", "What if a first thing were done, one organisation left out, …?", foot=True),
    Action("plan.timeline", "m", "Timeline", "Every task over time, with the critical path", foot=True),
    Action("plan.ahead", "v", "90 days", "Tasks of the next 90 days by week, with people; again: by wave", foot=True),
    Action("plan.clear", "c", "Clear", "Back to the plan as it is, with every task listed", foot=True),
    Action("plan.tasks", "t", "Tasks", "Go to the list of tasks", foot=True),
    Action("plan.first", "f", "First", "Go to the things to do first", foot=True),
    Action("plan.chance", "h", "By a day", "How likely it is by a day that you type"),
    Action("plan.only", "o", "Whose", "List the tasks of one organisation only"),
    Action("plan.back", "escape", "Back", "Back to the things to do first", do="first", fixed=True),
    Action("timeline.back", "escape", "Back", "Back to the plan", foot=True, fixed=True),
    Action("timeline.critical", "c", "Critical path", "List the critical path alone, or everything again", foot=True),
    Action("report.leave", "escape", "Leave the field", "Out of a field, to the buttons", foot=True, fixed=True),
    Action("report.export", "e", "Export", "Write the report in the chosen formats", foot=True),
    Action("report.preview", "v", "Preview", "Read the report as Markdown, without writing it", foot=True),
    Action("report.sections", "c", "Sections", "Choose which sections the report has", foot=True),
    Action("report.open-folder", "o", "Open the folder", "Show the written files in the system's own browser of files"),
    Action("report.milestone", "m", "Milestone", "Freeze the assessment as it is now", foot=True),
    Action(
        "report.recipient", "w", "For whom", "The whole report for the product team, or one hospital's own", foot=True
    ),
    Action(
        "report.skeletons",
        "x",
        "Skeletons",
        "Write the contract's skeletons: statement, scopes, settings",
        do="contract",
        foot=True,
    ),
    Action(
        "report.burn-down", "b", "Burn-down", "How score, gaps and dates moved from milestone to milestone", foot=True
    ),
    Action("report.download", "d", "Download", "Hand a file that was written to the browser", foot=True),
    Action("organizations.add", "a", "Add", "A form for a new organisation", foot=True),
    Action("organizations.import", "i", "Import", "Add organisations that a directory of endpoints lists", foot=True),
    Action("organizations.edit", "e", "Edit", "Change the highlighted organisation", foot=True),
    Action("organizations.probe", "p", "Probe", "Look at the highlighted organisation's endpoints", foot=True),
    Action("organizations.sheet-out", "x", "Sheet out", "Write its questions as a sheet to mail", foot=True),
    Action("organizations.sheet-in", "m", "Sheet in", "Take the answers of a sheet that came back", foot=True),
    Action("organizations.remove", "d,delete", "Remove", "Remove it; answers and observations stay", foot=True),
    Action("organization.back", "escape", "Back", "Back to where the page was opened", foot=True, fixed=True),
    Action("organization.probe", "p", "Probe it", "Look at this organisation's endpoints", foot=True),
    Action(
        "organization.answer", "a", "Answer its questions", "Go to the questions asked of this organisation", foot=True
    ),
    Action("organization.drift", "d", "What changed", "What changed between the last two observations", foot=True),
    Action("organization.sheet-out", "x", "Sheet out", "Write its questions as a sheet to mail", foot=True),
    Action("organization.sheet-in", "m", "Sheet in", "Take the answers of a sheet that came back", foot=True),
    Action("organization.edit", "e", "Edit", "Change its name, vendor, address or credentials", foot=True),
    Action("contract.edit", "e", "Edit", "Change the contract part by part", foot=True),
    Action("contract.fit", "f", "Fit", "Each need against what every organisation declares", foot=True),
    Action("contract.settings", "s", "Settings", "Each setting with its value at every organisation", foot=True),
    Action("contract.export", "x", "Export", "See what its export would change, then write it", foot=True),
    Action("contract.says", "t", "What it says", "Go to what the contract says"),
    Action("contract.back", "escape", "Back", "Go to what the contract says", do="says", fixed=True),
    Action("editor.add", "a", "Add", "Add an entry to this list, or fill a part that is not there", foot=True),
    Action("editor.next-open", "n", "Next open", "The next part at which something is wrong or left open", foot=True),
    Action("editor.fields", "f", "All fields", "Show every field of the entries, or those filled alone", foot=True),
    Action("editor.clear", "d,delete", "Clear", "Take the value or the entry away", foot=True),
    Action("editor.back", "escape", "Back", "Back to what the contract says", foot=True, fixed=True),
    # -- widgets and dialogs ----------------------------------------------------------------------------------------
    Action("list.down", "j", "Down", "The line below, as the arrow does", do="cursor_down", fixed=True),
    Action("list.up", "k", "Up", "The line above, as the arrow does", do="cursor_up", fixed=True),
    Action("table.down", "j", "Down", "The line below, as the arrow does", do="cursor_down", fixed=True),
    Action("table.up", "k", "Up", "The line above, as the arrow does", do="cursor_up", fixed=True),
    Action("table.left", "h", "Left", "The column to the left, as the arrow does", do="cursor_left", fixed=True),
    Action("table.right", "l", "Right", "The column to the right, as the arrow does", do="cursor_right", fixed=True),
    Action("text.down", "j", "Down", "On by a line, as the arrow does", do="scroll_down", fixed=True),
    Action("text.up", "k", "Up", "Back a line, as the arrow does", do="scroll_up", fixed=True),
    Action("tree.down", "j", "Down", "The line below, as the arrow does", do="cursor_down", fixed=True),
    Action("tree.up", "k", "Up", "The line above, as the arrow does", do="cursor_up", fixed=True),
    Action("tree.open", "right", "Open", "Show what is below", fixed=True),
    Action("tree.close", "left", "Close", "Hide what is below", fixed=True),
    Action("choices.choose", "space", "Choose", "Take the highlighted choice, as enter does", do="select", fixed=True),
    Action("segments.less", "left", "Less", "The word to the left", do="step(-1)", fixed=True),
    Action("segments.more", "right", "More", "The word to the right", do="step(1)", fixed=True),
    Action("dialog.cancel", "escape", "Cancel", "Close without doing anything", do="dismiss(None)", fixed=True),
    Action("dialog.jump", "ctrl+o", "Jump", "A letter on each part of the dialog; the letter goes there"),
    Action("confirm.move", "left,right", "Move", "Between the answers", fixed=True),
    Action("review.up", "up,k", "Up", "Back a line", do="scroll('up')", fixed=True),
    Action("review.down", "down,j", "Down", "On by a line", do="scroll('down')", fixed=True),
    Action("review.page-up", "pageup", "Page up", "Back a page", do="scroll('page_up')", fixed=True),
    Action("review.page-down", "pagedown,space", "Page down", "On by a page", do="scroll('page_down')", fixed=True),
    Action("several.tick", "space", "Tick", "Tick the line, or take its tick away", fixed=True),
    Action("several.all", "a", "All", "Tick every line, or none", fixed=True),
    Action("form.save", "ctrl+s", "Save", "Save what the form says"),
    Action("search.down", "down", "Down", "The line below", do="move(1)", fixed=True),
    Action("search.up", "up", "Up", "The line above", do="move(-1)", fixed=True),
    Action("letters.cancel", "escape,ctrl+o", "Cancel", "Stay where you are", do="dismiss(None)", fixed=True),
    Action("help.close", "escape,question_mark,f1,q", "Close", "Close the help", do="dismiss", fixed=True),
)


BY_ID = {action.id: action for action in ACTIONS}


def actions_of(screen: str) -> tuple[Action, ...]:
    """The actions of a screen or a kind of widget, in their order."""
    return tuple(action for action in ACTIONS if action.screen == screen)


def keys_page(actions: Iterable[Action] = ACTIONS) -> str:
    """The tables of keys in ``docs/terminal-ui.md``: the same text for the same actions."""
    by_screen: dict[str, list[Action]] = {}
    for action in actions:
        by_screen.setdefault(action.screen, []).append(action)
    lines: list[str] = []
    for screen, title in SCREENS.items():
        rows = [action for action in by_screen.get(screen, ()) if not action.fixed]
        if rows:
            lines += ["", f"### {title}", "", "| key | action | what it does | id |", "|---|---|---|---|"]
            lines += [f"| {shown(action.keys)} | {action.words} | {action.help} | `{action.id}` |" for action in rows]
    return "\n".join(lines).strip()


#: Signs that Textual has a long name for, of those that are keys here.
SIGNS = {
    "slash": "/",
    "equals_sign": "=",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}


def shown(keys: str) -> str:
    """Keys as a page shows them: ``d`` or ``delete``."""
    return " or ".join(f"`{SIGNS.get(key, key)}`" for key in keys.split(",")) if keys else ""
