"""Lookups at Wix: the contact of a lead, and the keys of its labels and extended fields.

Each is looked up once and then cached in the database. A key is never derived from a name
(CONTRACT.md sections 9.3 and 10.3).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, select

from formapp.db.database import Database, upsert
from formapp.db.tables import contacts, deliveries, wix_keys
from formapp.delivery.claims import Claim
from formapp.delivery.decide import Found, Keys, same_number
from formapp.delivery.sites import RateLimitedClient
from formapp.lead import ExtendedField, Lead
from formapp.wix import Contact, NotFoundError, normalise_email

SKEW = timedelta(minutes=1)
"""How far Wix's clock may be behind ours."""

Kind = Literal["label", "field"]


class WrongDataTypeError(Exception):
    """An extended field exists at Wix with another data type than in the form file."""

    def __init__(self, name: str, wanted: str, held: str | None) -> None:
        super().__init__(
            f'the extended field "{name}" has the data type {held} at Wix, the form says {wanted}: '
            "correct data_type in the form file, or use another field, then retry",
        )


# The contact. Each function raises `WixError` where a call does not succeed.


def find_contact(client: RateLimitedClient, cache: "ContactCache", claim: Claim) -> Found:
    """Find the contact: after an update of unknown outcome, the one that it was sent to."""
    lead, intent = claim.lead, claim.intent
    if intent and intent.contact_id and (found := reread(client, cache, lead, intent.contact_id)):
        return found
    identity = lead.email_identity or lead.phone_identity
    if identity is None:
        return _own_creation(client, cache, claim)
    cached = cache.contact(claim.site, identity)
    if cached and (found := reread(client, cache, lead, cached)):
        return found
    return find_duplicate(client, lead)


def _own_creation(client: RateLimitedClient, cache: "ContactCache", claim: Claim) -> Found:
    """Find what an earlier create of a lead with a name alone has made.

    Such a contact is never a duplicate (section 11.2): a create whose response was lost would be
    repeated and make a second one. A contact that another delivery made is left out.
    """
    lead, intent = claim.lead, claim.intent
    parts = {"first": lead.first_name, "last": lead.last_name}
    names = {f"info.name.{part}": text.value for part, text in parts.items() if text}
    if intent is None or intent.operation != "create" or not names:
        return Found()
    since = (intent.since - SKEW).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    rows = client.wix.contacts.query({**names, "createdDate": {"$gte": since}}, fieldsets=["FULL"])
    candidates = [row for row in rows if not (row.info.emails or row.info.phones)]
    others = cache.delivered_to(claim.site, [row.id for row in candidates])
    return Found(next((row for row in candidates if row.id not in others), None))


def reread(
    client: RateLimitedClient, cache: "ContactCache", lead: Lead, contact_id: str
) -> Found | None:
    """Get the contact; if it is gone or another person's now, forget it and return None."""
    try:
        contact = client.wix.contacts.get(contact_id).contact
    except NotFoundError:
        found = None
    else:
        found = match(contact, lead)
    if found is None:
        cache.forget_contact(client.site, contact_id)
    return found


def match(contact: Contact, lead: Lead) -> Found | None:
    """The contact as a match of this lead; None if it has neither its e-mail nor its phone."""
    if lead.email_identity:
        held = {normalise_email(email.address) for email in contact.info.emails}
        return Found(contact, "email") if lead.email_identity in held else None
    phones = contact.info.phones
    if lead.phones and any(same_number(phone, lead.phones[0]) for phone in phones):
        return Found(contact, "phone")
    return None


def find_duplicate(client: RateLimitedClient, lead: Lead) -> Found:
    """Find Duplicate Contact, in one call."""
    email, phone = lead.email, lead.phones[0] if lead.phones else None
    duplicate = client.wix.find_duplicate(
        email=email.address if email else None,
        typed_email=email.typed if email else None,
        phone=phone.number if phone else None,
        typed_phone=phone.typed if phone else None,
        country=phone.country if phone else None,
        also_report_phone=True,
    )
    flags = []
    if duplicate.contact and duplicate.others:
        ids = ", ".join(duplicate.others)
        flags.append(f"other contacts have this e-mail or phone, too: {ids}")
    return Found(duplicate.contact, duplicate.matched_by, tuple(flags))


