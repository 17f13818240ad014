"""Verbs for contacts (contract sections 7 and 8)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from formapp.wix import operations as ops
from formapp.wix.auth import Site
from formapp.wix.errors import NotFoundError
from formapp.wix.models import (
    MAX_PAGE,
    OLDEST_FIRST,
    Contact,
    Fieldset,
    InfoBody,
    Page,
    SortOrder,
    text,
    unwrap,
    walk,
)
from formapp.wix.transport import Answer


class GotContact(NamedTuple):
    """Answer of Get Contact.

    Attributes:
        contact: its id differs from the one asked for when that one was merged away.
        response_type: REGULAR, MERGED or IMPLICIT; an open list.
    """

    contact: Contact
    response_type: str

    @property
    def merged(self) -> bool:
        """Whether the id asked for was merged away."""
        return self.response_type == "MERGED"


def _contact(answer: Answer) -> Contact:
    """The contact, wrapped or bare (contract section 7.5)."""
    return answer.read(lambda body: Contact.parse(unwrap(body, "contact", "id")))


def _page(answer: Answer) -> Page[Contact]:
    return answer.read(lambda body: Page.parse(body, "contacts", Contact.parse))


def _given(**parts: object) -> dict[str, Any]:
    """The parts that were given; an empty list counts as not given."""
    return {key: value for key, value in parts.items() if value is not None and value != []}


class Contacts:
    """Contacts of one site. Every method raises `WixError` where it does not succeed."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def create(self, info: InfoBody, *, allow_duplicates: bool = False) -> Contact:
        """Create Contact. Not idempotent: after `maybe_applied`, look before sending it again.

        Raises:
            DuplicateContactError: the e-mail, or without one the phone, is another contact's.
            InvalidRequestError: Wix refuses the data.
        """
        body = {"info": info, "allowDuplicates": allow_duplicates}
        return _contact(self._site.call(ops.CREATE_CONTACT, body=body))

    def get(
        self,
        contact_id: str,
        *,
        fieldsets: Sequence[Fieldset] = (),
        fields: Sequence[str] = (),
    ) -> GotContact:
        """Get Contact; everything unless fieldsets or fields narrow it.

        Raises:
            ContactNotFoundError: no such contact, nor one that it was merged into.
        """
        query = _given(fields=list(fields), fieldsets=list(fieldsets))
        answer = self._site.call(ops.GET_CONTACT, ident=contact_id, query=query)
        kind = text(answer.body.get("responseType")) or "REGULAR"
        return GotContact(_contact(answer), kind)

    def update(
        self, contact_id: str, revision: int, info: InfoBody, *, allow_duplicates: bool = False
    ) -> Contact:
        """Update Contact: the parts of `info` that are sent; lists replace whole (7.3).

        Raises:
            ContactAlreadyChangedError: the revision is stale.
            DuplicateContactError: the contact would take another's e-mail or phone.
            MemberEmailError: the primary e-mail of a site member.
            ContactNotFoundError: unknown or merged away.
        """
        body = {"revision": revision, "info": info, "allowDuplicates": allow_duplicates}
        return _contact(self._site.call(ops.UPDATE_CONTACT, ident=contact_id, body=body))

    def delete(self, contact_id: str) -> bool:
        """Delete Contact, for good. True: deleted; False: it was not there (404 counts as done).

        Raises:
            CannotDeleteError: a member, an owner or contributor, or a billing subscription.
        """
        try:
            self._site.call(ops.DELETE_CONTACT, ident=contact_id)
        except NotFoundError:
            return False
        return True

    def list(
        self,
        *,
        sort: tuple[str, SortOrder] = OLDEST_FIRST,
        limit: int = 50,
        offset: int = 0,
        fieldsets: Sequence[Fieldset] = (),
        fields: Sequence[str] = (),
    ) -> Page[Contact]:
        """List Contacts: one page. Eventually consistent."""
        query = {
            "sort.fieldName": sort[0],
            "sort.order": sort[1],
            "paging.limit": limit,
            "paging.offset": offset,
            **_given(fields=[*fields], fieldsets=[*fieldsets]),
        }
        return _page(self._site.call(ops.LIST_CONTACTS, query=query))

    def query(  # noqa: PLR0913 - the parts of the request, all by keyword
        self,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - Wix's own word
        *,
        sort: tuple[str, SortOrder] = OLDEST_FIRST,
        limit: int = 50,
        offset: int = 0,
        fieldsets: Sequence[Fieldset] = (),
        fields: Sequence[str] = (),
        search: str | None = None,
    ) -> Page[Contact]:
        """Query Contacts: one page. Eventually consistent, and later than List (8.1)."""
        query = {
            "sort": [{"fieldName": sort[0], "order": sort[1]}],
            "paging": {"limit": limit, "offset": offset},
            **_given(filter=filter, fields=[*fields], fieldsets=[*fieldsets]),
        }
        body = {"query": query, **_given(search=search)}
        return _page(self._site.call(ops.QUERY_CONTACTS, body=body))

    def iterate(
        self,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - Wix's own word
        *,
        sort: tuple[str, SortOrder] = OLDEST_FIRST,
        page_size: int = MAX_PAGE,
        fieldsets: Sequence[Fieldset] = (),
    ) -> Iterator[Contact]:
        """All contacts of a query, page by page, each id once (contract section 8.1).

        Rows that are deleted meanwhile may make a later one slip through: offsets shift.
        """
        return walk(
            lambda offset: self.query(
                filter, sort=sort, limit=page_size, offset=offset, fieldsets=fieldsets
            ),
            page_size,
            lambda contact: contact.id,
        )

    def merge(self, target_id: str, revision: int, source_ids: Sequence[str]) -> Contact:
        """Merge Contacts: 1 to 5 sources into the target; they are deleted, for good (7.5).

        Raises:
            PreconditionFailedError: a member among the sources.
            InvalidRequestError: `ILLEGAL_MERGE`.
            ContactNotFoundError: one of them is not there.
        """
        body = {"targetContactRevision": revision, "sourceContactIds": [*source_ids]}
        return _contact(self._site.call(ops.MERGE_CONTACTS, ident=target_id, body=body))

    def preview_merge(self, target_id: str, source_ids: Sequence[str]) -> Contact:
        """Preview Merge Contacts: what the merge would give; nothing changes."""
        body = {"sourceContactIds": [*source_ids]}
        return _contact(self._site.call(ops.PREVIEW_MERGE, ident=target_id, body=body))

    def label(self, contact_id: str, label_keys: Sequence[str]) -> Contact:
        """Label Contact: add 1 to 100 existing labels, without a revision (7.6)."""
        body = {"labelKeys": [*label_keys]}
        return _contact(self._site.call(ops.LABEL_CONTACT, ident=contact_id, body=body))

    def unlabel(self, contact_id: str, label_keys: Sequence[str]) -> Contact:
        """Unlabel Contact: remove 1 to 100 labels.

        The keys go into the query: some proxies drop the body of a DELETE (7.6).
        """
        query = {"labelKeys": [*label_keys]}
        return _contact(self._site.call(ops.UNLABEL_CONTACT, ident=contact_id, query=query))
