"""From TOML files to books, with every fault of every file at once; and the books' secrets."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Strict
from pydantic import Field as Key

from formapp.crm.model import EXTENDED, LABELS, SETS, Book, Direction, FieldPair
from formapp.forms.definition.base import Definition, trimmed
from formapp.forms.definition.explain import field_key, one_of, problem_of, shown, suggestion
from formapp.forms.definition.lines import Location, find_lines
from formapp.forms.definition.parse import (
    Fault,
    FormFilesError,
    bad_name,
    line_of,
    names_in,
    parse_files,
    parse_toml,
    plain_lines,
    read_text,
    validate,
)
from formapp.forms.reading.contact import REGIONS

System = Literal["carddav", "hubspot", "webhook"]

WIX_FIELDS = (
    "name.first",
    "name.last",
    "company",
    "jobTitle",
    "birthdate",
    "locale",
    "email",
    "phone",
    *SETS,
)
"""What `[[fields]]` may name as `wix`, beside extended fields."""

CARDDAV_FIELDS = (
    "given_name",
    "family_name",
    "full_name",
    "org",
    "title",
    "birthday",
    "email",
    "phone",
    *SETS,
    "note",
)
"""What `[[fields]]` may name as `crm` for this system, beside `x.<NAME>` for a line `X-NAME`."""

_NAMED_BY = ("wix", "crm")
_X_NAME = re.compile(r"x\.[A-Za-z0-9-]{1,60}")
_EVERY = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST_EVERY = timedelta(days=7)
_MAX_DISPLAY_NAME = 150

NEEDED = {
    "carddav": (),
    "hubspot": ("TOKEN",),
    "webhook": ("SECRET",),
}
"""The secrets without which a system can't be used. CardDAV takes USERNAME and PASSWORD."""

_KEY_FIELD = "external_id_field"
_KINDS = ("USERNAME", "PASSWORD", "TOKEN", "SECRET")


class BookFilesError(FormFilesError):
    """Book files that can't be used."""

    kind = "book"


class SecretsError(Exception):
    """Secrets of a book that are missing or can't be read, one fault a line; shows none."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(faults))


# The file's keys


def _duration(text: str) -> str:
    found = _EVERY.fullmatch(text)
    length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta(0)
    if not timedelta(0) < length <= _LONGEST_EVERY:
        raise ValueError(f'"{text}" is no interval; write it like "15m" or "1h", 7 days at most')
    return text


def _url(text: str) -> str:
    problem = f'"{text}" is no web address; write it like https://cloud.example.com/contacts/'
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or any(char.isspace() or not char.isprintable() for char in text):
        raise ValueError(problem)
    if "@" in parts.netloc:
        raise ValueError("has a user or password in it; these come from the environment")
    if parts.fragment:
        raise ValueError('has a part behind "#"; leave it out')
    if parts.scheme == "http" and not _is_this_machine(parts.hostname or ""):
        raise ValueError("is http://, which is allowed to this machine only; use https://")
    return text


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _region(text: str) -> str:
    if text not in REGIONS:
        hint = suggestion(text, REGIONS) or 'write it like "GB"'
        raise ValueError(f'"{text}" is no country of phone numbers (ISO 3166-1 alpha-2); {hint}')
    return text


def _wix_field(name: str) -> str:
    if name == LABELS:
        raise ValueError('labels are no field; use the key labels = "both" of the book')
    display_name = name.removeprefix(EXTENDED)
    if name.startswith(EXTENDED) and 0 < len(display_name) <= _MAX_DISPLAY_NAME:
        return name
    if name not in WIX_FIELDS:
        known = f'{one_of(WIX_FIELDS)}; or "extended." and a field\'s display name'
        hint = suggestion(name, WIX_FIELDS)
        raise ValueError(f'"{name}" is no field of Wix; {f"{hint} Use" if hint else "use"} {known}')
    return name


_Name = Annotated[str, Key(min_length=1, max_length=200), AfterValidator(trimmed)]


class FieldTable(Definition):
    """One `[[fields]]` table."""

    wix: Annotated[_Name, AfterValidator(_wix_field)]
    crm: _Name
    direction: Direction = "both"
    wins: Literal["wix", "crm", "ask"] = "wix"
    clear: Literal["keep", "propagate"] = "keep"


class BookFile(Definition):
    """A book's file: see `Book` for what the keys mean."""

    system: System
    site: _Name = "main"
    mode: Literal["two-way", "copy"] = "two-way"
    every: Annotated[str, AfterValidator(_duration)] = "15m"
    url: Annotated[str, AfterValidator(_url)] = ""
    deletes: Literal["mark", "keep", "archive", "delete"] = "mark"
    merges: Literal["mark", "merge"] = "mark"
    erasures: Literal["mark", "delete"] = "mark"
    labels: Literal["both", "to_crm", "to_wix", "off"] = "both"
    external_id_field: Annotated[
        str, Key(min_length=1, max_length=_MAX_DISPLAY_NAME), AfterValidator(trimmed)
    ] = "externalCrmId"
    region: Annotated[str, AfterValidator(_region)] | None = None
    fields: Annotated[tuple[FieldTable, ...], Strict(strict=False), Key(min_length=1)]


