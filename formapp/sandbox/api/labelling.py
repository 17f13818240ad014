"""Label and Unlabel Contact (contract section 7.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formapp.sandbox.api import validation as check
from formapp.sandbox.api.contact_rules import require_labels
from formapp.sandbox.api.contacts import find_contact, revise
from formapp.sandbox.api.errors import Violations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import ContactRecord, Json

MAX_KEYS = 100
MAX_KEY = 80


def label_contact(call: Call) -> Json:
    """Answer Label Contact.

    Raises:
        WixError: 400 for bad or unknown keys, CONTACT_NOT_FOUND.
    """
    keys = _required_keys(call.body.get("labelKeys"))
    record = find_contact(call, call.path["contactId"])
    require_labels(call.site, keys, "labelKeys")
    return {"contact": relabel(call, record, keys, ())}


def unlabel_contact(call: Call) -> Json:
    """Answer Unlabel Contact; keys come in the body, in the query, or in both.

    Raises:
        WixError: 400 for bad or unknown keys, CONTACT_NOT_FOUND.
    """
    keys = _required_keys(_sent_keys(call))
    record = find_contact(call, call.path["contactId"])
    require_labels(call.site, keys, "labelKeys")
    return {"contact": relabel(call, record, (), keys)}


def _sent_keys(call: Call) -> Any:
    in_body, in_query = call.body.get("labelKeys"), call.many("labelKeys")
    if isinstance(in_body, list):
        return [*in_body, *in_query]
    return in_body if in_body is not None else in_query or None


def _required_keys(raw: Any) -> list[str]:
    found = Violations()
    keys = read_keys(found, "labelKeys", raw)
    if raw is None:
        found.add("labelKeys", "is required", "REQUIRED_FIELD")
    elif raw == []:
        found.add("labelKeys", "must have at least 1 item", "MIN_SIZE", threshold=1)
    found.raise_if_any()
    return keys


def read_keys(found: Violations, path: str, raw: Any) -> list[str]:
    """Return the label keys in `raw`, each once."""
    sent = check.sequence(found, path, raw, MAX_KEYS) or []
    keys = (
        check.required_text(found, f"{path}[{index}]", key, MAX_KEY)
        for index, key in enumerate(sent)
    )
    return list(dict.fromkeys(key for key in keys if key))


def relabel(call: Call, record: ContactRecord, add: Iterable[str], remove: Iterable[str]) -> Json:
    """Add and remove labels; the revision rises only if the set of labels changed."""
    info = record.body["info"]
    held = info.get("labelKeys", {}).get("items", [])
    gone = set(remove)
    keys = [key for key in dict.fromkeys([*held, *add]) if key not in gone]
    if keys == held:
        return record.body
    rest = {name: info[name] for name in info if name != "labelKeys"}
    return revise(call, record, {**rest, "labelKeys": {"items": keys}} if keys else rest)
