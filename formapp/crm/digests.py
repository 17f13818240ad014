"""Keyed digests: what is kept of a value, enough to recognize it and not to read it.

The first key makes digests and all keys recognize them, so that keys can be rotated. Once a key is
lost, all of its digests look like changed values.
"""

from collections.abc import Collection, Iterable

from formapp.signing import Keyring

PURPOSE = b"formapp: values of a crm"

PERSON = "person"
"""The name under which e-mails and phones are kept, whatever field they are in."""

_LENGTH = 32


class Digests:
    """`keyring` is of the purpose `PURPOSE`."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def text(self, name: str, value: str) -> str:
        """The digest of a text of this field; that of no text is empty."""
        return self._keyring.sign(_named(name, value))[:_LENGTH] if value else ""

    def is_text(self, digest: str, name: str, value: str) -> bool:
        return digest in self._all(name, value) if value else not digest

    def items(self, name: str, values: Iterable[str]) -> list[str]:
        return sorted(self.text(name, value) for value in values)

    def holds(self, digests: Collection[str], name: str, value: str) -> bool:
        """Whether a set's digests have one of this item."""
        return not self._all(name, value).isdisjoint(digests)

    def missing(self, digests: Iterable[str], name: str, values: Iterable[str]) -> set[str]:
        """Those of a set's digests that are of none of these items."""
        return set(digests).difference(*(self._all(name, value) for value in values))

    def persons(self, identities: Iterable[str]) -> list[str]:
        """The digests of e-mails and phones, by the first key."""
        return self.items(PERSON, identities)

    def all_persons(self, identities: Iterable[str]) -> set[str]:
        """The digests of e-mails and phones by every key, to search for them."""
        return set().union(*(self._all(PERSON, each) for each in identities))

    def _all(self, name: str, value: str) -> set[str]:
        return {digest[:_LENGTH] for digest in self._keyring.hashes(_named(name, value))}


def _named(name: str, value: str) -> str:
    return f"{name}\0{value}"
