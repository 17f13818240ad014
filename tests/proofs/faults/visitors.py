"""Visitors: they post leads, press the button again when nothing came back, and note receipts."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.proofs.faults.people import VISITORS, Lead, draw_lead
from tests.proofs.faults.rng import rng

ORIGIN = "https://landing.example.com"
_OK = {200, 303}
NO_ANSWER = 0
UNAVAILABLE = 503


@dataclass(slots=True)
class Sent:
    """A lead that was sent, and what the visitor got.

    Attributes:
        receipt: whether an answer said that it was kept.
        posts: how often it was posted, always under one key.
        unavailable: how often it was told that nothing could be kept (503).
        refused: an answer that should not have been.
    """

    lead: Lead
    receipt: bool = False
    posts: int = 0
    unavailable: int = 0
    refused: int | None = None


@dataclass(slots=True)
class Visitors:
    """Some visitors, each in a thread, who post until they are stopped."""

    base: str
    seed: str
    may_post: Callable[[], bool]
    count: int = VISITORS
    sent: list[Sent] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin to post."""
        for number in range(self.count):
            thread = threading.Thread(target=self._visit, args=(number,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End after the posts at hand."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _visit(self, visitor: int) -> None:
        number = 0
        with requests.Session() as session:
            while not self._stop.is_set():
                if not self.may_post():
                    self._stop.wait(0.05)
                    continue
                sent = Sent(draw_lead(self.seed, visitor, number))
                self.sent.append(sent)
                self.send(session, sent)
                number += 1

    def send(self, session: requests.Session, sent: Sent) -> None:
        """Post until there is a receipt, or the visitor has had enough."""
        draw = rng(self.seed, "visit", sent.lead.ref)
        post: Callable[[], requests.Response] | None = None
        way = draw.choice((_as_json, _as_json, _as_page, _as_page, _from_own_page))
        patience = time.monotonic() + 20
        while time.monotonic() < patience:
            try:
                post = post or way(session, self.base, sent.lead)
                sent.posts += 1
                status = post().status_code
            except requests.RequestException:
                status = NO_ANSWER
            if status in _OK:
                sent.receipt = True
                return
            if status not in {NO_ANSWER, UNAVAILABLE}:
                sent.refused = status
                return
            sent.unavailable += status == UNAVAILABLE
            if sent.posts and draw.random() < 0.1:
                return
            time.sleep(0.05)


def _as_json(session: requests.Session, base: str, lead: Lead) -> Callable[[], requests.Response]:
    """A program: JSON, with its key in a header."""
    headers = {"Accept": "application/json", "Origin": ORIGIN, "Idempotency-Key": lead.ref}
    return _poster(session, f"{base}/f/{lead.form}", headers=headers, json=lead.posted)


def _as_page(session: requests.Session, base: str, lead: Lead) -> Callable[[], requests.Response]:
    """Another site's plain form, with its key in a field."""
    data = {**lead.posted, "_id": lead.ref}
    return _poster(session, f"{base}/f/{lead.form}", headers={"Origin": ORIGIN}, data=data)


def _from_own_page(
    session: requests.Session, base: str, lead: Lead
) -> Callable[[], requests.Response]:
    """The hosted page: its token is the key."""
    page = session.get(f"{base}/f/{lead.form}", timeout=5)
    token = re.search(r'name="_token"[^>]*value="([^"]+)"', page.text)
    if not token:
        raise requests.ConnectionError("no whole page came")
    data = {**lead.posted, "_token": token[1]}
    return _poster(session, f"{base}/f/{lead.form}", data=data)


def _poster(session: requests.Session, url: str, **request: Any) -> Callable[[], requests.Response]:
    return lambda: session.post(url, timeout=10, allow_redirects=False, **request)
