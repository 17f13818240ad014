"""Contacts of a Wix site, and Wix as a side of a book that maps these fields."""

from collections.abc import Callable
from typing import Any

from formapp.crm.systems.wix import WixRecord, WixSystem
from tests.support.wixsite import WixSite

NAMES = (
    "name.first",
    "name.last",
    "company",
    "birthdate",
    "email",
    "emails",
    "phone",
    "phones",
    "addresses",
    "extended.Budget",
)
ADDRESS = "Rua dos Exemplos 12\n\nLisboa\n1100-148\nPT-11\nPT"

Open = Callable[..., WixSystem]


def add_contact(site: WixSite, first: str = "Ines", **info: Any) -> str:
    return str(site.add(name={"first": first}, **info)["id"])


def emails_of(*addresses: str) -> dict[str, Any]:
    return {"items": [{"tag": "WORK", "email": each} for each in addresses]}


def phones_of(*numbers: str) -> dict[str, Any]:
    return {"items": [{"tag": "MOBILE", "phone": each} for each in numbers]}


def get_wix(system: WixSystem, contact_id: str) -> WixRecord:
    found = system.get(contact_id)
    assert isinstance(found, WixRecord)
    return found
