"""Which parts of a contact an answer shows (contract section 7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formapp.sandbox.api.errors import Violations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from formapp.sandbox.state import Json

BASIC = ("primaryInfo", "info.name")
FIELDSETS: dict[str, tuple[str, ...]] = {
    "BASIC": BASIC,
    "COMMUNICATION_DETAILS": (*BASIC, "info.emails", "info.phones", "info.addresses"),
    "EXTENDED": (*BASIC, "info.extendedFields"),
    "FULL": (),
}
MAX_FIELDS = 100
MAX_FIELD_LENGTH = 100
MAX_FIELDSETS = 10

Projection = tuple[str, ...] | None
"""Paths to show; None shows everything."""


def read_projection(fields: Sequence[Any], fieldsets: Sequence[Any]) -> Projection:
    """Return the union of what was asked for; FULL if nothing was.

    A field that no contact has shows nothing; the contract names no error for it.

    Raises:
        WixError: 400 for too many or too long fields, or an unknown fieldset.
    """
    found = Violations()
    if len(fields) > MAX_FIELDS:
        found.add("fields", f"must have at most {MAX_FIELDS} items", "MAX_SIZE")
    if len(fieldsets) > MAX_FIELDSETS:
        found.add("fieldsets", f"must have at most {MAX_FIELDSETS} items", "MAX_SIZE")
    for index, field in enumerate(fields):
        if not isinstance(field, str) or len(field) > MAX_FIELD_LENGTH:
            found.add(f"fields[{index}]", "must be a string of at most 100 characters")
    for index, fieldset in enumerate(fieldsets):
        if not isinstance(fieldset, str) or fieldset not in FIELDSETS:
            found.add(f"fieldsets[{index}]", f"must be one of {', '.join(FIELDSETS)}")
    found.raise_if_any()
    if "FULL" in fieldsets or not (fields or fieldsets):
        return None
    return (*fields, *(path for one in fieldsets for path in FIELDSETS[one]))


def project(body: Json, wanted: Projection) -> Json:
    """Return the part of `body` that `wanted` names, with `id` and `revision`."""
    if wanted is None:
        return body
    shown: Json = {"id": body["id"], "revision": body["revision"]}
    for path in wanted:
        _copy(body, shown, path.split("."))
    return shown


def _copy(source: Json, target: Json, names: list[str]) -> None:
    name, rest = names[0], names[1:]
    if name not in source:
        return
    value = source[name]
    if not rest:
        target[name] = value
    elif isinstance(value, dict):
        inner = target.get(name)
        copied = dict(inner) if isinstance(inner, dict) else {}
        _copy(value, copied, rest)
        if copied:
            target[name] = copied
