"""The folder of a workspace: nothing is read or written outside of it, whatever links it holds."""

from __future__ import annotations

import os
from pathlib import Path

from interlock.documents.files import inside
from interlock.documents.yaml import YamlDocument, load_yaml


class Folder:
    """A folder that somebody else may have filled.

    :ivar root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """The real path of a file or folder of it.

        :raises DocumentError: it would be outside; names the link that leads there.
        """
        return inside(self.root, self.root / name)

    def output(self, folder: Path) -> Path:
        """The folder to write output into: inside the workspace no link may lead out of it.

        :raises DocumentError: a link in the workspace leads out of it.
        """
        named, root = (Path(os.path.normpath(path.absolute())) for path in (folder, self.root))
        if root == named or root in named.parents:
            inside(self.root, folder)
        return folder

    def files(self, folder: str, pattern: str) -> tuple[Path, ...]:
        """The files of one folder of it, sorted by name.

        :raises DocumentError: the folder is outside.
        """
        self.path(folder)
        return tuple(sorted((self.root / folder).glob(pattern)))

    def has(self, name: str) -> bool:
        """Whether there is anything of this name: a link that leads nowhere is told when it is read."""
        return os.path.lexists(self.root / name)

    def load(self, name: str) -> YamlDocument:
        """A YAML file.

        :raises DocumentError: it is missing, outside, or not valid YAML.
        """
        return load_yaml(self.root / name, within=self.root)
