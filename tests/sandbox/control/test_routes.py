"""The control path: settings, the log, sites, the dashboard, the clock."""

from __future__ import annotations

from typing import Any

import pytest

from formapp.sandbox import SettingError, Settings

C = "/contacts/v4/contacts"


def test_settings_are_read_and_changed_one_by_one(api: Any) -> None:
    before = api.control("GET", "/settings")["settings"]
    after = api.control("PATCH", "/settings", {"query_delay": 2, "rate_limit": "off"})["settings"]
    assert after == {**before, "query_delay": 2.0, "rate_limit": 0}


@pytest.mark.parametrize(
    "change",
    [
        {"nonsense": 1},
        {"rate_limit": -1},
        {"rate_limit": 1.5},
        {"rate_limit": True},
        {"rate_limit": "many"},
        {"query_delay": 301},
        {"extended_fields": "mix"},
        {"random_key_suffixes": 1},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(api: Any, change: Any) -> None:
    answer = api.client.patch("/_sandbox/settings", json={"job_delay": 5, **change})
    assert answer.status_code == 400
    assert next(iter(change)) in answer.get_json()["error"]
    assert api.control("GET", "/settings")["settings"]["job_delay"] == 0
    with pytest.raises(SettingError):
        Settings().changed(change)


def test_the_log_counts_calls_and_holds_no_query_and_no_body(api: Any) -> None:
    api.contact("secret@example.com")
    api.ok("GET", "/contacts?sort.fieldName=createdDate")
    api.refused("GET", "/contacts/unknown")
    log = api.control("GET", "/calls")
    assert log["counts"] == {"createContact": 1, "getContact": 1, "listContacts": 1}
    assert log["total"] == 3
    first = log["calls"][0]
    assert first == {
        **first,
        "site": api.site,
        "operation": "createContact",
        "method": "POST",
        "path": C,
        "status": 200,
        "fault": None,
    }
    assert log["calls"][2]["status"] == 404
    assert "secret" not in str(log)
    assert "sort" not in str(log)
    narrowed = api.control("GET", f"/calls?operation=getContact&site={api.site}")
    assert len(narrowed["calls"]) == 1
    api.control("DELETE", "/calls")
    assert api.control("GET", "/calls") == {"calls": [], "counts": {}, "total": 0}


def test_sites_are_listed_and_dropped(api: Any) -> None:
    api.contact()
    api.other_site().label("News")
    sites = api.control("GET", "/sites")["sites"]
    assert [(one["id"], one["contacts"], one["labels"]) for one in sites] == [
        (api.site, 1, 2),
        ("another-site", 0, 3),
    ]
    api.control("DELETE", f"/sites/{api.site}")
    assert [one["id"] for one in api.control("GET", "/sites")["sites"]] == ["another-site"]
    assert api.client.get(f"/_sandbox/sites/{api.site}/contacts").status_code == 404


def test_the_state_of_a_site_shows_history_and_what_is_gone(api: Any, clock: Any) -> None:
    contact = api.contact("a@example.com", company="Barco")
    clock.advance(1)
    api.update(contact, company="Lento")
    gone = api.contact(name={"first": "Gone"})
    api.ok("DELETE", f"/contacts/{gone['id']}")
    state = api.control("GET", f"/sites/{api.site}/contacts")
    history = state["contacts"][0]["history"]
    assert [entry["operation"] for entry in history] == ["createContact", "updateContact"]
    assert history[1] == {
        "time": "2025-03-04T09:20:01.000Z",
        "operation": "updateContact",
        "by": "key",
        "revision": 2,
        "changes": [{"field": "company", "before": "Barco", "after": "Lento"}],
    }
    assert [one["gone"] for one in state["gone"]] == ["deleted"]


def test_a_person_in_the_dashboard_creates_edits_and_deletes(api: Any) -> None:
    path = f"/sites/{api.site}/contacts"
    made = api.control("POST", path, {"info": {"name": {"first": "Ines"}}})["contact"]
    assert made["source"] == {"sourceType": "ADMIN"}
    edited = api.control("PATCH", f"{path}/{made['id']}", {"info": {"company": "X"}})["contact"]
    assert edited["revision"] == 2
    body = {"revision": 1, "info": {"company": "Y"}}
    refused = api.refused("PATCH", f"/contacts/{made['id']}", body)
    assert refused == (409, "CONTACT_ALREADY_CHANGED")
    bad = api.client.patch(f"/_sandbox{path}/{made['id']}", json={"info": {}})
    assert bad.status_code == 400
    history = api.control("GET", path)["contacts"][0]["history"]
    assert [entry["by"] for entry in history] == ["dashboard", "dashboard"]
    api.control("DELETE", f"{path}/{made['id']}")
    assert api.client.delete(f"/_sandbox{path}/{made['id']}").status_code == 404


def test_a_member_call_that_makes_no_sense_is_refused(api: Any) -> None:
    contact = api.contact()
    good = {"site": api.site, "contact_id": contact["id"], "role": "member"}
    for change, expected in (
        ({"role": "guest"}, 400),
        ({"contact_id": None}, 400),
        ({"contact_id": "x"}, 404),
        ({"site": "nowhere"}, 404),
    ):
        answer = api.client.post("/_sandbox/members", json={**good, **change})
        assert answer.status_code == expected
    api.control("POST", "/members", good)
    shown = api.control("POST", "/members", {**good, "role": None})
    assert shown["role"] is None
    assert "members.membershipStatus" not in str(api.get(contact["id"]))


def test_the_clock_can_be_put_forward(api: Any) -> None:
    assert api.control("GET", "/clock") == {"now": "2025-03-04T09:20:00.000Z"}
    assert api.control("POST", "/clock", {"advance": 60}) == {"now": "2025-03-04T09:21:00.000Z"}
    assert api.client.post("/_sandbox/clock", json={"advance": "x"}).status_code == 400


def test_a_reset_goes_back_to_the_start(api: Any) -> None:
    api.contact()
    api.settings(query_delay=5)
    api.control("POST", "/faults", {"kind": "status"})
    api.control("POST", "/clock", {"advance": 60})
    api.control("POST", "/reset")
    assert api.control("GET", "/sites") == {"sites": []}
    assert api.control("GET", "/faults") == {"faults": []}
    assert api.control("GET", "/settings")["settings"]["query_delay"] == 0
    assert api.control("GET", "/clock") == {"now": "2025-03-04T09:20:00.000Z"}
    assert api.control("GET", "/calls")["total"] == 0


def test_a_browser_on_another_site_cannot_change_anything(api: Any) -> None:
    for origin in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": origin}
        answer = api.client.post("/_sandbox/reset", headers=headers)
        assert answer.status_code == 403
    assert (
        api.client.get("/_sandbox/faults", headers={"Sec-Fetch-Site": "cross-site"}).status_code
        == 200
    )
    same = api.client.post("/_sandbox/reset", headers={"Sec-Fetch-Site": "same-origin"})
    assert same.status_code == 200
