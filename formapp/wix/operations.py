"""The operations of the Wix Contacts contract, section 6, as one table."""

import re
from dataclasses import dataclass
from urllib.parse import quote

_PLACEHOLDER = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        name: `operationId` of the OpenAPI file.
        method: HTTP method.
        path: path template with at most one placeholder.
        writes: whether it changes anything at Wix; some POSTs only read.
    """

    name: str
    method: str
    path: str
    writes: bool = True

    def path_for(self, ident: str | None = None) -> str:
        """The path with the placeholder filled in and percent-encoded.

        Raises:
            ValueError: the id is blank or a dot segment, which would name another resource.
        """
        if "{" not in self.path:
            return self.path
        if not ident or not ident.strip() or ident in {".", ".."}:
            raise ValueError(f"{self.name} needs an id or a key")
        segment = quote(ident, safe="")
        return _PLACEHOLDER.sub(lambda _: segment, self.path)


_CONTACTS = "/contacts/v4/contacts"
_LABELS = "/contacts/v4/labels"
_FIELDS = "/contacts/v4/extended-fields"

# Asking for a token changes nothing that a caller would have to look after.
CREATE_TOKEN = Operation("createAccessToken", "POST", "/oauth2/token", writes=False)

CREATE_CONTACT = Operation("createContact", "POST", _CONTACTS)
GET_CONTACT = Operation("getContact", "GET", f"{_CONTACTS}/{{contactId}}", writes=False)
UPDATE_CONTACT = Operation("updateContact", "PATCH", f"{_CONTACTS}/{{contactId}}")
DELETE_CONTACT = Operation("deleteContact", "DELETE", f"{_CONTACTS}/{{contactId}}")
LIST_CONTACTS = Operation("listContacts", "GET", _CONTACTS, writes=False)
QUERY_CONTACTS = Operation("queryContacts", "POST", f"{_CONTACTS}/query", writes=False)
MERGE_CONTACTS = Operation("mergeContacts", "POST", f"{_CONTACTS}/{{targetContactId}}/merge")
PREVIEW_MERGE = Operation(
    "previewMergeContacts", "POST", f"{_CONTACTS}/{{targetContactId}}/preview-merge", writes=False
)
LABEL_CONTACT = Operation("labelContact", "POST", f"{_CONTACTS}/{{contactId}}/labels")
UNLABEL_CONTACT = Operation("unlabelContact", "DELETE", f"{_CONTACTS}/{{contactId}}/labels")

BULK_LABEL = Operation(
    "bulkLabelAndUnlabelContacts", "POST", "/contacts/v4/bulk/contacts/add-remove-labels"
)
# Singular here, unlike `bulk/contacts` (contract section 6).
GET_JOB = Operation("getBulkJob", "GET", "/contacts/v4/bulk/contact/jobs/{jobId}", writes=False)
LIST_JOBS = Operation("listBulkJobs", "GET", "/contacts/v4/bulk/contact/jobs", writes=False)

FIND_OR_CREATE_LABEL = Operation("findOrCreateLabel", "POST", _LABELS)
GET_LABEL = Operation("getLabel", "GET", f"{_LABELS}/{{key}}", writes=False)
LIST_LABELS = Operation("listLabels", "GET", _LABELS, writes=False)
QUERY_LABELS = Operation("queryLabels", "POST", f"{_LABELS}/query", writes=False)
RENAME_LABEL = Operation("renameLabel", "PATCH", f"{_LABELS}/{{key}}")
DELETE_LABEL = Operation("deleteLabel", "DELETE", f"{_LABELS}/{{key}}")

FIND_OR_CREATE_FIELD = Operation("findOrCreateExtendedField", "POST", _FIELDS)
GET_FIELD = Operation("getExtendedField", "GET", f"{_FIELDS}/{{key}}", writes=False)
LIST_FIELDS = Operation("listExtendedFields", "GET", _FIELDS, writes=False)
QUERY_FIELDS = Operation("queryExtendedFields", "POST", f"{_FIELDS}/query", writes=False)
RENAME_FIELD = Operation("renameExtendedField", "PATCH", f"{_FIELDS}/{{key}}")
DELETE_FIELD = Operation("deleteExtendedField", "DELETE", f"{_FIELDS}/{{key}}")
