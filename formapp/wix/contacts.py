"""Calls for contacts (CONTRACT.md sections 7 and 8)."""

from collections.abc import Mapping, Sequence
from typing import Any

from formapp.wix.errors import NotFoundError
from formapp.wix.models import Contact, Fieldset, InfoBody
from formapp.wix.parsing import (
    OLDEST_FIRST,
    Page,
    list_query,
    unwrap,
)
from formapp.wix.transport import Operation, Transport

_PATH = "/contacts/v4/contacts"
_ONE = f"{_PATH}/{{contactId}}"

CREATE = Operation("createContact", "POST", _PATH)
GET = Operation("getContact", "GET", _ONE, writes=False)
UPDATE = Operation("updateContact", "PATCH", _ONE)
DELETE = Operation("deleteContact", "DELETE", _ONE)
LIST = Operation("listContacts", "GET", _PATH, writes=False)
QUERY = Operation("queryContacts", "POST", f"{_PATH}/query", writes=False)
MERGE = Operation("mergeContacts", "POST", f"{_ONE}/merge")
LABEL = Operation("labelContact", "POST", f"{_ONE}/labels")
UNLABEL = Operation("unlabelContact", "DELETE", f"{_ONE}/labels")


def _contact(body: Mapping[str, Any]) -> Contact:
    """The contact, wrapped or bare (CONTRACT.md section 7.5)."""
    return Contact.parse(unwrap(body, "contact", "id"))


def _page(body: Mapping[str, Any]) -> Page[Contact]:
    return Page.parse(body, "contacts", Contact.parse)


class Contacts:
    """Contacts of one site.

    Fieldsets and fields choose what a page shows; without them it shows everything.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, info: InfoBody) -> Contact:
        """Create Contact. Not idempotent: after `maybe_applied`, look before sending it again.

        DuplicateContactError: the e-mail, or without one the phone, is another contact's.
        """
        body = {"info": info, "allowDuplicates": False}
        return self._transport.call(CREATE, _contact, body=body)

    def get(self, contact_id: str) -> Contact:
        """Get Contact: the survivor, with another id, where it was merged away.

        ContactNotFoundError: no such contact, and it was not merged into another.
        """
        return self._transport.call(GET, _contact, resource_id=contact_id)

    def update(self, contact_id: str, revision: int, info: InfoBody) -> Contact:
        """Update Contact: parts of `info` that are not sent stay; lists are replaced whole.

        ContactAlreadyChangedError: the revision is stale. ContactNotFoundError: merged away, too.
        MemberEmailError: a site member's primary e-mail stays (CONTRACT.md section 7.3).
        """
        body = {"revision": revision, "info": info, "allowDuplicates": False}
        return self._transport.call(UPDATE, _contact, resource_id=contact_id, body=body)

    def delete(self, contact_id: str) -> bool:
        """Delete Contact, permanently. False: there was no such contact (CONTRACT.md section 7.4).

        CannotDeleteError: a member, an owner or contributor, or a billing subscription.
        """
        try:
            self._transport.call(DELETE, dict, resource_id=contact_id)
        except NotFoundError:
            return False
        return True

    def list(
        self, *, limit: int = 50, offset: int = 0, fieldsets: Sequence[Fieldset] = ()
    ) -> Page[Contact]:
        """List Contacts: one page of at most 1000, oldest first. Eventually consistent."""
        query = {**list_query(limit, offset), "fieldsets": [*fieldsets]}
        return self._transport.call(LIST, _page, query=query)

    def query(
        self,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - Wix's own word
        *,
        limit: int = 50,
        offset: int = 0,
        fieldsets: Sequence[Fieldset] = (),
        fields: Sequence[str] = (),
    ) -> Page[Contact]:
        """Query Contacts: one page, oldest first. Lags more than List (CONTRACT.md section 8.1)."""
        parts = {"filter": filter, "fieldsets": [*fieldsets], "fields": [*fields]}
        query = {
            "sort": [{"fieldName": OLDEST_FIRST[0], "order": OLDEST_FIRST[1]}],
            "paging": {"limit": limit, "offset": offset},
            **{name: part for name, part in parts.items() if part},
        }
        return self._transport.call(QUERY, _page, body={"query": query})

    def merge(self, target_id: str, revision: int, source_ids: Sequence[str]) -> Contact:
        """Merge Contacts: 1 to 5 sources into the target; deletes them permanently.

        PreconditionFailedError: a source is a member. InvalidRequestError: `ILLEGAL_MERGE`
        (CONTRACT.md section 7.5).
        """
        body = {"targetContactRevision": revision, "sourceContactIds": [*source_ids]}
        return self._transport.call(MERGE, _contact, resource_id=target_id, body=body)

    def label(self, contact_id: str, label_keys: Sequence[str]) -> Contact:
        """Label Contact: add 1 to 100 existing labels, without a revision (CONTRACT.md 7.6)."""
        body = {"labelKeys": [*label_keys]}
        return self._transport.call(LABEL, _contact, resource_id=contact_id, body=body)

    def unlabel(self, contact_id: str, label_keys: Sequence[str]) -> Contact:
        """Unlabel Contact: remove 1 to 100 labels.

        The keys are in the query, since some proxies drop the body of a DELETE (CONTRACT.md 7.6).
        """
        query = {"labelKeys": [*label_keys]}
        return self._transport.call(UNLABEL, _contact, resource_id=contact_id, query=query)
