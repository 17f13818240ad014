"""What labels and extended fields have in common: keys, names, removal (sections 9, 10)."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from formapp.sandbox.api import validation as check
from formapp.sandbox.api.errors import Violations, envelope
from formapp.sandbox.clock import iso

if TYPE_CHECKING:
    from collections.abc import Collection

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import Json

MAX_KEY = 80
SUFFIX_LENGTH = 19


@dataclass(frozen=True)
class Kind:
    """One of the two kinds of definition.

    Attributes:
        singular: Wire name of one, such as `label`.
        plural: Wire name of many, also the attribute of a site that holds them.
        type_name: Wire name of its type, such as `labelType`.
        types: Values of the type.
        longest_name: Characters of a display name.
        list_default: Limit of a list when none is sent.
        list_max: Highest limit of a list; None if the contract knows none.
        filters: Filter fields beyond the common ones.
    """

    singular: Literal["label", "field"]
    plural: Literal["labels", "fields"]
    type_name: str
    types: tuple[str, ...]
    longest_name: int
    list_default: int
    list_max: int | None
    filters: dict[str, tuple[str, ...]]

    def of(self, call: Call) -> dict[str, Json]:
        """Return the site's definitions, by key."""
        held: dict[str, Json] = getattr(call.site, self.plural)
        return held


def random_letters(count: int) -> str:
    """Return lower-case letters that nobody can guess."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(count))


def make_key(display_name: str, taken: Collection[str], *, random_suffix: bool) -> str:
    """Return a key by the rule of contract section 9.3."""
    slug = re.sub(r"[^a-z0-9_]+", "-", display_name.strip().lower()).strip("-")
    stem = f"custom.{slug or random_letters(8)}"
    if random_suffix:
        return f"{stem[: MAX_KEY - SUFFIX_LENGTH - 1]}-{random_letters(SUFFIX_LENGTH)}"
    key, number = stem[:MAX_KEY], 0
    while key in taken:
        number += 1
        key = f"{stem[: MAX_KEY - len(f'-{number}')]}-{number}"
    return key


def read_display_name(kind: Kind, raw: Any, path: str = "displayName") -> str:
    """Return a display name.

    Raises:
        WixError: 400 if it is missing, empty or too long.
    """
    found = Violations()
    name = check.required_text(found, path, raw, kind.longest_name)
    found.raise_if_any()
    return name or ""


def find_by_name(kind: Kind, call: Call, display_name: str) -> Json | None:
    """Return the definition with exactly this display name (case counts)."""
    held = kind.of(call).values()
    return next((one for one in held if one["displayName"] == display_name), None)


def add(kind: Kind, call: Call, definition: Json) -> Json:
    """Store a custom definition with its key and dates; return it in full."""
    held = kind.of(call)
    key = make_key(definition["displayName"], held, random_suffix=call.settings.random_key_suffixes)
    moment = iso(call.now)
    stored = {
        "namespace": "custom",
        "key": key,
        **definition,
        "createdDate": moment,
        "updatedDate": moment,
    }
    held[key] = stored
    call.site.changes += 1
    return stored


def count_custom(kind: Kind, call: Call) -> int:
    """Return how many definitions of the site count towards its quota."""
    return sum(one["namespace"] == "custom" for one in kind.of(call).values())


def get(kind: Kind, call: Call) -> Json:
    """Return the definition whose key is in the path.

    Raises:
        WixError: 404 with empty details.
    """
    definition = kind.of(call).get(call.path["key"])
    if definition is None:
        raise envelope(404)
    return definition


def rename(kind: Kind, call: Call, raw: Any, path: str) -> Json:
    """Give a definition another display name; the key stays.

    Raises:
        WixError: 400 for a bad name, 404 for an unknown key.
    """
    name = read_display_name(kind, raw, path)
    renamed = {**get(kind, call), "displayName": name}
    if "updatedDate" in renamed:
        renamed["updatedDate"] = iso(call.now)
    kind.of(call)[renamed["key"]] = renamed
    call.site.changes += 1
    return renamed


def remove(kind: Kind, call: Call) -> str:
    """Take a definition out and return its key.

    Raises:
        WixError: 404 for an unknown key, 428 for a system definition, both with empty details.
    """
    definition = get(kind, call)
    if definition[kind.type_name] == "SYSTEM":
        raise envelope(428)
    del kind.of(call)[definition["key"]]
    call.site.changes += 1
    return str(definition["key"])
