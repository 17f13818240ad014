"""Numbers, times, and all pages of a list."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from responses import RequestsMock

from formapp.wix import WixContacts
from formapp.wix.parsing import integer, timestamp

URL = "https://www.wixapis.com/contacts/v4/labels"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(4, 4), ("4", 4), (0, 0), (True, None), (4.0, None), ("x", None), ("٤", None), (None, None)],
)
def test_integers(value: object, expected: int | None) -> None:
    assert integer(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-03-04T09:15:30Z", datetime(2025, 3, 4, 9, 15, 30, tzinfo=UTC)),
        ("2025-03-04T09:15:30.123456789Z", datetime(2025, 3, 4, 9, 15, 30, 123456, UTC)),
        ("2025-03-04T10:15:30+01:00", datetime(2025, 3, 4, 9, 15, 30, tzinfo=UTC)),
        ("2025-03-04T09:15:30", datetime(2025, 3, 4, 9, 15, 30, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        (1741079730, None),
    ],
)
def test_timestamps_are_aware(value: object, expected: datetime | None) -> None:
    read = timestamp(value)
    assert read == expected
    assert read is None or read.utcoffset() is not None
    assert read is None or read - datetime(2025, 3, 4, tzinfo=UTC) < timedelta(days=1)


def rows(*names: str) -> list[dict[str, Any]]:
    return [{"key": name} for name in names]


def pages(*bodies: dict[str, Any]) -> Callable[[requests.PreparedRequest], Any]:
    """Answers by call; one call more than there are bodies fails the test."""
    left = list(bodies)

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps(left.pop(0))

    return answer


def offsets(api: RequestsMock) -> list[int]:
    return [
        int(parse_qs(urlsplit(str(call.request.url)).query)["paging.offset"][0])
        for call in api.calls
    ]


def test_all_pages_are_read_up_to_the_total(api: RequestsMock, wix: WixContacts) -> None:
    total = {"pagingMetadata": {"total": 3}}
    api.add_callback(
        "GET", URL, pages({"labels": rows("a", "b")} | total, {"labels": rows("c")} | total)
    )
    assert [row.key for row in wix.labels.iterate(page_size=2)] == ["a", "b", "c"]
    assert offsets(api) == [0, 2]


def test_no_page_is_asked_for_beyond_the_total(api: RequestsMock, wix: WixContacts) -> None:
    body = {"labels": rows("a", "b"), "pagingMetadata": {"total": 2}}
    api.add_callback("GET", URL, pages(body))
    assert len(list(wix.labels.iterate(page_size=2))) == 2


@pytest.mark.parametrize("flag", ["tooManyToCount", "too_many_to_count"])
def test_a_total_that_is_too_many_to_count_is_not_believed(
    api: RequestsMock, wix: WixContacts, flag: str
) -> None:
    about = {"pagingMetadata": {"total": 2, flag: True}}
    api.add_callback(
        "GET", URL, pages({"labels": rows("a", "b")} | about, {"labels": rows("c")} | about)
    )
    assert [row.key for row in wix.labels.iterate(page_size=2)] == ["a", "b", "c"]


def test_without_a_total_a_short_page_is_the_last(api: RequestsMock, wix: WixContacts) -> None:
    api.add_callback("GET", URL, pages({"labels": rows("a", "b")}, {"labels": rows("c")}))
    assert [row.key for row in wix.labels.iterate(page_size=2)] == ["a", "b", "c"]


def test_a_server_that_gives_less_than_asked_for_is_still_read_to_its_total(
    api: RequestsMock, wix: WixContacts
) -> None:
    total = {"metadata": {"total": 2}}
    api.add_callback(
        "GET", URL, pages({"labels": rows("a")} | total, {"labels": rows("b")} | total)
    )
    assert [row.key for row in wix.labels.iterate(page_size=100)] == ["a", "b"]


def test_a_row_that_comes_twice_is_given_once(api: RequestsMock, wix: WixContacts) -> None:
    api.add_callback("GET", URL, pages({"labels": rows("a", "b")}, {"labels": rows("b")}))
    assert [row.key for row in wix.labels.iterate(page_size=2)] == ["a", "b"]


def test_a_server_that_ignores_the_offset_does_not_keep_us_for_ever(
    api: RequestsMock, wix: WixContacts
) -> None:
    same = {"labels": rows("a", "b"), "pagingMetadata": {"total": 100}}
    api.add_callback("GET", URL, pages(same, same))
    assert [row.key for row in wix.labels.iterate(page_size=2)] == ["a", "b"]


def test_an_empty_page_ends_a_total_that_is_stale(api: RequestsMock, wix: WixContacts) -> None:
    api.add_callback(
        "GET",
        URL,
        pages(
            {"labels": rows("a"), "pagingMetadata": {"total": 9}},
            {"labels": [], "pagingMetadata": {"total": 9}},
        ),
    )
    assert [row.key for row in wix.labels.iterate(page_size=1)] == ["a"]
