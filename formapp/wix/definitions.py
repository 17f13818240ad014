"""Labels, extended fields and bulk jobs, as Wix answers them (contract 7.7, 9, 10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self

from formapp.wix import operations as ops
from formapp.wix.auth import Site
from formapp.wix.errors import NotFoundError
from formapp.wix.models import (
    OLDEST_FIRST,
    DataType,
    Page,
    SortOrder,
    array,
    mapping,
    moment,
    required,
    text,
    unwrap,
    whole,
)
from formapp.wix.transport import Answer


@dataclass(frozen=True, slots=True)
class Label:
    """One label. The key never changes and is never derived from the name (contract 9.3)."""

    key: str
    display_name: str
    namespace: str | None = None
    label_type: str | None = None
    created_date: datetime | None = None
    updated_date: datetime | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read the JSON object of a label.

        Raises:
            MalformedResponseError: no key.
        """
        return cls(
            key=required(raw.get("key"), "key"),
            display_name=text(raw.get("displayName")) or "",
            namespace=text(raw.get("namespace")),
            label_type=text(raw.get("labelType")),
            created_date=moment(raw.get("createdDate")),
            updated_date=moment(raw.get("updatedDate")),
        )


@dataclass(frozen=True, slots=True)
class ExtendedField:
    """One extended field. `data_type` is TEXT, NUMBER, DATE or URL, set once (contract 10.1)."""

    key: str
    display_name: str
    data_type: str | None = None
    field_type: str | None = None
    namespace: str | None = None
    description: str | None = None
    created_date: datetime | None = None
    updated_date: datetime | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read the JSON object of an extended field.

        Raises:
            MalformedResponseError: no key.
        """
        return cls(
            key=required(raw.get("key"), "key"),
            display_name=text(raw.get("displayName")) or "",
            data_type=text(raw.get("dataType")),
            field_type=text(raw.get("fieldType")),
            namespace=text(raw.get("namespace")),
            description=text(raw.get("description")),
            created_date=moment(raw.get("createdDate")),
            updated_date=moment(raw.get("updatedDate")),
        )


@dataclass(frozen=True, slots=True)
class JobError:
    """Contacts of a bulk job that failed for one reason."""

    count: int
    code: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """One bulk job; its two spellings (contract section 7.7) read alike."""

    id: str
    type: str | None = None
    status: str | None = None
    started_date: datetime | None = None
    finished_date: datetime | None = None
    total: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    errors: tuple[JobError, ...] = ()

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read the JSON object of a job.

        Raises:
            MalformedResponseError: no id.
        """
        return cls(
            id=required(raw.get("id"), "id"),
            type=text(raw.get("type")),
            status=text(raw.get("status")),
            started_date=moment(raw.get("startedDate")),
            finished_date=moment(raw.get("finishedDate")),
            total=whole(raw.get("totalItems")),
            succeeded=whole(raw.get("successTotal", raw.get("processedCount"))),
            failed=whole(raw.get("failedTotal", raw.get("failedCount"))),
            errors=tuple(_job_error(mapping(error)) for error in array(raw.get("errors"))),
        )


def _job_error(raw: Mapping[str, Any]) -> JobError:
    return JobError(whole(raw.get("count")) or 0, text(raw.get("code", raw.get("errorCode"))))


class FoundLabel(NamedTuple):
    """Answer of Find Or Create Label; store the label's key (contract section 9.3)."""

    label: Label
    is_new: bool


def _label(answer: Answer) -> Label:
    return answer.read(lambda body: Label.parse(unwrap(body, "label", "key")))


