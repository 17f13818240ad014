"""Odd addresses of the inbox: no error, on either database."""

import pytest

from tests.web.owner.inbox import PASSWORD, Person, send, signed_in
from tests.web.support import SiteMaker

ODD = (
    *("/leads?state=failed&form=%00", "/leads?state=failed&site=%00", "/leads?after=%00"),
    *("/leads?form=lead&form=%00&outcome=created", "/leads?search=%00&form=%00"),
    *("/export?state=failed&form=%00", "/export/leads.jsonl?state=failed&form=%00"),
    "/leads?" + "&".join(["state=failed"] * 600),
    "/leads?" + "&".join(["outcome=created"] * 600),
)


@pytest.mark.parametrize("site_kind", ["sqlite", "postgresql"])
def test_no_address_of_the_inbox_makes_an_error(make_site: SiteMaker) -> None:
    site = make_site(OWNER_PASSWORD=PASSWORD)
    send(site)
    person = signed_in(site)
    for path in ODD:
        assert person.get(f"/inbox{path}").status_code == 200, path[:80]
    for path in ("/export/%00.csv", "/export/a%0d%0ab.csv", "/forms/%00", "/leads/%00"):
        assert person.get(f"/inbox{path}").status_code == 404, path
    for name in ("a\0b", "\0", "x" * 10_000):
        assert Person(site).sign_in(name, PASSWORD).status_code == 422, name[:10]
