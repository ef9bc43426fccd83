"""The user's config.toml: what it sets, and that whatever else stands in it is told by its line and left out."""

from __future__ import annotations

import re
import tomllib

import pytest

from interlock.model.actions import ACTIONS
from interlock.model.preferences import Preferences, read_preferences, template

pytestmark = pytest.mark.fast


def test_theme_animations_and_keys_are_taken_however_toml_writes_them():
    text = 'theme = "light"\nanimations = false\n[keys]\nquestions.next = "N"\n"gaps.find" = ["ctrl+f", "/"]\n'
    preferred, remarks = read_preferences(text)
    assert not remarks
    assert preferred == Preferences("light", False, {"questions.next": "N", "gaps.find": "ctrl+f,/"})


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('theme = "nord"', "there is no theme 'nord'"),
        ("animations = 1", "true or false"),
        ("colour = 3", "there is no setting 'colour'"),
        ('keys.questions.nxt = "z"', "there is no action 'questions.nxt'"),
        ('keys.questions.next = "g"', "g is the key of app.go there"),
        ('keys.questions.next = "u"', "u is the key of questions.unknown there"),
        ('keys.app.quit = "a"', "a is the key of questions.assign there"),
        ('keys.questions.next = "enter"', "means the same everywhere"),
        ('keys.questions.next = "4"', "means the same everywhere"),
        ('keys.questions.next = "hyper+q"', "there is no key 'hyper+q'"),
        ("keys.questions.next = 7", "is one key"),
        ("keys.questions.next = []", "is one key"),
        ('keys.list.down = "z"', "stay what they are"),
        ("keys = 3", "keys is a table"),
        ("theme = ", "this is no TOML"),
        ("x = " + "[" * 5000, "this is no TOML"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line_and_left_out(line, why):
    preferred, remarks = read_preferences(f"# mine\n\n{line}\n")
    assert preferred == Preferences()
    assert [remark.line for remark in remarks] == [3] or "no TOML" in why
    assert why in remarks[0].message


def test_one_bad_line_costs_the_others_nothing_and_remarks_are_bounded():
    text = "[keys]\n" + "".join(f'nothing.n{n} = "z"\n' for n in range(100)) + 'questions.next = "z"\n'
    preferred, remarks = read_preferences(text)
    assert preferred.keys == {"questions.next": "z"}
    assert len(remarks) == 21 and "80 more" in remarks[-1].message


def test_two_actions_may_change_keys_and_the_second_is_judged_by_the_first():
    preferred, remarks = read_preferences('[keys]\nquestions.note = "z"\nquestions.next = "m"\nquestions.area = "z"\n')
    assert preferred.keys == {"questions.note": "z", "questions.next": "m"}
    assert [remark.line for remark in remarks] == [4]


def test_the_template_says_what_holds_already():
    said = template()
    assert read_preferences(said) == (Preferences(), ())
    tomllib.loads(re.sub(r"^# (?=[\w.\"-]+ = )", "", said, flags=re.M))
    for action in ACTIONS:
        assert (f"# {action.id} = " in said) is not action.fixed
