"""Bulk labelling and its jobs: what goes over the wire and what comes back."""

import json
from typing import Any

import pytest
from responses import RequestsMock

from formapp.wix import InvalidRequestError, Job, UnexpectedResponseError, WixContacts

BULK = "https://www.wixapis.com/contacts/v4/bulk"
OTHER = "77c0a1b2-0d5e-4e0a-b9ad-3d1c6f0e9a44"


def sent(api: RequestsMock) -> Any:
    return json.loads(api.calls[-1].request.body or "null")


def test_bulk_label_starts_a_job(api: RequestsMock, wix: WixContacts) -> None:
    api.post(f"{BULK}/contacts/add-remove-labels", json={"jobId": OTHER})
    job_id = wix.bulk.label(filter={"info.name.last": "Okafor"}, add=["custom.vip"])
    assert job_id == OTHER
    assert sent(api) == {
        "filter": {"info.name.last": "Okafor"},
        "labelKeysToAdd": ["custom.vip"],
        "labelKeysToRemove": [],
    }


def test_bulk_label_by_search_sends_no_filter(api: RequestsMock, wix: WixContacts) -> None:
    api.post(f"{BULK}/contacts/add-remove-labels", json={"jobId": OTHER})
    wix.bulk.label(search="Ines", remove=["custom.vip"])
    assert sent(api) == {
        "search": "Ines",
        "labelKeysToAdd": [],
        "labelKeysToRemove": ["custom.vip"],
    }


def test_bulk_label_with_neither_is_left_for_wix_to_refuse(
    api: RequestsMock, wix: WixContacts
) -> None:
    refusal = {"details": {"applicationError": {"code": "NEITHER_FILTER_NOR_SEARCH"}}}
    api.post(f"{BULK}/contacts/add-remove-labels", status=400, json=refusal)
    with pytest.raises(InvalidRequestError) as caught:
        wix.bulk.label(add=["custom.vip"])
    assert caught.value.code == "NEITHER_FILTER_NOR_SEARCH"


TYPED = {"successTotal": 3, "failedTotal": 1, "errors": [{"count": 1, "code": "X"}]}
PRINTED = {"processedCount": 3, "failedCount": 1, "errors": [{"count": 1, "errorCode": "X"}]}


@pytest.mark.parametrize("spelling", [TYPED, PRINTED])
def test_a_job_reads_alike_in_both_spellings(
    api: RequestsMock, wix: WixContacts, spelling: dict[str, Any]
) -> None:
    job = {"id": OTHER, "type": "ADD_REMOVE_LABELS", "status": "COMPLETED", "totalItems": 4}
    api.get(f"{BULK}/contact/jobs/{OTHER}", json={"job": job | spelling})
    read = wix.bulk.job(OTHER)
    assert (read.total, read.succeeded, read.failed) == (4, 3, 1)
    assert [(error.count, error.code) for error in read.errors] == [(1, "X")]
    assert read.status == "COMPLETED"


def test_jobs_are_listed(api: RequestsMock, wix: WixContacts) -> None:
    api.get(f"{BULK}/contact/jobs", json={"jobs": [{"id": OTHER, "status": "NEW"}]})
    assert wix.bulk.jobs() == (Job(OTHER, status="NEW"),)


@pytest.mark.parametrize("body", [{}, {"jobs": None}, {"jobs": [{}]}])
def test_a_200_without_jobs_is_unexpected(
    api: RequestsMock, wix: WixContacts, body: dict[str, Any]
) -> None:
    api.get(f"{BULK}/contact/jobs", json=body)
    with pytest.raises(UnexpectedResponseError) as caught:
        wix.bulk.jobs()
    assert not caught.value.maybe_applied
