"""Each call for contacts: what goes over the wire and what comes back."""

import json
from typing import Any

import pytest
from responses import RequestsMock, matchers

from formapp.wix import UnexpectedResponseError, WixContacts

URL = "https://www.wixapis.com/contacts/v4/contacts"
ID = "2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21"
OTHER = "77c0a1b2-0d5e-4e0a-b9ad-3d1c6f0e9a44"


def sent(api: RequestsMock, index: int = -1) -> Any:
    body = api.calls[index].request.body
    return json.loads(body) if body else None


def test_create_sends_the_info_and_disallows_duplicates(
    api: RequestsMock, wix: WixContacts, contact_json: dict[str, Any]
) -> None:
    api.post(URL, json={"contact": contact_json})
    contact = wix.contacts.create({"name": {"first": "Ines", "last": "Okafor"}})
    assert (contact.id, contact.revision) == (ID, 4)
    assert sent(api) == {
        "info": {"name": {"first": "Ines", "last": "Okafor"}},
        "allowDuplicates": False,
    }


def test_every_call_carries_the_headers_of_the_contract(
    api: RequestsMock, wix: WixContacts, contact_json: dict[str, Any]
) -> None:
    api.post(URL, json={"contact": contact_json})
    wix.contacts.create({})
    headers = api.calls[0].request.headers
    assert headers["Authorization"] == "IST.example-key"
    assert headers["wix-site-id"] == "5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11"
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("formapp-wix/")
    assert "wix-account-id" not in headers


@pytest.mark.parametrize("kind", [{"responseType": "REGULAR"}, {}])
def test_get_of_a_contact_that_is_itself(
    api: RequestsMock, wix: WixContacts, contact_json: dict[str, Any], kind: dict[str, str]
) -> None:
    api.get(f"{URL}/{ID}", json={"contact": contact_json, **kind})
    assert wix.contacts.get(ID).id == ID
    assert "Content-Type" not in api.calls[0].request.headers


def test_get_of_a_merged_id_returns_the_survivor(
    api: RequestsMock, wix: WixContacts, contact_json: dict[str, Any]
) -> None:
    api.get(f"{URL}/{OTHER}", json={"contact": contact_json, "responseType": "MERGED"})
    assert wix.contacts.get(OTHER).id == ID
    assert api.calls[0].request.url == f"{URL}/{OTHER}"


def test_update_sends_the_revision_and_only_the_given_parts(
    api: RequestsMock, wix: WixContacts, contact_json: dict[str, Any]
) -> None:
    contact_json["revision"] = 5
    api.patch(f"{URL}/{ID}", json={"contact": contact_json})
    assert wix.contacts.update(ID, 4, {"company": "Barco"}).revision == 5
    assert sent(api) == {"revision": 4, "info": {"company": "Barco"}, "allowDuplicates": False}


def test_delete_is_true_and_a_404_counts_as_done(api: RequestsMock, wix: WixContacts) -> None:
    api.delete(f"{URL}/{ID}", json={})
    api.delete(f"{URL}/{ID}", status=404, json={"message": "gone", "details": {}})
    assert wix.contacts.delete(ID) is True
    assert wix.contacts.delete(ID) is False


@pytest.mark.parametrize("ident", ["", " ", ".", ".."])
def test_a_blank_id_never_reaches_the_collection(
    api: RequestsMock, wix: WixContacts, ident: str
) -> None:
    with pytest.raises(ValueError, match="needs an id"):
        wix.contacts.delete(ident)
    assert len(api.calls) == 0


def test_an_id_is_one_segment_of_the_path(
    api: RequestsMock, wix: WixContacts, contact_json: dict[str, Any]
) -> None:
    api.get(f"{URL}/a%2Fb%3Fc%23d", json={"contact": contact_json})
    wix.contacts.get("a/b?c#d")
    assert str(api.calls[0].request.url).endswith("/contacts/a%2Fb%3Fc%23d")


