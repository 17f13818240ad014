"""The project file `formapp.toml`: what belongs to the installation and isn't secret.

`FORMAPP_CONFIG` names it; else it lies beside the folder of form files, else in the current folder.
Without one, environment variables say everything. Each fault is reported with its line, all at
once, in the words of `formapp forms check`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationError
from pydantic import Field as Key

from formapp.config import checks
from formapp.forms.definition.base import Definition
from formapp.forms.definition.explain import key_of, problem_of
from formapp.forms.definition.lines import find_lines
from formapp.forms.definition.model import Brand
from formapp.forms.definition.parse import (
    Fault,
    FormFilesError,
    line_of,
    parse_toml,
    plain_lines,
    read_text,
)
from formapp.resources import BUNDLED_FORMS

FILE = "formapp.toml"

_APP = ("app_id", "instance_id")
_Word = Annotated[str, AfterValidator(checks.word)]
_SiteName = Annotated[str, AfterValidator(checks.site_name)]


class SiteTable(Definition):
    """`[sites.NAME]`: one Wix site, without its secret.

    With an API key it has a `site_id`, as an app an `app_id` and an `instance_id`. The settings
    `WIX_API_URL` and `WIX_RATE_LIMIT` hold where the table says nothing.
    """

    site_id: _Word | None = None
    account_id: _Word | None = None
    app_id: _Word | None = None
    instance_id: _Word | None = None
    rate_limit: Annotated[int, Key(ge=2)] | None = None
    api_url: Annotated[str, AfterValidator(checks.address)] | None = None


class Project(Definition):
    """The whole file; a new table is a field here."""

    brand: Brand | None = None
    sites: dict[_SiteName, SiteTable] = Key(default_factory=dict)


_EMPTY = Project()


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """What was read, an empty project if there is a fault or no file; `path` is None without one.

    `faults` are lines such as `formapp.toml:3: sites.berlin.rate_limit: …`.
    """

    project: Project = _EMPTY
    path: Path | None = None
    faults: tuple[str, ...] = ()


def load_project(environ: Mapping[str, str], forms: Path | None = None) -> ProjectFile:
    """Find and read the file; `forms` is a folder to search beside, instead of the setting's."""
    given = environ.get("FORMAPP_CONFIG", "").strip()
    if given and not Path(given).is_file():
        return ProjectFile(faults=(f"FORMAPP_CONFIG: is no file: {given}",))
    path = Path(given) if given else _find(forms or environ.get("FORMAPP_FORMS", "").strip())
    if path is None:
        return ProjectFile()
    try:
        return ProjectFile(parse_project(path.name, read_text(path)), path)
    except FormFilesError as error:
        return ProjectFile(path=path, faults=tuple(map(str, error.faults)))


def _find(forms: Path | str) -> Path | None:
    places = [Path(FILE)]
    if forms and Path(forms) != BUNDLED_FORMS:
        places.insert(0, Path(forms).absolute().parent / FILE)
    return next((place for place in places if place.is_file()), None)


def parse_project(file: str, text: str) -> Project:
    """Return what the text says; FormFilesError has every fault."""
    text = plain_lines(text)
    data = parse_toml(file, text)
    problems = list(_incomplete_sites(data))
    try:
        project = Project.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems += [(key_of(each["loc"], data), problem_of(each, Project)) for each in found]
    if not problems:
        return project
    lines = {key_of(path, data): line for path, line in find_lines(text).items()}
    faults = [Fault(file, key, problem, line_of(lines, key)) for key, problem in problems]
    raise FormFilesError(sorted(faults, key=lambda fault: (fault.line or 0, fault.key)))


def _incomplete_sites(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield key and text of what a site lacks or has too much of.

    Compared by names of keys, so that a wrong value hides nothing of this.
    """
    sites = data.get("sites")
    for name, table in sites.items() if isinstance(sites, dict) else ():
        if not isinstance(table, dict):
            continue
        key, of_app = f"sites.{name}", [each for each in _APP if each in table]
        if "site_id" in table and of_app:
            yield f"{key}.site_id", f"is set beside {of_app[0]}; use an API key or an app"
        elif of_app:
            missing = [each for each in _APP if each not in table]
            yield from ((f"{key}.{each}", "is missing; an app needs both ids") for each in missing)
        elif "site_id" not in table:
            yield f"{key}.site_id", "is missing; an app has app_id and instance_id instead"
