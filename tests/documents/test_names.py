"""Names that documents give one another: the closest known one, and circles."""

from __future__ import annotations

import pytest

from interlock.documents.names import did_you_mean, find_circle

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("luanch", "; did you mean 'launch'?"),
        ("launch" + "h" * 1_000, ""),
        ("entirely different", ""),
    ],
)
def test_the_closest_name_is_proposed_and_nothing_far_away(name: str, said: str) -> None:
    assert did_you_mean(name, ["launch", "inputs"]) == said
    assert did_you_mean(name, []) == ""


@pytest.mark.parametrize(
    ("following", "circle"),
    [
        ({}, None),
        ({"a": ["b", "c"], "b": ["c"], "c": []}, None),
        ({"a": ["unknown"]}, None),
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, ["b", "c", "b"]),
        ({"a": [], "b": ["a", "c"], "c": ["d"], "d": ["b"]}, ["b", "c", "d", "b"]),
    ],
)
def test_a_circle_is_a_path_that_ends_where_it_starts(
    following: dict[str, list[str]], circle: list[str] | None
) -> None:
    assert find_circle(following) == circle


def test_a_chain_may_be_longer_than_the_stack_of_python() -> None:
    chain = {str(number): [str(number + 1)] for number in range(5_000)}
    assert find_circle(chain) is None
    assert find_circle(chain | {"5000": ["4999"]}) == ["4999", "5000", "4999"]