def test_list_always_sends_a_sort_and_repeats_fieldsets(
    api: RequestsMock, wix: WixContacts, contact_json: dict[str, Any]
) -> None:
    asked = {
        "sort.fieldName": "createdDate",
        "sort.order": "ASC",
        "paging.limit": "2",
        "paging.offset": "4",
        "fieldsets": ["BASIC", "EXTENDED"],
    }
    api.get(
        URL,
        json={"contacts": [contact_json], "pagingMetadata": {"count": 1, "offset": 4, "total": 5}},
        match=[matchers.query_param_matcher(asked)],
    )
    page = wix.contacts.list(limit=2, offset=4, fieldsets=["BASIC", "EXTENDED"])
    assert [contact.id for contact in page] == [ID]
    assert (page.total, len(page)) == (5, 1)


def test_query_sends_filter_sort_as_a_list_and_paging(
    api: RequestsMock, wix: WixContacts, contact_json: dict[str, Any]
) -> None:
    api.post(f"{URL}/query", json={"contacts": [contact_json]})
    page = wix.contacts.query(
        {"info.name.last": "Okafor"},
        limit=3,
        offset=6,
        fields=["source"],
        fieldsets=["BASIC"],
    )
    assert page.items[0].id == ID
    assert page.total is None
    assert sent(api) == {
        "query": {
            "filter": {"info.name.last": "Okafor"},
            "sort": [{"fieldName": "createdDate", "order": "ASC"}],
            "paging": {"limit": 3, "offset": 6},
            "fields": ["source"],
            "fieldsets": ["BASIC"],
        },
    }


def test_query_without_anything_still_sends_a_sort(api: RequestsMock, wix: WixContacts) -> None:
    api.post(f"{URL}/query", json={"contacts": [], "pagingMetadata": {}})
    assert len(wix.contacts.query()) == 0
    assert sent(api)["query"] == {
        "sort": [{"fieldName": "createdDate", "order": "ASC"}],
        "paging": {"limit": 50, "offset": 0},
    }


@pytest.mark.parametrize("wrapped", [True, False])
def test_merge_reads_the_wrapped_and_the_bare_answer(
    api: RequestsMock, wix: WixContacts, contact_json: dict[str, Any], *, wrapped: bool
) -> None:
    api.post(f"{URL}/{ID}/merge", json={"contact": contact_json} if wrapped else contact_json)
    assert wix.contacts.merge(ID, 5, [OTHER]).id == ID
    assert sent(api) == {"targetContactRevision": 5, "sourceContactIds": [OTHER]}


def test_label_sends_the_keys_in_the_body(
    api: RequestsMock, wix: WixContacts, contact_json: dict[str, Any]
) -> None:
    api.post(f"{URL}/{ID}/labels", json={"contact": contact_json})
    assert "custom.newsletter" in wix.contacts.label(ID, ["custom.newsletter"]).info.label_keys
    assert sent(api) == {"labelKeys": ["custom.newsletter"]}


def test_unlabel_sends_the_keys_as_repeated_query_parameters_without_a_body(
    api: RequestsMock, wix: WixContacts, contact_json: dict[str, Any]
) -> None:
    asked = {"labelKeys": ["custom.a", "custom.b"]}
    api.delete(
        f"{URL}/{ID}/labels",
        json={"contact": contact_json},
        match=[matchers.query_param_matcher(asked)],
    )
    assert wix.contacts.unlabel(ID, ["custom.a", "custom.b"]).id == ID
    assert api.calls[0].request.body is None


@pytest.mark.parametrize(
    "body", [{}, {"contact": None}, {"contact": {"revision": 1}}, {"contact": {"id": ID}}]
)
def test_a_200_without_a_contact_is_unexpected_and_the_write_may_be_applied(
    api: RequestsMock, wix: WixContacts, body: dict[str, Any]
) -> None:
    api.post(URL, json=body, headers={"X-Wix-Request-Id": "req-1"})
    with pytest.raises(UnexpectedResponseError) as caught:
        wix.contacts.create({})
    assert caught.value.maybe_applied
    assert caught.value.status == 200
    assert caught.value.request_id == "req-1"


@pytest.mark.parametrize("body", [{}, {"contacts": {}}, {"contacts": [None]}])
def test_a_page_without_rows_that_can_be_read_is_unexpected(
    api: RequestsMock, wix: WixContacts, body: dict[str, Any]
) -> None:
    api.post(f"{URL}/query", json=body)
    with pytest.raises(UnexpectedResponseError) as caught:
        wix.contacts.query()
    assert not caught.value.maybe_applied
