"""Somebody who wants to learn from answers whether a person is a contact already.

Known and unknown addresses are of one length and come in a shuffled order: what the worker does
with one post may slow the next, which therefore must not be of the other kind by rule.
"""

import http.client
import json
import random
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import requests

from formapp.forms.tokens import TokenSigner
from tests.proofs.oracle.ranks import Ranks, compare
from tests.support import formfiles
from tests.support.processes import SITE, Installation
from tests.web.support import FROM_LISTED, FROM_OUR_PAGE, JSON, LISTED, URLENCODED

FORM = f"""
title = "Newsletter"
origins = ["{LISTED}"]

{formfiles.EMAIL}
[[fields]]
name = "size"
type = "number"
label = "Size"
"""
BYTES = 20
"""How often each way of posting is tried for each kind of person, besides what is timed."""

SETTINGS = {
    "LIMIT_PER_ADDRESS": "off",
    "LIMIT_PER_FORM": "off",
    # The worker shall be busy with every lead while the next ones come.
    "WIX_RATE_LIMIT": "1000000",
}
# How to post, and with what besides the e-mail: the answers to each must all be the same bytes.
WAYS = {
    "page": (FROM_OUR_PAGE, {}),
    "page, wrong": (FROM_OUR_PAGE, {"size": "big"}),
    "page, JSON": (FROM_OUR_PAGE | JSON, {}),
    "foreign": (FROM_LISTED, {}),
    "foreign, JSON": (FROM_LISTED | JSON, {}),
    "foreign, JSON, wrong": (FROM_LISTED | JSON, {"size": "big"}),
}
_OF_THE_MOMENT = re.compile(rb'(?<=name="_token")([^>]*value=")[^"]*')


@dataclass
class Asked:
    """What was learnt.

    Attributes:
        answers: by way of posting, the different answers that came: status, headers, body.
        seconds: how long each post took, of known people (True) and of unknown ones.
    """

    answers: dict[str, set[tuple[int, str, bytes]]] = field(default_factory=dict)
    seconds: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})

    def ranks(self) -> Ranks:
        """How far the times of known people can be told from the others."""
        return compare(self.seconds[True], self.seconds[False])


def write_form(folder: Path) -> str:
    """Write the form file; gives the folder for the setting `FORMS`."""
    folder.mkdir()
    (folder / "lead.toml").write_text(FORM)
    return str(folder)


def ask(installation: Installation, posts: int, seed: int) -> Asked:
    """Post so many times for people who are contacts, and as often for people who aren't."""
    draw = random.Random(seed)  # noqa: S311 - an order, no secret
    known = _contacts(installation, posts + len(WAYS) * BYTES)
    asked = Asked()
    with closing(_Client(installation)) as client:
        for way in WAYS:
            for is_known in _shuffled(draw, BYTES):
                answer, _ = client.post(way, next(known) if is_known else _address())
                asked.answers.setdefault(way, set()).add(answer)
        for is_known in _shuffled(draw, posts):
            answer, seconds = client.post("page", next(known) if is_known else _address())
            asked.answers["page"].add(answer)
            asked.seconds[is_known].append(seconds)
    return asked


def _shuffled(draw: random.Random, each: int) -> list[bool]:
    kinds = [True, False] * each
    draw.shuffle(kinds)
    return kinds


def _address() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def _contacts(installation: Installation, count: int) -> Iterator[str]:
    """Addresses of people who are made contacts, as somebody in the dashboard would."""
    url = f"{installation.sandbox}/_sandbox"
    addresses = [_address() for _ in range(count)]
    with requests.Session() as session:
        switched = session.patch(f"{url}/settings", json={"rate_limit": 0}, timeout=10)
        switched.raise_for_status()
        for address in addresses:
            info = {"emails": {"items": [{"tag": "MAIN", "email": address}]}}
            session.post(
                f"{url}/sites/{SITE}/contacts", json={"info": info}, timeout=10
            ).raise_for_status()
    return iter(addresses)


class _Client:
    """One connection to the server, which stays open."""

    def __init__(self, installation: Installation) -> None:
        self._signer = TokenSigner([installation.settings["SECRET_KEY"]])
        self._own = installation.web
        self._connection = http.client.HTTPConnection(urlsplit(self._own).netloc, timeout=30)

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def post(self, way: str, email: str) -> tuple[tuple[int, str, bytes], float]:
        """Post for this person; gives the answer without what is of the moment, and the time."""
        given, more = WAYS[way]
        answers = {"email": email, **more}
        headers = dict(given)
        if way.startswith("page"):
            headers["Origin"] = self._own
            answers["_token"] = self._signer.issue_for("lead", "000000000000", "page")
        is_json = "foreign, JSON" in way
        body = json.dumps(answers) if is_json else urlencode(answers)
        headers["Content-Type"] = "application/json" if is_json else URLENCODED
        begun = time.perf_counter()
        self._connection.request("POST", "/f/lead", body, headers)
        with self._connection.getresponse() as answer:
            content = answer.read()
            seconds = time.perf_counter() - begun
        lines = [
            f"{name}: {text}"
            for name, text in answer.getheaders()
            # A token's length varies, and the content's with it; all else of that is compared.
            if name not in {"Date", "X-Request-Id", "Content-Length"}
        ]
        seen = _OF_THE_MOMENT.sub(rb"\1", content).replace(email.encode(), b"(the e-mail)")
        return (answer.status, "\n".join(lines), seen), seconds
