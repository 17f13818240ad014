"""The state of a sandbox: its sites, what each holds, and the file that outlives a restart.

Contacts, labels, fields and jobs are stored in their wire form. A stored contact body is never
changed in place: every write stores a new object, so earlier versions stay intact.
"""

import json
import os
import secrets
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from formapp.sandbox.options import MAX_DELAY

Json = dict[str, Any]
Role = Literal["member", "owner", "contributor"]

MAX_HISTORY = 100
MAX_GONE = 500
FILE_FORMAT = 1

SYSTEM_LABELS = {"contacts.contacted-me": "Contacted Me", "contacts.customers": "Customers"}
SYSTEM_FIELDS = {
    "contacts.displayByFirstName": "Display by first name",
    "contacts.displayByLastName": "Display by last name",
    "emailSubscriptions.subscriptionStatus": "Email subscription status",
    "emailSubscriptions.deliverabilityStatus": "Email deliverability status",
    "emailSubscriptions.effectiveEmail": "Effective email",
    "members.membershipStatus": "Membership status",
    "members.mobile": "Member's mobile",
    "invoices.vatId": "VAT id",
}
"""Labels and fields of every new site, key to display name (CONTRACT.md sections 9.1, 10.4)."""

READ_ONLY_PREFIX = "ecom."
"""Deprecated system fields that CONTRACT.md section 10.4 names only by prefix."""


def normalize_email(email: str) -> str:
    """Return the form in which emails are compared (CONTRACT.md section 11.4)."""
    return email.strip().casefold()


@dataclass
class ContactRecord:
    """One contact, with what the API does not show.

    `created_at` is in seconds since the epoch. The history has one entry per change, oldest first
    (see `api.records`). `gone` is "deleted" or "merged" once the contact no longer exists.
    """

    body: Json
    created_at: float
    role: Role | None = None
    has_billing_subscription: bool = False
    history: list[Json] = field(default_factory=list)
    gone: str | None = None

    def emails(self) -> list[str]:
        items = self.body["info"].get("emails", {}).get("items", [])
        return [normalize_email(item["email"]) for item in items]


ENTITY = "wix.contacts.v4.contact"


@dataclass(frozen=True)
class Event:
    """Something that happened to a contact, for webhooks, with the identity of who caused it."""

    site_id: str
    identity: Json
    content: Json

    @property
    def type(self) -> str:
        """Such as `wix.contacts.v4.contact_created`."""
        return f"{ENTITY}_{self.content['slug']}"


class Site:
    """One Wix site. Hold `lock` while reading or writing its contents."""

    RECORDS = ("contacts", "gone")
    PLAIN = ("merged", "labels", "fields", "jobs", "sequences")

    def __init__(self, site_id: str) -> None:
        self.id = site_id
        self.lock = threading.RLock()
        self.contacts: dict[str, ContactRecord] = {}
        self.gone: dict[str, ContactRecord] = {}
        self.merged: dict[str, str] = {}
        self.labels: dict[str, Json] = {
            key: {
                "namespace": "contacts",
                "namespaceDisplayName": "",
                "key": key,
                "displayName": name,
                "labelType": "SYSTEM",
            }
            for key, name in SYSTEM_LABELS.items()
        }
        self.fields: dict[str, Json] = {
            key: {
                "namespace": key.partition(".")[0],
                "key": key,
                "displayName": name,
                "dataType": "TEXT",
                "fieldType": "SYSTEM",
                "description": name,
            }
            for key, name in SYSTEM_FIELDS.items()
        }
        self.jobs: dict[str, Json] = {}
        self.sequences: dict[str, int] = {}
        self.events: list[Event] = []
        """Those that `Sandbox.answer` has not handed to the emitter yet."""
        self.changes = 0
        self._by_email: dict[str, dict[str, None]] = {}
        self._past: deque[tuple[float, str, Json | None]] = deque()
        """Time and contact id of recent changes, with the body before, None for a new contact."""

    def store(self, record: ContactRecord, body: Json, now: float) -> None:
        """Make `body` the current state of a new or known contact."""
        self._changed(body["id"], now)
        self._unindex(record)
        record.body = body
        self._index(record)
        self.contacts[body["id"]] = record

    def remove(self, contact_id: str, reason: str, now: float) -> None:
        """Remove a contact; the latest removed ones stay in `gone`."""
        self._changed(contact_id, now)
        record = self.contacts.pop(contact_id)
        self._unindex(record)
        record.gone = reason
        self.gone[contact_id] = record
        while len(self.gone) > MAX_GONE:
            self.gone.pop(next(iter(self.gone)))

    def _changed(self, contact_id: str, now: float) -> None:
        record = self.contacts.get(contact_id)
        self._past.append((now, contact_id, record.body if record else None))
        while self._past[0][0] < now - MAX_DELAY:
            self._past.popleft()
        self.changes += 1

    def next_sequence(self, contact_id: str) -> int:
        self.sequences[contact_id] = self.sequences.get(contact_id, 0) + 1
        return self.sequences[contact_id]

    def take_events(self) -> list[Event]:
        taken, self.events = self.events, []
        return taken

    def with_email(self, email: str) -> list[ContactRecord]:
        """Return the contacts that have `email`, primary or not."""
        found = self._by_email.get(normalize_email(email), {})
        return [self.contacts[contact_id] for contact_id in found]

    def _index(self, record: ContactRecord) -> None:
        for email in record.emails():
            self._by_email.setdefault(email, {})[record.body["id"]] = None

    def _unindex(self, record: ContactRecord) -> None:
        for email in record.emails():
            self._by_email.get(email, {}).pop(record.body["id"], None)

    def indexed(self, now: float, delay: float) -> list[Json]:
        """Return the contacts as an index that lags by `delay` seconds shows them."""
        bodies = {key: record.body for key, record in self.contacts.items()}
        for time, contact_id, before in reversed(self._past):
            if time <= now - delay:
                break
            bodies.pop(contact_id, None)
            if before is not None:
                bodies[contact_id] = before
        return list(bodies.values())

    def is_system_field(self, key: str) -> bool:
        """Return whether `key` names a read-only extended field."""
        definition = self.fields.get(key)
        if definition is None:
            return key.startswith(READ_ONLY_PREFIX)
        return bool(definition["fieldType"] == "SYSTEM")

    def custom_values(self, info: Json) -> Json:
        """Return the values of the extended fields that the site defined."""
        values = info.get("extendedFields", {}).get("items", {})
        return {key: value for key, value in values.items() if not self.is_system_field(key)}

    def as_json(self) -> Json:
        saved: Json = {name: getattr(self, name) for name in self.PLAIN}
        for name in self.RECORDS:
            saved[name] = {key: vars(one) for key, one in getattr(self, name).items()}
        return saved

    @classmethod
    def from_json(cls, site_id: str, saved: Json) -> Self:
        site = cls(site_id)
        saved = {"sequences": {}, **saved}  # older files have none
        for name in cls.PLAIN:
            setattr(site, name, saved[name])
        for name in cls.RECORDS:
            setattr(site, name, {key: ContactRecord(**one) for key, one in saved[name].items()})
        for record in site.contacts.values():
            site._index(record)
        return site


