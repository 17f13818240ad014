"""A person who works in the inbox of a site, for the tests: signs in, reads, clicks."""

import re
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from formapp.leads.accept import keep
from formapp.users.store import Users
from tests.support.leads import lead, phone, submission, text
from tests.web.support import OWN, Site

PASSWORD = "correct horse battery"
HOSTILE = '<script>alert(1)</script>\u202e=HYPERLINK("x")\x1b[31m\'"&'


class Person:
    """Somebody with a browser: keeps cookies, follows no redirect by themselves."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._client = site.app.test_client()

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page."""
        return self._client.get(path, headers=headers, buffered=True)

    def text(self, path: str) -> str:
        """Open a page that is there, and return its HTML."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.get_data(as_text=True)

    def post(
        self, path: str, data: dict[str, Any] | None = None, *, page: str | None = None
    ) -> TestResponse:
        """Open a page with a form, and send it."""
        shown = self.get(page or path).get_data(as_text=True)
        token = re.search(r'name="csrf_token" value="([^"]+)"', shown)
        sent = {"csrf_token": token[1] if token else "", **(data or {})}
        return self.forge(path, sent)

    def forge(self, path: str, data: dict[str, Any] | None = None) -> TestResponse:
        """Send a post without opening a page before."""
        return self._client.post(path, data=data or {}, headers={"Referer": OWN}, buffered=True)

    def sign_in(self, name: str = "owner", password: str = PASSWORD) -> TestResponse:
        """Sign in on the page for it."""
        return self.post("/inbox/sign-in", {"name": name, "password": password})


def signed_in(site: Site, name: str = "owner", password: str = PASSWORD) -> Person:
    """Return somebody who has signed in."""
    person = Person(site)
    answer = person.sign_in(name, password)
    assert urlsplit(answer.headers["Location"]).path == "/inbox/leads"
    return person


def users_of(site: Site) -> Users:
    """Return the users of a site."""
    return Users(site.database)


def send(site: Site, name: str = "Ana", **more: Any) -> str:
    """Store a lead as a form does; returns its id."""
    address = more.pop("email", f"{re.sub('[^a-z]', '', name.lower()) or 'x'}@example.com")
    given = lead(
        address,
        form=more.pop("form", "lead"),
        site=more.pop("wix", "main"),
        first_name=text(name),
        phones=(phone("+442079460018", typed="020 7946 0018"),),
    )
    answers = {
        "name": name,
        "email": address,
        "phone": "020 7946 0018",
        "phone.e164": "+442079460018",
        "privacy": True,
        "message": f"{name}\nwrites",
        **more.pop("answers", {}),
    }
    return keep(site.database, submission(given, form=given.form, answers=answers, **more)).id
