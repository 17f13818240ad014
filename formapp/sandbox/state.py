"""What the sandbox knows: sites, and in each its contacts, labels, fields and jobs.

Contacts, labels, fields and jobs are kept in the form in which they go over the wire.
A stored contact body is never changed in place: every write stores another object, so a
version handed out earlier stays what it was.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Literal

from formapp.sandbox.api.contact_items import normal_email
from formapp.sandbox.options import MAX_DELAY
from formapp.sandbox.system import system_fields, system_labels

Json = dict[str, Any]
Role = Literal["member", "owner", "contributor"]

KEPT_HISTORY = 100
KEPT_GONE = 500


@dataclass
class Version:
    """A contact as it was from `since` on; body None means that it was gone."""

    since: float
    body: Json | None


@dataclass
class ContactRecord:
    """One contact with what the wire does not show.

    Attributes:
        body: The contact as it goes over the wire, in full.
        created_at: Seconds since the epoch.
        role: Set for a site member, an owner or a contributor.
        has_billing_subscription: Protects the contact from deletion.
        history: What changed, when and by which operation; oldest first.
        versions: Recent versions, oldest first, for the indexes that lag.
        gone: "deleted" or "merged" once the contact is gone.
    """

    body: Json
    created_at: float
    role: Role | None = None
    has_billing_subscription: bool = False
    history: list[Json] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    gone: str | None = None

    def emails(self) -> list[str]:
        """Return all emails, in the form in which they are compared."""
        held = self.body["info"].get("emails", {}).get("items", [])
        return [normal_email(item["email"]) for item in held]

    def seen_by_index(self, moment: float) -> Json | None:
        """Return the body that an index brought up to date at `moment` shows."""
        shown = None
        for version in self.versions:
            if version.since > moment:
                break
            shown = version.body
        return shown

    def as_json(self) -> Json:
        """Return what must survive a restart: all but the versions for lagging indexes."""
        kept = vars(self).copy()
        del kept["versions"]
        return kept

    @classmethod
    def from_json(cls, kept: Json) -> ContactRecord:
        """Return the record that `as_json` described; the indexes have caught up with it."""
        record = cls(**kept)
        record.versions = [Version(0.0, None if record.gone else record.body)]
        return record

    def remember_version(self, body: Json | None, now: float) -> None:
        """Add a version and drop those that no index can ask for any more."""
        self.versions.append(Version(now, body))
        while len(self.versions) > 1 and self.versions[1].since < now - MAX_DELAY:
            self.versions.pop(0)


class Site:
    """One Wix site. Hold `lock` while reading or writing anything in it."""

    def __init__(self, site_id: str) -> None:
        self.id = site_id
        self.lock = threading.RLock()
        self.contacts: dict[str, ContactRecord] = {}
        self.gone: dict[str, ContactRecord] = {}
        self.merged: dict[str, str] = {}
        self.labels: dict[str, Json] = system_labels()
        self.fields: dict[str, Json] = system_fields()
        self.jobs: dict[str, Json] = {}
        self.changes = 0
        self._holders: dict[str, dict[str, None]] = {}

    def store(self, record: ContactRecord, body: Json, now: float) -> None:
        """Make `body` the contact's state."""
        self._forget_emails(record)
        record.body = body
        self._note_emails(record)
        record.remember_version(body, now)
        self.contacts[body["id"]] = record
        self.changes += 1

    def remove(self, contact_id: str, how: str, now: float) -> None:
        """Take a contact out; its record stays among the gone for a while."""
        record = self.contacts.pop(contact_id)
        self._forget_emails(record)
        record.gone = how
        record.remember_version(None, now)
        self.gone[contact_id] = record
        while len(self.gone) > KEPT_GONE:
            self.gone.pop(next(iter(self.gone)))
        self.changes += 1

    def with_email(self, email: str) -> list[ContactRecord]:
        """Return the contacts that hold `email`, primary or not, in any spelling."""
        holders = self._holders.get(normal_email(email), {})
        return [self.contacts[contact_id] for contact_id in holders]

    def _note_emails(self, record: ContactRecord) -> None:
        for email in record.emails():
            self._holders.setdefault(email, {})[record.body["id"]] = None

    def _forget_emails(self, record: ContactRecord) -> None:
        for email in record.emails():
            self._holders.get(email, {}).pop(record.body["id"], None)

    def indexed(self, now: float, delay: float) -> list[Json]:
        """Return the contacts that an index with `delay` seconds of lag shows at `now`."""
        if delay <= 0:
            return [record.body for record in self.contacts.values()]
        records = [*self.gone.values(), *self.contacts.values()]
        shown = (record.seen_by_index(now - delay) for record in records)
        return [body for body in shown if body is not None]

    def rest(self) -> Json:
        """Return what must survive a restart besides the contacts and the gone."""
        return {
            "merged": self.merged,
            "labels": self.labels,
            "fields": self.fields,
            "jobs": self.jobs,
        }

    @classmethod
    def from_json(cls, site_id: str, kept: Json) -> Site:
        """Return the site that the state file describes."""
        site = cls(site_id)
        site.contacts = {key: ContactRecord.from_json(one) for key, one in kept["contacts"].items()}
        site.gone = {key: ContactRecord.from_json(one) for key, one in kept["gone"].items()}
        site.merged = kept["merged"]
        site.labels = kept["labels"]
        site.fields = kept["fields"]
        site.jobs = kept["jobs"]
        for record in site.contacts.values():
            site._note_emails(record)
        return site
