"""Verbs for bulk labelling and its jobs (contract section 7.7)."""

from collections.abc import Mapping, Sequence
from typing import Any

from formapp.wix import operations as ops
from formapp.wix.auth import Site
from formapp.wix.definitions import Job
from formapp.wix.models import MalformedResponseError, mapping, required, unwrap


def _jobs(body: Mapping[str, Any]) -> tuple[Job, ...]:
    rows = body.get("jobs")
    if not isinstance(rows, list):
        raise MalformedResponseError("no jobs")
    return tuple(Job.parse(mapping(row)) for row in rows)


class Bulk:
    """Bulk jobs of one site. Every method raises `WixError` where it does not succeed."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def label(
        self,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - Wix's own word
        search: str | None = None,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> str:
        """Bulk Label And Unlabel Contacts: start a job for all contacts that match.

        Args:
            filter: as in a query; an empty one means every contact.
            search: plain text, at most 100 characters.
            add: keys of labels to add, at most 100.
            remove: keys of labels to remove, at most 100.

        Returns:
            The id of the job.

        Raises:
            InvalidRequestError: `NEITHER_FILTER_NOR_SEARCH`.
        """
        body: dict[str, Any] = {"labelKeysToAdd": [*add], "labelKeysToRemove": [*remove]}
        if filter is not None:
            body["filter"] = filter
        if search is not None:
            body["search"] = search
        answer = self._site.call(ops.BULK_LABEL, body=body)
        return answer.read(lambda found: required(found.get("jobId"), "jobId"))

    def job(self, job_id: str) -> Job:
        """Get Bulk Job.

        Raises:
            NotFoundError: no such job, or one no longer kept.
        """
        answer = self._site.call(ops.GET_JOB, ident=job_id)
        return answer.read(lambda body: Job.parse(unwrap(body, "job", "id")))

    def jobs(self) -> tuple[Job, ...]:
        """List Bulk Jobs: up to 100."""
        return self._site.call(ops.LIST_JOBS).read(_jobs)