class StateFileError(Exception):
    """The state file is invalid; the text names it and the reason."""


class Store:
    """All sites of a sandbox; a site exists from its first use.

    With a path the sites are loaded from that file, and `save` writes them to it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self.webhook_key: str | None = None
        """The private key of the webhooks as PEM text; it outlives a reset."""
        self._sites: dict[str, Site] = {}
        if path is not None and path.exists():
            self._sites, self.webhook_key = _load(path)
        self._start = secrets.token_hex(4)
        self._epoch = 0
        self._saved_version: str | None = None

    def site(self, site_id: str) -> Site:
        """Return a site, created if needed."""
        with self._lock:
            return self._sites.setdefault(site_id, Site(site_id))

    def sites(self) -> list[Site]:
        with self._lock:
            return list(self._sites.values())

    def drop(self, site_id: str | None = None) -> None:
        """Drop one site, or all of them."""
        with self._lock:
            self._epoch += 1
            if site_id is None:
                self._sites.clear()
            else:
                self._sites.pop(site_id, None)

    def keep_webhook_key(self, pem: str) -> None:
        with self._lock:
            self.webhook_key = pem
            self._epoch += 1
        self.save()

    def version(self) -> str:
        """Return a text that differs after every change."""
        with self._lock:
            changes = (str(site.changes) for site in self._sites.values())
            return "-".join([self._start, str(self._epoch), *changes])

    def save(self) -> None:
        """Return once all changes so far are in the file.

        Requests that wait at the same time share one write: the first saves the changes of all.
        """
        if self._path is None:
            return
        with self._saving:
            version = self.version()
            if version != self._saved_version:
                self._write(self._path)
                self._saved_version = version

    def _write(self, path: Path) -> None:
        """Replace the file atomically.

        There is no fsync: a killed process loses nothing that the system has accepted, and a
        stand-in need not survive a power cut.
        """
        texts = []
        for site in self.sites():
            with site.lock:
                texts.append(f"{json.dumps(site.id)}: {json.dumps(site.as_json())}")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)  # whatever the umask and an older file say
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            key = f', "webhook_key": {json.dumps(self.webhook_key)}' if self.webhook_key else ""
            file.write(f'{{"format": {FILE_FORMAT}, "sites": {{{", ".join(texts)}}}{key}}}\n')
        temporary.replace(path)


def _load(path: Path) -> tuple[dict[str, Site], str | None]:
    try:
        saved = json.loads(path.read_bytes())
        if saved["format"] == FILE_FORMAT:
            sites = {key: Site.from_json(key, one) for key, one in saved["sites"].items()}
            return sites, saved.get("webhook_key")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # Only the type of the error: its text could quote a contact.
        raise StateFileError(
            f"{path} is not a state file of the sandbox ({type(error).__name__})"
        ) from error
    raise StateFileError(f"{path} has a format that this sandbox does not know")
