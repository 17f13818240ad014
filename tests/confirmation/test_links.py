"""Signed links: what they say, and which are not genuine."""

from datetime import UTC, datetime

import pytest

from formapp.confirmation.links import Link, LinkSigner, address_hash
from formapp.signing import InvalidSignatureError, Signer

LINK = Link("id", address_hash("ada@example.com"), datetime(2026, 3, 9, 12, tzinfo=UTC))


def test_a_link_is_read_by_any_of_the_keys() -> None:
    token = LinkSigner(["old key"]).issue(LINK)
    assert LinkSigner(["new key", "old key"]).read(token) == LINK


def test_a_link_shows_no_address() -> None:
    assert "ada" not in address_hash("ada@example.com")
    assert len(address_hash("ada@example.com")) == 16


@pytest.mark.parametrize("keys", [["new key"], ["other"]])
def test_a_link_of_another_key_is_not_genuine(keys: list[str]) -> None:
    with pytest.raises(InvalidSignatureError):
        LinkSigner(keys).read(LinkSigner(["old key"]).issue(LINK))


def test_what_was_altered_or_signed_for_another_purpose_is_not_genuine() -> None:
    signer = LinkSigner(["key"])
    other = Signer(["key"], salt="another purpose").sign({"s": "id", "a": "", "u": 1})
    for token in ("", "ä", "a.b.c", signer.issue(LINK)[:-2], other):
        with pytest.raises(InvalidSignatureError):
            signer.read(token)
