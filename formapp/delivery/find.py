"""Lookups at Wix: the contact of a lead, and the keys of its labels and extended fields.

Each is looked up once and then cached in the database. A key is never derived from a name
(CONTRACT.md sections 9.3 and 10.3).
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Literal

from sqlalchemy import bindparam, delete, select

from formapp.db.database import Database, DatabaseUnavailableError, upsert
from formapp.db.tables import contacts, deliveries, wix_keys
from formapp.delivery.claims import SKEW, Claim
from formapp.delivery.decide import Found, Keys, same_number
from formapp.delivery.sites import (
    CALLS_PER_LEAD,
    BudgetSpentError,
    RateLimitedClient,
    StoppedError,
)
from formapp.lead import DataType, Lead
from formapp.wix import (
    Candidates,
    Contact,
    DuplicateMatch,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    Person,
    RateLimitedError,
    UnauthorizedError,
    WixError,
    normalise_email,
)

Kind = Literal["label", "field"]

Known = dict[tuple[Kind, str], tuple[str, str | None]]
"""Kind and display name to key and data type (None for labels)."""

# Built once: building one takes longer than its answer.
_KEYS = select(wix_keys).where(wix_keys.c.site == bindparam("site"))
_CONTACTS = select(contacts).where(
    contacts.c.site == bindparam("site"),
    contacts.c.identity.in_(bindparam("identities", expanding=True)),
)

_REFUSES_ALL = (RateLimitedError, UnauthorizedError, ForbiddenError)

_log = logging.getLogger(__name__)


def concerns_site(error: WixError) -> bool:
    """Whether calls for other leads would fail alike: Wix refuses all, or doesn't answer."""
    return error.retryable or isinstance(error, _REFUSES_ALL)


class WrongDataTypeError(Exception):
    """An extended field exists at Wix with another data type than in the form file."""

    def __init__(self, name: str, wanted: str, held: str | None) -> None:
        super().__init__(
            f'the extended field "{name}" has the data type {held} at Wix, the form says {wanted}: '
            "correct data_type in the form file, or use another field, then retry",
        )


# The contact. Each function raises `WixError` where a call does not succeed.


def find_contact(client: RateLimitedClient, claim: Claim) -> Found:
    """Find the contact: after an update of unknown outcome, the one that it was sent to."""
    lead, intent = claim.lead, claim.intent
    if intent and intent.contact_id and (found := reread(client, lead, intent.contact_id)):
        return found
    identity = _identity(lead)
    if identity is None:
        return _own_creation(client, claim)
    for contact_id, _ in _cached(client, [identity]).values():
        if found := reread(client, lead, contact_id):
            return found
    return find_duplicate(client, lead)


class BatchSearch:
    """The contacts of several claims' leads, found in one call once the first lead needs its one.

    It only saves calls. Where it fails or doesn't show enough, each lead is searched for by itself,
    so that a lead or a contact that Wix or formapp can't deal with holds up no other.

    Attributes:
        found: delivery id to what was found.
        refused: whether Wix refused the call's filter.
    """

    def __init__(self, client: RateLimitedClient, claims: Sequence[Claim]) -> None:
        self.found: dict[int, Found] = {}
        self.refused = False
        self._client = client
        self._claims: Sequence[Claim] = tuple(claims)

    def calls_for(self, claim: Claim) -> int:
        """How many calls a lead is likely to cost from here on."""
        return 1 if claim.delivery_id in self.found else CALLS_PER_LEAD

    def find(self, claim: Claim) -> Found | None:
        """What was found for a lead; None: it has to be searched for by itself (`find_contact`).

        Raises `WixError` where Wix refuses all calls.
        """
        claims, self._claims = self._claims, ()
        try:
            self.found = _find_batch(self._client, claims) or self.found
        except (*_REFUSES_ALL, BudgetSpentError, StoppedError, DatabaseUnavailableError):
            raise
        except WixError as error:
            self.refused = isinstance(error, InvalidRequestError)
            _log.warning("a batch of leads is searched for one by one: %s", error)
        except Exception as error:  # noqa: BLE001 - a defect must not stop all leads of the batch
            # Its type alone: the text may hold an answer.
            _log.error("a search for a batch met a defect of formapp: %s", type(error).__name__)
        return self.found.get(claim.delivery_id)


def _find_batch(client: RateLimitedClient, claims: Sequence[Claim]) -> dict[int, Found]:
    """Search for those that a search can find, if it saves a call."""
    # A write of unknown outcome is looked into by itself.
    leads = {
        claim.delivery_id: claim.lead
        for claim in claims
        if claim.intent is None and _identity(claim.lead)
    }
    if len(leads) <= 1:
        return {}
    cached = _cached(client, filter(None, map(_identity, leads.values())))
    persons = [_person(lead) for lead in leads.values() if _identity(lead) not in cached]
    ids = [contact_id for contact_id, _ in cached.values()]
    candidates = client.wix.find_candidates(persons, ids)
    found = {
        delivery_id: _among(candidates, lead, cached.get(_identity(lead) or ""))
        for delivery_id, lead in leads.items()
    }
    return {delivery_id: each for delivery_id, each in found.items() if each}


