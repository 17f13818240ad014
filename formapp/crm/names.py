"""The names that a book's file may map: Wix's fields and CardDAV's."""

EXTENDED = "extended."
"""Begins the name of an extended field of Wix; its display name follows."""

SETS = ("addresses", "emails", "phones")
"""Fields that hold several values, of Wix and of CardDAV alike."""

WIX_FIELDS = (
    "name.first",
    "name.last",
    "company",
    "jobTitle",
    "birthdate",
    "locale",
    "email",
    "phone",
    *SETS,
)
"""What `[[fields]]` may name as `wix`, beside extended fields."""

CARDDAV_FIELDS = (
    "given_name",
    "family_name",
    "full_name",
    "org",
    "title",
    "birthday",
    "email",
    "phone",
    *SETS,
    "note",
)
"""What `[[fields]]` may name as `crm` for this system, beside `x.<NAME>` for a line `X-NAME`."""
