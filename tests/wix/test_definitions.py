"""Each call for labels and extended fields."""

import json
from typing import Any

import pytest
from responses import RequestsMock, matchers

from formapp.wix import UnexpectedResponseError, WixContacts

LABELS = "https://www.wixapis.com/contacts/v4/labels"
FIELDS = "https://www.wixapis.com/contacts/v4/extended-fields"

LABEL = {
    "namespace": "custom",
    "namespaceDisplayName": "",
    "key": "custom.spring-regatta",
    "displayName": "Spring Regatta",
    "labelType": "USER_DEFINED",
    "createdDate": "2025-03-04T09:10:00.000Z",
    "updatedDate": "2025-03-04T09:10:00.000Z",
    "legacyId": "ignored",
}
FIELD = {
    "namespace": "custom",
    "key": "custom.boat-length",
    "displayName": "Boat Length",
    "dataType": "NUMBER",
    "fieldType": "USER_DEFINED",
    "createdDate": "2025-03-04T09:11:00.000Z",
    "updatedDate": "2025-03-04T09:11:00.000Z",
}


def sent(api: RequestsMock) -> Any:
    return json.loads(api.calls[-1].request.body or "null")


@pytest.mark.parametrize("is_new", [True, False])
def test_find_or_create_label_gives_the_label_and_whether_it_is_new(
    api: RequestsMock, wix: WixContacts, *, is_new: bool
) -> None:
    api.post(LABELS, json={"label": LABEL, "newLabel": is_new})
    label, new = wix.labels.find_or_create("Spring Regatta")
    assert label.key == "custom.spring-regatta"
    assert label.display_name == "Spring Regatta"
    assert new is is_new
    assert sent(api) == {"displayName": "Spring Regatta"}


def test_the_key_of_a_label_is_what_wix_says_and_not_what_its_name_suggests(
    api: RequestsMock, wix: WixContacts
) -> None:
    api.post(LABELS, json={"label": LABEL | {"key": "custom.zq-8vYk2"}, "newLabel": True})
    assert wix.labels.find_or_create("Spring Regatta")[0].key == "custom.zq-8vYk2"


@pytest.mark.parametrize("name", ["pagingMetadata", "metadata"])
def test_a_list_sends_sort_and_paging_and_reads_either_metadata(
    api: RequestsMock, wix: WixContacts, name: str
) -> None:
    sort = {"sort.fieldName": "createdDate", "sort.order": "ASC"}
    for offset in ("0", "1"):
        asked = {**sort, "paging.limit": "100", "paging.offset": offset}
        api.get(
            LABELS,
            json={"labels": [LABEL | {"key": offset}], name: {"count": 1, "total": 2}},
            match=[matchers.query_param_matcher(asked)],
        )
    assert [label.key for label in wix.labels.iterate()] == ["0", "1"]


def test_find_or_create_field_sends_both_name_and_type(api: RequestsMock, wix: WixContacts) -> None:
    api.post(FIELDS, json={"field": FIELD, "newField": True})
    field, new = wix.extended_fields.find_or_create("Boat Length", "NUMBER")
    assert (field.key, field.data_type, new) == ("custom.boat-length", "NUMBER", True)
    assert sent(api) == {"displayName": "Boat Length", "dataType": "NUMBER"}


def test_a_found_field_keeps_its_own_type_and_the_caller_sees_it(
    api: RequestsMock, wix: WixContacts
) -> None:
    api.post(FIELDS, json={"field": FIELD, "newField": False})
    field, new = wix.extended_fields.find_or_create("Boat Length", "TEXT")
    assert sent(api)["dataType"] == "TEXT"
    assert field.data_type == "NUMBER"
    assert new is False


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_field_is_read_wrapped_and_bare(
    api: RequestsMock, wix: WixContacts, *, wrapped: bool
) -> None:
    api.post(FIELDS, json={"field": FIELD} if wrapped else FIELD)
    field, _ = wix.extended_fields.find_or_create("Boat Length", "NUMBER")
    assert field.display_name == "Boat Length"


def test_a_listed_field_has_its_types(api: RequestsMock, wix: WixContacts) -> None:
    api.get(FIELDS, json={"fields": [FIELD]})
    (field,) = wix.extended_fields.iterate()
    assert (field.data_type, field.field_type) == ("NUMBER", "USER_DEFINED")


def test_a_label_without_a_key_is_unexpected(api: RequestsMock, wix: WixContacts) -> None:
    api.post(LABELS, json={"label": {"displayName": "A"}, "newLabel": True})
    with pytest.raises(UnexpectedResponseError):
        wix.labels.find_or_create("A")


def test_all_labels_and_fields_are_read_page_by_page(api: RequestsMock, wix: WixContacts) -> None:
    def page(offset: int) -> list[Any]:
        paging = {"paging.limit": "1", "paging.offset": str(offset)}
        return [matchers.query_param_matcher(paging, strict_match=False)]

    for offset, key in enumerate(("a", "b")):
        more = {"metadata": {"total": 2}}
        api.get(LABELS, json={"labels": [{"key": key}], **more}, match=page(offset))
        api.get(FIELDS, json={"fields": [{"key": key}], **more}, match=page(offset))
    assert [label.key for label in wix.labels.iterate(page_size=1)] == ["a", "b"]
    assert [field.key for field in wix.extended_fields.iterate(page_size=1)] == ["a", "b"]
