"""Verbs for labels (contract section 9)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from formapp.wix import operations as ops
from formapp.wix.answers import Answer
from formapp.wix.auth import Site
from formapp.wix.bodies import SortOrder
from formapp.wix.definitions import Label
from formapp.wix.errors import NotFound
from formapp.wix.paging import OLDEST_FIRST, Page
from formapp.wix.parsing import unwrap


class FoundLabel(NamedTuple):
    """Answer of Find Or Create Label; store the label's key (contract section 9.3)."""

    label: Label
    is_new: bool


def _label(answer: Answer) -> Label:
    return answer.read(lambda body: Label.parse(unwrap(body, "label", "key")))


def _page(answer: Answer) -> Page[Label]:
    return answer.read(lambda body: Page.parse(body, "labels", Label.parse))


def _in(language: str | None) -> dict[str, str]:
    """The language for translated names of system labels, where one is asked for."""
    return {"language": language} if language else {}


class Labels:
    """Labels of one site. Every method raises `WixError` where it does not succeed."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def find_or_create(self, display_name: str, *, language: str | None = None) -> FoundLabel:
        """Find Or Create Label by its exact display name. Safe to repeat.

        Raises:
            QuotaReached: the site has no room for another label.
        """
        body = {"displayName": display_name, **_in(language)}
        answer = self._site.call(ops.FIND_OR_CREATE_LABEL, body=body)
        return FoundLabel(_label(answer), answer.body.get("newLabel") is True)

    def get(self, key: str, *, language: str | None = None) -> Label:
        """Get Label.

        Raises:
            NotFound: no such label.
        """
        return _label(self._site.call(ops.GET_LABEL, ident=key, query=_in(language)))

    def list(  # noqa: PLR0913 - the parts of the request, all by keyword
        self,
        *,
        label_type: str | None = None,
        namespace: str | None = None,
        starts_with: str | None = None,
        sort: tuple[str, SortOrder] = OLDEST_FIRST,
        limit: int = 1000,
        offset: int = 0,
        language: str | None = None,
    ) -> Page[Label]:
        """List Labels: one page, at most 2000 (contract section 9.4)."""
        query = {
            "labelType": label_type,
            "namespace": namespace,
            "startsWith": starts_with,
            "sort.fieldName": sort[0],
            "sort.order": sort[1],
            "paging.limit": limit,
            "paging.offset": offset,
            **_in(language),
        }
        return _page(self._site.call(ops.LIST_LABELS, query=query))

    def query(
        self,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - Wix's own word
        *,
        sort: tuple[str, SortOrder] = OLDEST_FIRST,
        limit: int = 50,
        offset: int = 0,
        language: str | None = None,
    ) -> Page[Label]:
        """Query Labels: one page, at most 1000."""
        query = {
            "filter": filter or {},
            "sort": [{"fieldName": sort[0], "order": sort[1]}],
            "paging": {"limit": limit, "offset": offset},
        }
        return _page(self._site.call(ops.QUERY_LABELS, body={"query": query, **_in(language)}))

    def rename(self, key: str, display_name: str, *, language: str | None = None) -> Label:
        """Rename Label: the display name changes, the key stays.

        Raises:
            NotFound: no such label.
        """
        body = {"label": {"key": key, "displayName": display_name}, **_in(language)}
        return _label(self._site.call(ops.RENAME_LABEL, ident=key, body=body))

    def delete(self, key: str) -> bool:
        """Delete Label, from all contacts too. False: it was not there.

        Raises:
            PreconditionFailed: a system label.
        """
        try:
            self._site.call(ops.DELETE_LABEL, ident=key)
        except NotFound:
            return False
        return True