# Reading the files


def load_books(folder: Path, sites: Collection[str] | None = None) -> dict[str, Book]:
    """Return the books of a folder by name; BookFilesError with every fault of every file.

    `sites` are the Wix sites that there are, if a book of another one is a fault.
    """
    books, faults = parse_files(folder, "book", partial(parse_book, sites=sites))
    faults += _same_variables(names_in(folder))
    faults += _same_key_fields(folder)
    if faults:
        raise BookFilesError(faults)
    return books


def _same_variables(names: Sequence[str]) -> Iterator[Fault]:
    held: dict[str, str] = {}
    for name in names:
        variables = variable(name, "")
        if variables in held:
            problem = f"has the same environment variables as {held[variables]}.toml; rename one"
            yield Fault(f"{name}.toml", "", problem)
        held.setdefault(variables, name)


def _same_key_fields(folder: Path) -> Iterator[Fault]:
    """Two-way books of one site need an extended field each: an id is written once.

    Read apart from all other faults, so that a file with several shows them all. Names that differ
    by case alone may be one field at Wix.
    """
    held: dict[tuple[str, str], str] = {}
    for file in (f"{name}.toml" for name in names_in(folder)):
        try:
            text = plain_lines(read_text(folder / file))
            data = parse_toml(file, text)
        except FormFilesError:
            continue
        site, name, mode = (_given(data, key) for key in ("site", _KEY_FIELD, "mode"))
        if not site or not name or mode != "two-way":
            continue
        first = held.setdefault((site, name.casefold()), file)
        if first != file:
            problem = (
                f'"{name}" is the field of {first}, too, and both are two-way books of the site '
                f"{site}: each would take the other's ids for its own; in the one that you start "
                f'later write another, such as {_KEY_FIELD} = "{name} {Path(file).stem}"'
            )
            yield Fault(file, _KEY_FIELD, problem, find_lines(text).get((_KEY_FIELD,)))


def _given(data: Mapping[str, Any], key: str) -> str:
    """A text of a book's file, or its default; empty where it is no text."""
    found = data.get(key, BookFile.model_fields[key].default)
    return found.strip() if isinstance(found, str) else ""


def parse_book(file: str, text: str, sites: Collection[str] | None = None) -> Book:
    """Return the book in a file's text; `file` is its name. BookFilesError with every fault."""
    named = bad_name(file, "book")
    text = plain_lines(text)
    try:
        data = parse_toml(file, text)
    except FormFilesError as error:
        raise BookFilesError([*named, *error.faults]) from error
    table, errors = validate(BookFile, data)
    problems = [
        (shown(loc, data, _NAMED_BY), _secret(file, loc) or problem_of(each, BookFile))
        for each in errors
        for loc in [each["loc"]]
    ]
    unread = {key for key, _ in problems}
    together = [*_unknown_site(data, sites), *_meaning(data)]
    problems += [each for each in together if each[0] not in unread]
    if table is None or named or problems:
        lines = {shown(path, data, _NAMED_BY): line for path, line in find_lines(text).items()}
        faults = [Fault(file, key, problem, line_of(lines, key)) for key, problem in problems]
        raise BookFilesError([*named, *sorted(faults, key=lambda each: each.line or 0)])
    return _book(file.removesuffix(".toml"), table)


def _secret(file: str, loc: Location) -> str | None:
    """What is wrong with a secret in a book's file, if this key is one."""
    match loc:
        case (str(key),) if key.upper() in _KINDS:
            name = variable(file.removesuffix(".toml"), key.upper())
            return f"is a secret, which doesn't belong here; set {name} in the environment"
    return None


def _book(name: str, table: BookFile) -> Book:
    values: dict[str, Any] = {key: getattr(table, key) for key in BookFile.model_fields}
    values["every"] = timedelta(**{_UNITS[table.every[-1]]: int(table.every[:-1])})
    values["fields"] = tuple(FieldPair(**dict(field)) for field in table.fields)
    return Book(name=name, **values)


