"""Phones and addresses: the lists of a contact after a lead. Pure.

An update replaces a list whole (contract section 7.3), so the result is the complete list.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

from formapp.delivery.contact_info import address_item, phone_item
from formapp.lead import Address, Merge, Phone
from formapp.wix import Address as WixAddress
from formapp.wix import AddressItem, PhoneItem
from formapp.wix import Phone as WixPhone


class _Given(Protocol):
    @property
    def tag(self) -> str: ...
    @property
    def merge(self) -> Merge: ...


_Held = TypeVar("_Held", WixPhone, WixAddress)
_New = TypeVar("_New", bound=_Given)
_Items = list[dict[str, Any]]


def merged_phones(held: Sequence[WixPhone], given: Sequence[Phone]) -> list[PhoneItem] | None:
    """The complete new list, or None if it stays."""
    return cast(
        "list[PhoneItem] | None",
        _merged(held, given, same_number, lambda phone: phone.e164, phone_item),
    )


def merged_addresses(
    held: Sequence[WixAddress],
    given: Sequence[Address],
) -> list[AddressItem] | None:
    """The complete new list, or None if it stays."""
    return cast(
        "list[AddressItem] | None",
        _merged(held, given, _same_address, _shape, address_item),
    )


def _merged(
    held: Sequence[_Held],
    given: Sequence[_New],
    same: Callable[[_Held, _New], bool],
    key: Callable[[_New], Hashable],
    item: Callable[[_New], Mapping[str, Any]],
) -> _Items | None:
    items: _Items = [dict(each.as_item()) for each in held]
    # What the lead itself gives is never in the way of something else that it gives.
    stays = {index for index, have in enumerate(held) if any(same(have, new) for new in given)}
    done: set[Hashable] = set()
    for new in given:
        known = key(new) in done or any(same(have, new) for have in held)
        if known or (held and new.merge is Merge.FILL):
            continue
        done.add(key(new))
        place = _place(held, new, stays)
        stays.add(place)
        _put(items, place, dict(item(new)))
    return items if done else None


def _place(held: Sequence[_Held], new: _New, taken: set[int]) -> int:
    """The first item with its tag if it overwrites and there is one, else the end."""
    if new.merge is Merge.OVERWRITE:
        for index, have in enumerate(held):
            if have.tag == new.tag and index not in taken:
                return index
    return max(len(held), 1 + max(taken, default=-1))


def _put(items: _Items, place: int, item: dict[str, Any]) -> None:
    if place >= len(items):
        items.append(item)
        return
    # Which item is the primary one decides what duplicates are compared by: that stays.
    if "primary" in items[place]:
        item["primary"] = items[place]["primary"]
    items[place] = item


def same_number(held: WixPhone, given: Phone) -> bool:
    """Whether it is the same number: by E.164 if Wix computed it, else by its digits."""
    if held.e164:
        return held.e164 == given.e164
    return _digits(held.number) in {_digits(given.e164), _digits(given.typed)}


def _digits(number: str) -> str:
    return "".join(letter for letter in number if letter.isdigit())


def _folded(*parts: str | None) -> tuple[str, ...]:
    return tuple(" ".join((part or "").split()).casefold() for part in parts)


def _shape(address: Address) -> tuple[str, ...]:
    return _folded(
        address.line,
        address.line2,
        address.city,
        address.postal_code,
        address.subdivision,
        address.country,
    )


def _same_address(held: WixAddress, given: Address) -> bool:
    """The same but for case and blanks; a street in two parts is one in either order."""
    number, name = held.street_number, held.street_name
    lines = {held.line or ""}
    if number or name:
        lines = {f"{number or ''} {name or ''}", f"{name or ''} {number or ''}"}
    rest = (held.line2, held.city, held.postal_code, held.subdivision, held.country)
    return _shape(given) in {_folded(line, *rest) for line in lines}
