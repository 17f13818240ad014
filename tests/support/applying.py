"""What Wix does with an `info`: an update of a contact in plain JSON (contract section 7.3).

Where the contract leaves two ways open, the caller chooses.
"""

import copy
from dataclasses import dataclass
from typing import Any

from formapp.wix import Contact

Json = dict[str, Any]


@dataclass(frozen=True)
class Ways:
    """The two ways in which Wix may take three things.

    Attributes:
        replaces_fields: extended fields are replaced whole, not per key.
        replaces_name: a name is replaced whole, not part by part.
        computes_e164: phones get their E.164 form.
    """

    replaces_fields: bool = False
    replaces_name: bool = False
    computes_e164: bool = True


def applied(info: Json, sent: Json, ways: Ways) -> Json:
    """The `info` of the contact after an update (or, from an empty one, after a create)."""
    result = copy.deepcopy(info) | copy.deepcopy(sent)
    if "name" in sent and not ways.replaces_name:
        result["name"] = (info.get("name") or {}) | sent["name"]
    if "extendedFields" in sent:
        result["extendedFields"] = {"items": _fields(info, sent, ways)}
    if "phones" in sent:
        _compute(result["phones"]["items"], info, ways)
    return result


def _compute(phones: list[Json], info: Json, ways: Ways) -> None:
    """What was computed once is computed again; a number in E.164 may be."""
    held = {phone["id"]: phone for phone in (info.get("phones") or {}).get("items", [])}
    for phone in phones:
        before = held.get(phone.get("id"), {}).get("e164Phone")
        if before or (ways.computes_e164 and phone["phone"].startswith("+")):
            phone["e164Phone"] = before or "+" + "".join(filter(str.isdigit, phone["phone"]))


def _fields(info: Json, sent: Json, ways: Ways) -> Json:
    held = (info.get("extendedFields") or {}).get("items", {})
    if ways.replaces_fields:
        held = {key: value for key, value in held.items() if not key.startswith("custom.")}
    news: Json = sent["extendedFields"]["items"]
    return dict(held) | {key: _stored(key, value) for key, value in news.items()}


def _stored(key: str, value: Any) -> Any:
    """An address gets a scheme (contract section 10.4)."""
    if key == "custom.site" and "://" not in value:
        return f"https://{value}"
    return value


def as_contact(info: Json) -> Contact:
    """The contact with this `info`."""
    return Contact.parse(
        {
            "id": "2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21",
            "revision": 1,
            "createdDate": "2026-01-01T00:00:00.000Z",
            "info": info,
        }
    )
