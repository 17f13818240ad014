"""The 25 operations: method, path and the function that answers (contract section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from formapp.sandbox.api import bulk, contacts, extended_fields, labelling, labels, merge, search

if TYPE_CHECKING:
    from collections.abc import Callable

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import Json

TOKEN_OPERATION = "createAccessToken"  # noqa: S105 - the name of an operation
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path

CONTACTS = "/contacts/v4/contacts"
BULK = "/contacts/v4/bulk"
LABELS = "/contacts/v4/labels"
FIELDS = "/contacts/v4/extended-fields"


@dataclass(frozen=True)
class Operation:
    """One operation; `name` is its operationId, `rule` a routing rule with its parameters."""

    name: str
    method: str
    rule: str
    answer: Callable[[Call], Json]


OPERATIONS = (
    Operation("createContact", "POST", CONTACTS, contacts.create_contact),
    Operation("getContact", "GET", f"{CONTACTS}/<contactId>", contacts.get_contact),
    Operation("updateContact", "PATCH", f"{CONTACTS}/<contactId>", contacts.update_contact),
    Operation("deleteContact", "DELETE", f"{CONTACTS}/<contactId>", contacts.delete_contact),
    Operation("listContacts", "GET", CONTACTS, search.list_contacts),
    Operation("queryContacts", "POST", f"{CONTACTS}/query", search.query_contacts),
    Operation("mergeContacts", "POST", f"{CONTACTS}/<targetContactId>/merge", merge.merge_contacts),
    Operation(
        "previewMergeContacts",
        "POST",
        f"{CONTACTS}/<targetContactId>/preview-merge",
        merge.preview_merge_contacts,
    ),
    Operation("labelContact", "POST", f"{CONTACTS}/<contactId>/labels", labelling.label_contact),
    Operation(
        "unlabelContact", "DELETE", f"{CONTACTS}/<contactId>/labels", labelling.unlabel_contact
    ),
    Operation(
        "bulkLabelAndUnlabelContacts",
        "POST",
        f"{BULK}/contacts/add-remove-labels",
        bulk.bulk_label_and_unlabel,
    ),
    Operation("getBulkJob", "GET", f"{BULK}/contact/jobs/<jobId>", bulk.get_bulk_job),
    Operation("listBulkJobs", "GET", f"{BULK}/contact/jobs", bulk.list_bulk_jobs),
    Operation("findOrCreateLabel", "POST", LABELS, labels.find_or_create_label),
    Operation("getLabel", "GET", f"{LABELS}/<key>", labels.get_label),
    Operation("listLabels", "GET", LABELS, labels.list_labels),
    Operation("queryLabels", "POST", f"{LABELS}/query", labels.query_labels),
    Operation("renameLabel", "PATCH", f"{LABELS}/<key>", labels.rename_label),
    Operation("deleteLabel", "DELETE", f"{LABELS}/<key>", labels.delete_label),
    Operation(
        "findOrCreateExtendedField", "POST", FIELDS, extended_fields.find_or_create_extended_field
    ),
    Operation("getExtendedField", "GET", f"{FIELDS}/<key>", extended_fields.get_extended_field),
    Operation("listExtendedFields", "GET", FIELDS, extended_fields.list_extended_fields),
    Operation(
        "queryExtendedFields", "POST", f"{FIELDS}/query", extended_fields.query_extended_fields
    ),
    Operation(
        "renameExtendedField", "PATCH", f"{FIELDS}/<key>", extended_fields.rename_extended_field
    ),
    Operation(
        "deleteExtendedField", "DELETE", f"{FIELDS}/<key>", extended_fields.delete_extended_field
    ),
)

OPERATION_NAMES = (*(one.name for one in OPERATIONS), TOKEN_OPERATION)
