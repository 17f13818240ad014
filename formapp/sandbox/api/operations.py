"""The 25 operations: method, path and the function that answers (CONTRACT.md section 6)."""

from collections.abc import Callable
from typing import NamedTuple

from formapp.sandbox.api import contacts, labelling, search
from formapp.sandbox.api.call import Call
from formapp.sandbox.api.definitions import FIELDS, LABELS
from formapp.sandbox.state import Json

TOKEN_OPERATION = "createAccessToken"  # noqa: S105 - the name of an operation
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path

C = "/contacts/v4/contacts"
M = f"{C}/<targetContactId>"
B = "/contacts/v4/bulk"
L = "/contacts/v4/labels"
F = "/contacts/v4/extended-fields"


class Operation(NamedTuple):
    """One operation; `name` is its operationId, `rule` its path with parameters."""

    name: str
    method: str
    rule: str
    answer: Callable[[Call], Json]


OPERATIONS = tuple(
    Operation(*row)
    for row in (
        ("createContact", "POST", C, contacts.create_contact),
        ("getContact", "GET", f"{C}/<contactId>", contacts.get_contact),
        ("updateContact", "PATCH", f"{C}/<contactId>", contacts.update_contact),
        ("deleteContact", "DELETE", f"{C}/<contactId>", contacts.delete_contact),
        ("listContacts", "GET", C, search.list_contacts),
        ("queryContacts", "POST", f"{C}/query", search.query_contacts),
        ("mergeContacts", "POST", f"{M}/merge", contacts.merge_contacts),
        ("previewMergeContacts", "POST", f"{M}/preview-merge", contacts.preview_merge),
        ("labelContact", "POST", f"{C}/<contactId>/labels", labelling.label_contact),
        ("unlabelContact", "DELETE", f"{C}/<contactId>/labels", labelling.unlabel_contact),
        (
            "bulkLabelAndUnlabelContacts",
            "POST",
            f"{B}/contacts/add-remove-labels",
            labelling.label_many,
        ),
        ("getBulkJob", "GET", f"{B}/contact/jobs/<jobId>", labelling.get_bulk_job),
        ("listBulkJobs", "GET", f"{B}/contact/jobs", labelling.list_bulk_jobs),
        ("findOrCreateLabel", "POST", L, LABELS.find_or_create),
        ("getLabel", "GET", f"{L}/<key>", LABELS.get),
        ("listLabels", "GET", L, LABELS.list_all),
        ("queryLabels", "POST", f"{L}/query", LABELS.query),
        ("renameLabel", "PATCH", f"{L}/<key>", LABELS.rename),
        ("deleteLabel", "DELETE", f"{L}/<key>", LABELS.delete),
        ("findOrCreateExtendedField", "POST", F, FIELDS.find_or_create),
        ("getExtendedField", "GET", f"{F}/<key>", FIELDS.get),
        ("listExtendedFields", "GET", F, FIELDS.list_all),
        ("queryExtendedFields", "POST", f"{F}/query", FIELDS.query),
        ("renameExtendedField", "PATCH", f"{F}/<key>", FIELDS.rename),
        ("deleteExtendedField", "DELETE", f"{F}/<key>", FIELDS.delete),
    )
)

OPERATION_NAMES = (*(one.name for one in OPERATIONS), TOKEN_OPERATION)