def _among(candidates: Candidates, lead: Lead, cached: tuple[str, int] | None) -> Found | None:
    """The lead's contact among those that the search shows; None if it doesn't show enough."""
    if cached:
        contact_id, revision = cached
        row = candidates.by_id.get(contact_id)
        # The search lags: without our own last write, the row may lack what must not be sent again.
        return match(row, lead) if row and row.revision >= revision else None
    duplicate = candidates.match(_person(lead))
    return _found(duplicate) if duplicate.contact or candidates.complete else None


def _identity(lead: Lead) -> str | None:
    return lead.email_identity or lead.phone_identity


def _cached(client: RateLimitedClient, identities: Iterable[str]) -> dict[str, tuple[str, int]]:
    """The contact of each person's last delivery, and its revision then (0: unknown)."""
    given = {"site": client.site, "identities": list(identities)}
    with client.database.look_up() as connection:
        rows = connection.execute(_CONTACTS, given).all()
    return {row.identity: (row.contact_id, row.revision or 0) for row in rows}


def _own_creation(client: RateLimitedClient, claim: Claim) -> Found:
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
    ids = [row.id for row in candidates]
    delivered = select(deliveries.c.contact_id).where(
        deliveries.c.site == claim.site, deliveries.c.contact_id.in_(ids)
    )
    with client.database.look_up() as connection:
        others = set(connection.scalars(delivered))
    return Found(next((row for row in candidates if row.id not in others), None))


def reread(client: RateLimitedClient, lead: Lead, contact_id: str) -> Found | None:
    """Get the contact; if it is gone or another person's now, forget it and return None."""
    try:
        contact = client.wix.contacts.get(contact_id)
    except NotFoundError:
        found = None
    else:
        found = match(contact, lead)
    if found is None:
        gone = (contacts.c.site == client.site) & (contacts.c.contact_id == contact_id)
        with client.database.write() as connection:
            connection.execute(delete(contacts).where(gone))
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
    return _found(client.wix.find_duplicate(_person(lead)))


def _person(lead: Lead) -> Person:
    email, phone = lead.email, lead.phones[0] if lead.phones else None
    return Person(
        email=email.address if email else None,
        typed_email=email.typed if email else None,
        phone=phone.number if phone else None,
        typed_phone=phone.typed if phone else None,
        country=phone.country if phone else None,
    )


def _found(duplicate: DuplicateMatch) -> Found:
    flags = []
    if duplicate.contact and duplicate.others:
        ids = ", ".join(duplicate.others)
        flags.append(f"other contacts have this e-mail or phone, too: {ids}")
    return Found(duplicate.contact, duplicate.matched_by, tuple(flags))


class KeyCache:
    """The keys of labels and extended fields; `created` counts those that were made at Wix."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.created = 0

    def keys_for(self, client: RateLimitedClient, lead: Lead) -> Keys:
        """The lead's keys, found or created where unknown; or WixError, WrongDataTypeError."""
        labels = [(name, None) for name in lead.labels]
        fields = [(each.name, each.data_type) for each in lead.extended_fields]
        known = self.cached(client.site) if labels or fields else {}
        return Keys(
            self._keys(client, "label", labels, known), self._keys(client, "field", fields, known)
        )

    def renew(self, client: RateLimitedClient, lead: Lead) -> Keys:
        """Forget the lead's keys and find them anew; raises as `keys_for`."""
        names = {*lead.labels, *(each.name for each in lead.extended_fields)}
        mine = (wix_keys.c.site == client.site) & wix_keys.c.name.in_(names)
        with self._database.write() as connection:
            connection.execute(delete(wix_keys).where(mine))
        return self.keys_for(client, lead)

    def _keys(
        self,
        client: RateLimitedClient,
        kind: Kind,
        wanted: Sequence[tuple[str, DataType | None]],
        known: Known,
    ) -> dict[str, str]:
        keys = {}
        for name, data_type in wanted:
            held = known.get((kind, name))
            # A field of another type may have been deleted and created again since: look it up.
            if held and held[1] == data_type:
                keys[name] = held[0]
            else:
                keys[name] = self._find(client, kind, name, data_type)
        return keys

    def _find(
        self, client: RateLimitedClient, kind: Kind, name: str, data_type: DataType | None
    ) -> str:
        defined = client.wix.labels if kind == "label" else client.wix.extended_fields
        found, is_new = defined.find_or_create(name, data_type)
        self.created += is_new
        # A response without a type doesn't contradict the requested one.
        held = data_type and (found.data_type or data_type)
        self.remember_key(client.site, kind, name, found.key, held)
        if data_type and held != data_type:
            raise WrongDataTypeError(name, data_type, held)
        return found.key

    def cached(self, site: str) -> Known:
        """Return the keys that are known of the site."""
        with self._database.look_up() as connection:
            rows = connection.execute(_KEYS, {"site": site}).all()
        return {(row.kind, row.name): (row.key, row.data_type) for row in rows}

    def remember_key(
        self, site: str, kind: Kind, name: str, key: str, data_type: str | None = None
    ) -> None:
        """Remember a key; the last writer wins."""
        which = {"site": site, "kind": kind, "name": name}
        with self._database.write() as connection:
            upsert(connection, wix_keys, which, {"key": key, "data_type": data_type})
