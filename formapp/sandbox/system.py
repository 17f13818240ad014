"""Labels and extended fields that every site has from the start (contract 9.1 and 10.4)."""

from __future__ import annotations

from typing import Any

SYSTEM_LABELS = {"contacts.contacted-me": "Contacted Me", "contacts.customers": "Customers"}
SYSTEM_FIELDS = {
    "contacts.displayByFirstName": "Display by first name",
    "contacts.displayByLastName": "Display by last name",
    "emailSubscriptions.subscriptionStatus": "Email subscription status",
    "emailSubscriptions.deliverabilityStatus": "Email deliverability status",
    "emailSubscriptions.effectiveEmail": "Effective email",
    "members.membershipStatus": "Membership status",
    "members.mobile": "Member's mobile",
    "invoices.vatId": "VAT id",
}


def system_labels() -> dict[str, dict[str, Any]]:
    """Return the system labels by key, as they go over the wire."""
    return {
        key: {
            "namespace": "contacts",
            "namespaceDisplayName": "",
            "key": key,
            "displayName": name,
            "labelType": "SYSTEM",
        }
        for key, name in SYSTEM_LABELS.items()
    }


def system_fields() -> dict[str, dict[str, Any]]:
    """Return the system fields by key, as they go over the wire."""
    return {
        key: {
            "namespace": key.partition(".")[0],
            "key": key,
            "displayName": name,
            "dataType": "TEXT",
            "fieldType": "SYSTEM",
            "description": name,
        }
        for key, name in SYSTEM_FIELDS.items()
    }