def _unknown_site(
    data: Mapping[str, Any], sites: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    site = data.get("site", BookFile.model_fields["site"].default)
    if sites is not None and isinstance(site, str) and site not in sites:
        choice = suggestion(site, sites) or f"the sites are {one_of(sorted(sites), 'and')}"
        yield "site", f'"{site}" is not known; {choice}'


def _meaning(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield key and problem of what keys mean together, in all that could be read."""
    system, is_copy = data.get("system"), data.get("mode") == "copy"
    if system in {"carddav", "webhook"} and not data.get("url"):
        yield "url", f'is missing; system = "{system}" needs it'
    if is_copy and data.get("labels") == "to_wix":
        yield (
            "labels",
            'is "to_wix", but mode = "copy" writes nothing at Wix; use "to_crm" or "off"',
        )
    own = EXTENDED + _given(data, _KEY_FIELD)
    seen: dict[tuple[str, str], int] = {}
    for index, field in _field_tables(data):
        key = field_key(data, index, _NAMED_BY)
        if not is_copy and field.get("wix") == own:
            problem = f"is the extended field that stores the CRM's id ({_KEY_FIELD})"
            yield f"{key}.wix", f"{problem}; leave it out"
        for side in ("wix", "crm"):
            name = field.get(side)
            if not isinstance(name, str):
                continue
            first = seen.setdefault((side, name), index)
            if first != index:
                yield f"{key}.{side}", f'"{name}" is mapped already by fields[{first}]'
        if is_copy and field.get("direction") == "to_wix":
            problem = 'is "to_wix", but mode = "copy" writes nothing at Wix; leave the field out'
            yield f"{key}.direction", problem
        if system == "carddav" and isinstance(field.get("crm"), str):
            yield from _carddav(key, field)


def _field_tables(data: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    fields = data.get("fields")
    for index, field in enumerate(fields if isinstance(fields, list) else ()):
        if isinstance(field, dict):
            yield index, field


def _carddav(key: str, field: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    wix, crm = field.get("wix"), field["crm"]
    if crm == LABELS:
        yield f"{key}.crm", 'labels are no field; use the key labels = "both" of the book'
    elif crm not in CARDDAV_FIELDS and not _X_NAME.fullmatch(crm):
        hint = suggestion(crm, CARDDAV_FIELDS)
        use = f"{hint} Use" if hint else "use"
        known = f'{one_of(CARDDAV_FIELDS)}; or "x." and the name of a line X-NAME'
        yield f"{key}.crm", f'"{crm}" is no field of CardDAV; {use} {known}'
    elif isinstance(wix, str) and (wix in SETS) != (crm in SETS):
        many, one = (wix, crm) if wix in SETS else (crm, wix)
        yield f"{key}.crm", f'"{many}" are several and "{one}" is one; map like to like'


# Secrets


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What a system is entered with; empty where it isn't set."""

    username: str = ""
    password: str = ""
    token: str = ""
    secret: str = ""


def variable(book: str, kind: str) -> str:
    return f"FORMAPP_CRM_{book.upper().replace('-', '_')}_{kind}"


def all_variables(book: str) -> list[str]:
    return [variable(book, kind) for kind in _KINDS]


def read_secrets(book: Book, environ: Mapping[str, str]) -> Secrets:
    """Read a book's secrets, each from its variable or the file that `…_FILE` names.

    Raises SecretsError with everything that is missing or can't be read.
    """
    values: dict[str, str] = {}
    faults: list[str] = []
    for kind in _KINDS:
        name = variable(book.name, kind)
        value, file = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "").strip()
        if value and file:
            faults.append(f"{name}_FILE: is set beside the value itself; use one of them")
        elif file:
            try:
                value = Path(file).read_text("utf-8").strip()
            except (OSError, ValueError) as error:
                # The text may be a secret instead of a file name, so the fault leaves it out.
                reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
                faults.append(f"{name}_FILE: names a file that can't be read: {reason}")
                value = "?"
        if not value.isprintable():
            faults.append(f"{name}: has a character that no secret has; copy all of it again")
        values[kind.lower()] = value
    needed = list(NEEDED[book.system])
    if book.system == "carddav" and (values["username"] or values["password"]):
        needed = ["USERNAME", "PASSWORD"]
    faults += [
        f"{variable(book.name, kind)}: is missing; {book.name}.toml needs it"
        for kind in needed
        if not values[kind.lower()]
    ]
    if faults:
        raise SecretsError(faults)
    return Secrets(**values)