class ContactCache:
    """Which contact a person is, as deliveries have found out. For all sites of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def contact(self, site: str, identity: str) -> str | None:
        """The id of the contact of this person's last delivery."""
        mine = (contacts.c.site == site) & (contacts.c.identity == identity)
        with self._database.read() as connection:
            return connection.execute(select(contacts.c.contact_id).where(mine)).scalar()

    def forget_contact(self, site: str, contact_id: str) -> None:
        """Forget a contact that is gone."""
        gone = (contacts.c.site == site) & (contacts.c.contact_id == contact_id)
        with self._database.write() as connection:
            connection.execute(delete(contacts).where(gone))

    def delivered_to(self, site: str, contact_ids: Iterable[str]) -> set[str]:
        """Those of these contacts that a delivery has ended with."""
        query = select(deliveries.c.contact_id).where(
            deliveries.c.site == site,
            deliveries.c.contact_id.in_(list(contact_ids)),
        )
        with self._database.read() as connection:
            return set(connection.execute(query).scalars())


def remember_contact(  # noqa: PLR0913 - a row
    connection: Connection,
    site: str,
    identity: str,
    contact_id: str,
    at: datetime,
    *,
    overwrite: bool = True,
) -> None:
    """Remember which contact a person is, in the caller's transaction."""
    who = {"site": site, "identity": identity}
    values = {"contact_id": contact_id, "updated_at": at}
    changes = values if overwrite else {"identity": identity}
    upsert(connection, contacts, who, values, changes=changes)


class KeyCache:
    """The keys of labels and extended fields. For all sites of one database.

    Attributes:
        created: how many labels and fields were created at Wix.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.created = 0

    def keys_for(self, client: RateLimitedClient, lead: Lead) -> Keys:
        """The keys of the lead's labels and extended fields, found or created where unknown.

        Raises:
            WixError: a call did not succeed.
            WrongDataTypeError: a field has another data type than the lead's value.
        """
        return Keys(labels=self._labels(client, lead), fields=self._fields(client, lead))

    def renew(self, client: RateLimitedClient, lead: Lead) -> Keys:
        """Forget the lead's keys and find them anew; raises as `keys_for`."""
        names = {*lead.labels, *(each.name for each in lead.extended_fields)}
        mine = (wix_keys.c.site == client.site) & wix_keys.c.name.in_(names)
        with self._database.write() as connection:
            connection.execute(delete(wix_keys).where(mine))
        return self.keys_for(client, lead)

    def _labels(self, client: RateLimitedClient, lead: Lead) -> dict[str, str]:
        if not lead.labels:
            return {}
        cached = self.cached(client.site, "label")
        return {
            name: cached[name][0] if name in cached else self._find_label(client, name)
            for name in lead.labels
        }

    def _find_label(self, client: RateLimitedClient, name: str) -> str:
        label, is_new = client.wix.labels.find_or_create(name)
        self.created += is_new
        self.remember_key(client.site, "label", name, label.key)
        return label.key

    def _fields(self, client: RateLimitedClient, lead: Lead) -> dict[str, str]:
        if not lead.extended_fields:
            return {}
        cached = self.cached(client.site, "field")
        keys = {}
        for wanted in lead.extended_fields:
            key, data_type = cached.get(wanted.name, ("", None))
            # A field of another type may have been deleted and created again since: look it up.
            if data_type != wanted.data_type:
                key = self._find_field(client, wanted)
            keys[wanted.name] = key
        return keys

    def _find_field(self, client: RateLimitedClient, wanted: ExtendedField) -> str:
        found, is_new = client.wix.extended_fields.find_or_create(wanted.name, wanted.data_type)
        self.created += is_new
        # A response without a type doesn't contradict the requested one.
        data_type = found.data_type or wanted.data_type
        self.remember_key(client.site, "field", wanted.name, found.key, data_type)
        if data_type != wanted.data_type:
            raise WrongDataTypeError(wanted.name, wanted.data_type, data_type)
        return found.key

    def cached(self, site: str, kind: Kind) -> dict[str, tuple[str, str | None]]:
        """Display name to key and data type (None for labels)."""
        mine = (wix_keys.c.site == site) & (wix_keys.c.kind == kind)
        with self._database.read() as connection:
            rows = connection.execute(select(wix_keys).where(mine)).all()
        return {row.name: (row.key, row.data_type) for row in rows}

    def remember_key(
        self, site: str, kind: Kind, name: str, key: str, data_type: str | None = None
    ) -> None:
        """Remember a key; the last writer wins."""
        which = {"site": site, "kind": kind, "name": name}
        with self._database.write() as connection:
            upsert(connection, wix_keys, which, {"key": key, "data_type": data_type})
