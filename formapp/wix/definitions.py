"""Labels, extended fields and bulk jobs, as Wix answers them (contract 7.7, 9, 10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from formapp.wix.parsing import array, mapping, moment, required, text, whole


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
            MalformedAnswerError: no key.
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
            MalformedAnswerError: no key.
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
            MalformedAnswerError: no id.
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