def _label_page(answer: Answer) -> Page[Label]:
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
            QuotaReachedError: the site has no room for another label.
        """
        body = {"displayName": display_name, **_in(language)}
        answer = self._site.call(ops.FIND_OR_CREATE_LABEL, body=body)
        return FoundLabel(_label(answer), answer.body.get("newLabel") is True)

    def get(self, key: str, *, language: str | None = None) -> Label:
        """Get Label.

        Raises:
            NotFoundError: no such label.
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
        return _label_page(self._site.call(ops.LIST_LABELS, query=query))

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
        return _label_page(
            self._site.call(ops.QUERY_LABELS, body={"query": query, **_in(language)})
        )

    def rename(self, key: str, display_name: str, *, language: str | None = None) -> Label:
        """Rename Label: the display name changes, the key stays.

        Raises:
            NotFoundError: no such label.
        """
        body = {"label": {"key": key, "displayName": display_name}, **_in(language)}
        return _label(self._site.call(ops.RENAME_LABEL, ident=key, body=body))

    def delete(self, key: str) -> bool:
        """Delete Label, from all contacts too. False: it was not there.

        Raises:
            PreconditionFailedError: a system label.
        """
        try:
            self._site.call(ops.DELETE_LABEL, ident=key)
        except NotFoundError:
            return False
        return True


class FoundField(NamedTuple):
    """Answer of Find Or Create Extended Field; check the field's data type (contract 10.2)."""

    field: ExtendedField
    is_new: bool


def _field(answer: Answer) -> ExtendedField:
    """The field, wrapped or bare (contract section 10.5)."""
    return answer.read(lambda body: ExtendedField.parse(unwrap(body, "field", "key")))


def _field_page(answer: Answer) -> Page[ExtendedField]:
    return answer.read(lambda body: Page.parse(body, "fields", ExtendedField.parse))


class ExtendedFields:
    """Extended fields of one site. Every method raises `WixError` where it does not succeed."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def find_or_create(self, display_name: str, data_type: DataType = "TEXT") -> FoundField:
        """Find Or Create Extended Field by its exact display name. Safe to repeat.

        A field that is found keeps its own data type, whatever was asked for.

        Raises:
            QuotaReachedError: the site has 100 custom fields.
        """
        body = {"displayName": display_name, "dataType": data_type}
        answer = self._site.call(ops.FIND_OR_CREATE_FIELD, body=body)
        return FoundField(_field(answer), answer.body.get("newField") is True)

    def get(self, key: str) -> ExtendedField:
        """Get Extended Field.

        Raises:
            NotFoundError: no such field.
        """
        return _field(self._site.call(ops.GET_FIELD, ident=key))

    def list(  # noqa: PLR0913 - the parts of the request, all by keyword
        self,
        *,
        field_type: str | None = None,
        namespace: str | None = None,
        starts_with: str | None = None,
        sort: tuple[str, SortOrder] = OLDEST_FIRST,
        limit: int = 100,
        offset: int = 0,
    ) -> Page[ExtendedField]:
        """List Extended Fields: one page; the largest limit is not published."""
        query = {
            "fieldType": field_type,
            "namespace": namespace,
            "startsWith": starts_with,
            "sort.fieldName": sort[0],
            "sort.order": sort[1],
            "paging.limit": limit,
            "paging.offset": offset,
        }
        return _field_page(self._site.call(ops.LIST_FIELDS, query=query))

    def query(
        self,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - Wix's own word
        *,
        sort: tuple[str, SortOrder] = OLDEST_FIRST,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[ExtendedField]:
        """Query Extended Fields: one page."""
        query = {
            "filter": filter or {},
            "sort": [{"fieldName": sort[0], "order": sort[1]}],
            "paging": {"limit": limit, "offset": offset},
        }
        return _field_page(self._site.call(ops.QUERY_FIELDS, body={"query": query}))

    def rename(self, key: str, display_name: str) -> ExtendedField:
        """Rename Extended Field: the display name changes, the key stays.

        Raises:
            NotFoundError: no such field.
        """
        body = {"field": {"key": key, "displayName": display_name}}
        return _field(self._site.call(ops.RENAME_FIELD, ident=key, body=body))

    def delete(self, key: str) -> bool:
        """Delete Extended Field, with its values on all contacts. False: it was not there.

        Raises:
            PreconditionFailedError: a system field.
        """
        try:
            self._site.call(ops.DELETE_FIELD, ident=key)
        except NotFoundError:
            return False
        return True
