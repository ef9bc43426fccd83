"""Editing contract.yaml part by part: offered by FHIR's tables, saved at once with its comments, undone."""

from __future__ import annotations

import pytest
from textual.widgets import Input, OptionList

from interlock.contract.form import Slot, slots
from interlock.model.contract import WorkflowContract
from interlock.model.errors import InterlockError
from interlock.tui.screens.contract_editor import ContractEditor
from interlock.usecases.contract_form import value_of
from interlock.usecases.initialize import blank_contract

pytestmark = pytest.mark.usefixtures("unplanned")

BOTH_SIZES = pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 36), marks=pytest.mark.long)])


@pytest.fixture
def editor(workspace, terminal):
    """Opens the editor on a blank contract: ``async with editor(size) as t``."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def opened(size=(120, 36), contract=None):
        (workspace.root / "contract.yaml").write_bytes(contract or blank_contract())
        async with terminal(size, section="contract") as t:
            await t.press("e")
            await t.until(lambda: isinstance(t.app.screen, ContractEditor) and t.app.screen.is_mounted)
            await t.until(lambda: t.app.screen._listed())
            yield t

    return opened


async def on(t, *path) -> None:
    t.app.screen._go_to(path)
    await t.until(lambda: t.app.screen._slot is not None and t.app.screen._slot.path == path)


async def searched(t, words: str) -> None:
    await t.until(lambda: t.app.screen.query("#ask"))
    await t.type(words)
    await t.press("enter")


@BOTH_SIZES
async def test_an_input_is_built_from_what_fhir_offers_and_the_file_keeps_its_comments(editor, workspace, size):
    async with editor(size) as t:
        await on(t, "inputs")
        await t.press("a")
        await searched(t, "Observation")
        await t.until(lambda: (c := workspace.contract()) is not None and c.inputs)
        await t.until(lambda: t.app.screen._slot is not None and t.app.screen._slot.path == ("inputs", 0))
        await on(t, "inputs", 0, "interactions")
        await t.press("a")
        await t.until(lambda: t.app.screen.query(OptionList))
        await t.press("enter")
        await t.until(lambda: workspace.contract().inputs[0].interactions == ("read",))
        await on(t, "inputs", 0, "search_parameters")
        await t.press("a")
        await searched(t, "patient")
        await t.until(lambda: workspace.contract().inputs[0].search_parameters == ("patient",))
        await on(t, "inputs", 0, "required_fields")
        await t.press("a")
        await searched(t, "valueQuantity.value")
        await t.until(lambda: workspace.contract().inputs[0].required_fields == ("valueQuantity.value",))
        text = (workspace.root / "contract.yaml").read_text()
        comments = [line for line in blank_contract().decode().splitlines() if line.startswith("#")]
        assert all(line in text for line in comments)
        for _ in range(4):
            await t.press("ctrl+z")
            await t.pilot.pause(0.05)
        await t.until(lambda: (workspace.root / "contract.yaml").read_bytes() == blank_contract())


async def test_a_part_that_is_not_there_is_filled_with_what_it_cannot_be_without(editor, workspace):
    async with editor() as t:
        await on(t, "clinical_event")
        await t.press("a")
        for said in ("A final lactate", "Bedside nurse", "Wards"):
            await searched(t, said)
            await t.pilot.pause(0.05)
        await t.until(lambda: (c := workspace.contract()).clinical_event is not None and c.clinical_event.setting)
        assert workspace.contract().clinical_event.trigger == "A final lactate"
        await on(t, "clinical_event", "actor")
        await t.press("d")
        await t.until_shown("Not written")  # an event without an actor is none
        assert workspace.contract().clinical_event.actor == "Bedside nurse"


async def test_a_choice_shows_which_organisations_declare_it(editor, workspace):
    from interlock.usecases.contract_form import offers

    async with editor() as t:
        inputs = t.app.state.inputs
        contract = WorkflowContract(version="1", title="x")
        resource = next(slot for slot in slots(contract) if slot.name == "inputs")
        from interlock.contract.form import entry_slots

        (slot,) = entry_slots(resource.entry, ("inputs", 0))
        told = {offer.value: offer.about for offer in offers(inputs, contract, slot)}
        assert told["Patient"].startswith("not seen: "), "nobody was probed, so nobody declares or lacks it"


async def test_a_number_that_is_none_is_told_in_the_dialog_and_nothing_is_written(editor, workspace):
    contract = blank_contract().replace(b"inputs: []", b"inputs: [{resource: Patient}]")
    async with editor(contract=contract) as t:
        await on(t, "inputs", 0)
        shown = [slot.data.name for slot in t.app.screen._listed() if slot.data is not None]
        assert "required fields" in shown and "per day" not in shown, "a field in which nothing is said is folded"
        await t.press("f")
        await on(t, "inputs", 0, "per_day")
        await t.press("enter")
        await searched(t, "many")
        await t.until_shown("this is no number")
        t.app.screen.query_one("#ask", Input).value = "5000"
        await t.press("enter")
        await t.until(lambda: workspace.contract().inputs[0].per_day == 5000)


async def test_n_leads_to_what_is_open_and_the_panel_says_what(editor):
    async with editor() as t:
        await t.press("n")
        slot = t.app.screen._slot
        assert slot is not None and t.app.screen._remarks_at(slot)
        assert "is not written down" in t.of("#about-slot > Flow") or "no " in t.flat_text


async def test_what_somebody_else_changed_meanwhile_is_refused_in_words(editor, workspace):
    contract = blank_contract().replace(b"inputs: []", b"inputs: [{resource: Patient}, {resource: Encounter}]")
    async with editor(contract=contract) as t:
        await on(t, "inputs", 1, "purpose")
        (workspace.root / "contract.yaml").write_bytes(blank_contract())
        await t.press("enter")
        await searched(t, "x")
        await t.until_shown("somebody changed it meanwhile")
        assert (workspace.root / "contract.yaml").read_bytes() == blank_contract()


async def test_without_a_contract_one_is_written(workspace, terminal):
    (workspace.root / "contract.yaml").unlink()
    async with terminal((80, 24), section="contract") as t:
        await t.press("e")
        await t.until_shown("There is no contract.yaml yet")
        await t.press("a")
        await t.until(lambda: (workspace.root / "contract.yaml").exists())
        await t.until(lambda: t.app.screen._listed())


def test_every_part_of_the_model_has_its_place_in_the_form():
    names = {slot.path[0] for slot in slots(WorkflowContract(version="1", title="x"))}
    assert names == set(WorkflowContract.model_fields) - {"schema_version"}


def test_value_sets_codes_and_systems_are_offered_from_the_tables_by_the_element_that_is_bound():
    from interlock.contract.form import offered

    sets = offered("R4", Slot(("inputs", 0, "binding", 0, "value_set"), "text"), "Observation", "status")
    assert sets[0] == ("http://hl7.org/fhir/ValueSet/observation-status", "status, required, 8 codes")
    assert len(sets) == len(dict(sets)) > 5
    codes = dict(offered("R4", Slot(("inputs", 0, "binding", 0, "codes", 0), "text"), "Observation", "status"))
    assert "http://hl7.org/fhir/observation-status|final" in codes and len(codes) == 8
    assert offered("R4", Slot(("inputs", 0, "binding", 0, "codes", 0), "text"), "Observation", "bodySite") == ()
    assert "http://hl7.org/fhir/observation-status" in dict(
        offered("R4", Slot(("inputs", 0, "terminology", 0), "text"), "Observation")
    )


@pytest.mark.fast
@pytest.mark.parametrize(
    ("path", "typed", "said"),
    [
        (("inputs", 0, "query", 0), "category", "write name=value, like category=laboratory"),
        (("inputs", 0, "code", 0), "2524-7", r"write system\|code"),
    ],
)
def test_a_text_of_a_form_of_its_own_is_told_how_to_be_written(path: tuple[str | int, ...], typed: str, said: str):
    with pytest.raises(InterlockError, match=said):
        value_of(Slot(path, "text"), typed)
    assert value_of(Slot(path, "text"), "") is None
    assert value_of(Slot(("title",), "text"), typed) == typed
