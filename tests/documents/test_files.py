"""Files that somebody else wrote: where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.documents.files import inside
from interlock.model.errors import DocumentError


def test_a_file_inside_has_its_real_path_and_links_that_stay_inside_are_followed(tmp_path: Path) -> None:
    root = tmp_path / "work"
    (root / "orgs").mkdir(parents=True)
    (root / "more").symlink_to("orgs")
    (tmp_path / "alias").symlink_to("work")
    assert inside(root, root / "more" / "a.yaml") == root.resolve() / "orgs" / "a.yaml"
    assert inside(tmp_path / "alias", root / "orgs") == root.resolve() / "orgs"
    assert inside(tmp_path / "alias", tmp_path / "alias" / "orgs") == root.resolve() / "orgs"
    assert inside(root, root) == root.resolve()


@pytest.mark.parametrize("target", ["../outside", "/etc", "../work-2"])
def test_a_link_that_leads_out_is_named_with_where_it_leads(tmp_path: Path, target: str) -> None:
    root = tmp_path / "work"
    root.mkdir()
    (root / "reports").symlink_to(target)
    with pytest.raises(DocumentError) as caught:
        inside(root, root / "reports" / "report.html")
    assert "reports is a link" in caught.value.message
    assert str((root / target).resolve()) in caught.value.message


def test_a_chain_of_links_names_the_one_in_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "work"
    root.mkdir()
    (root / "first").symlink_to("second")
    (root / "second").symlink_to(tmp_path / "third")
    (tmp_path / "third").symlink_to("/etc/passwd")
    with pytest.raises(DocumentError, match="first is a link that leads out of this folder, to /etc/passwd"):
        inside(root, root / "first")


@pytest.mark.parametrize("name", ["../other.yaml", "a/../../other.yaml", "/etc/passwd", "a\0b"])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError):
        inside(tmp_path, tmp_path / name)


def test_links_in_a_circle_are_told_by_whoever_opens_them(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert tmp_path.resolve() in inside(tmp_path, tmp_path / "a").parents
