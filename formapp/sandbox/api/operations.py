"""The 25 operations: method, path and the function that answers (CONTRACT.md section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from formapp.sandbox.api import contacts, duplicates, extended_fields, labels, search
from formapp.sandbox.api.extended_fields import FIELDS
from formapp.sandbox.api.labels import LABELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import Json

TOKEN_OPERATION = "createAccessToken"  # noqa: S105 - the name of an operation
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path

C = "/contacts/v4/contacts"
B = "/contacts/v4/bulk"
L = "/contacts/v4/labels"
F = "/contacts/v4/extended-fields"


@dataclass(frozen=True)
class Operation:
    """One operation; `name` is its operationId, `rule` its path with parameters."""

    name: str
    method: str
    rule: str
    answer: Callable[[Call], Json]


OPERATIONS = (
    Operation("createContact", "POST", C, contacts.create_contact),
    Operation("getContact", "GET", f"{C}/<contactId>", contacts.get_contact),
    Operation("updateContact", "PATCH", f"{C}/<contactId>", contacts.update_contact),
    Operation("deleteContact", "DELETE", f"{C}/<contactId>", contacts.delete_contact),
    Operation("listContacts", "GET", C, search.list_contacts),
    Operation("queryContacts", "POST", f"{C}/query", search.query_contacts),
    Operation("mergeContacts", "POST", f"{C}/<targetContactId>/merge", duplicates.merge_contacts),
    Operation(
        "previewMergeContacts",
        "POST",
        f"{C}/<targetContactId>/preview-merge",
        duplicates.preview_merge_contacts,
    ),
    Operation("labelContact", "POST", f"{C}/<contactId>/labels", labels.label_contact),
    Operation("unlabelContact", "DELETE", f"{C}/<contactId>/labels", labels.unlabel_contact),
    Operation(
        "bulkLabelAndUnlabelContacts",
        "POST",
        f"{B}/contacts/add-remove-labels",
        labels.bulk_label_and_unlabel,
    ),
    Operation("getBulkJob", "GET", f"{B}/contact/jobs/<jobId>", labels.get_bulk_job),
    Operation("listBulkJobs", "GET", f"{B}/contact/jobs", labels.list_bulk_jobs),
    Operation("findOrCreateLabel", "POST", L, labels.find_or_create),
    Operation("getLabel", "GET", f"{L}/<key>", LABELS.get),
    Operation("listLabels", "GET", L, LABELS.list_all),
    Operation("queryLabels", "POST", f"{L}/query", LABELS.query),
    Operation("renameLabel", "PATCH", f"{L}/<key>", labels.rename),
    Operation("deleteLabel", "DELETE", f"{L}/<key>", labels.delete),
    Operation("findOrCreateExtendedField", "POST", F, extended_fields.find_or_create),
    Operation("getExtendedField", "GET", f"{F}/<key>", FIELDS.get),
    Operation("listExtendedFields", "GET", F, FIELDS.list_all),
    Operation("queryExtendedFields", "POST", f"{F}/query", FIELDS.query),
    Operation("renameExtendedField", "PATCH", f"{F}/<key>", extended_fields.rename),
    Operation("deleteExtendedField", "DELETE", f"{F}/<key>", extended_fields.delete),
)

OPERATION_NAMES = (*(one.name for one in OPERATIONS), TOKEN_OPERATION)
