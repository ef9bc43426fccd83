"""Writing the report as a folder for a static host."""

from __future__ import annotations

import hashlib
from pathlib import Path

from interlock.documents.timing import timed, writing_time
from interlock.model.assessment import Assessment
from interlock.model.errors import DocumentError, Location
from interlock.model.language import Language, using
from interlock.usecases.contract import OWN_FOLDERS
from interlock.usecases.load import Inputs
from interlock.usecases.manifest import manifest_of
from interlock.usecases.milestone import with_changes
from interlock.usecases.report import report_language, report_view
from interlock.workspace.generated import Generated, outside_of_own, read_manifest, write_generated


@timed("render site")
def write_site(
    assessment: Assessment,
    inputs: Inputs,
    directory: Path,
    *,
    templates: Path | None = None,
    language: Language | None = None,
) -> tuple[Generated, ...]:
    """Write the pages of :data:`interlock.report.site.PAGES` and their manifest into ``directory``.

    All pages are made before the first is written, and each takes its place at once. What somebody edited stays, with
    the new page beside it; what is no longer generated, and what is not ours, is told and stays.

    :param templates: as for :func:`interlock.usecases.report.write_report`.
    :param language: of the fixed words; by default the workspace's.
    :raises DocumentError: the folder holds something, and none of it was written by this.
    :raises WorkspaceError: the folder cannot be written, or is the workspace's own.
    """
    from interlock.report import json

    outside_of_own(directory, inputs.root, OWN_FOLDERS)
    if directory.exists() and not directory.is_dir():
        raise DocumentError(
            "a file stands where a folder is needed",
            location=Location(file=str(directory)),
            remedy="name a folder after --site, or move the file away",
        )
    if read_manifest(directory) is None and directory.exists() and any(directory.iterdir()):
        raise DocumentError(
            "this folder holds something else than a site of a report, so nothing was written",
            location=Location(file=str(directory)),
            remedy="name an empty folder after --site, or one that does not exist yet",
        )
    day = writing_time().date().isoformat()
    pages = site_pages(assessment, inputs, day, templates=templates, language=language)
    source = hashlib.sha256(json.render(assessment)).hexdigest()
    done = write_generated(directory, pages, source=source, made=day)
    known = {file.path.name for file in done} | {"manifest.json"}
    strangers = sorted(path for path in directory.iterdir() if path.name not in known)
    return (*done, *(Generated(path, "orphan") for path in strangers))


def site_pages(
    assessment: Assessment,
    inputs: Inputs,
    day: str,
    *,
    templates: Path | None = None,
    language: Language | None = None,
) -> dict[str, str]:
    """Each page by its file's name, with its manifest, for ``interlock verify``.

    :param day: ISO 8601, the day on the pages; ``templates`` and ``language`` as for :func:`write_site`.
    """
    from interlock.report import seal, site
    from interlock.report.templates import own_folder

    own = own_folder(templates) if templates is not None else None
    language = language or report_language(inputs.settings.branding, inputs.root)
    assessment = with_changes(assessment, inputs)
    manifest = manifest_of(inputs, assessment, made=day, own_templates=own is not None, language=language.tag)
    with using(language):
        pages = site.render(report_view(assessment, inputs, day), own=own)
    return {
        file: seal.sealed(page.encode(), "html", manifest.but(form="html", page=file)).decode()
        for file, page in pages.items()
    }
