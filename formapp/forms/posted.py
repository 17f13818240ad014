"""The names that come with a post: which came too often, which nobody knows."""

from werkzeug.datastructures import MultiDict

from formapp.forms.definition import FormDefinition

RESERVED = ("_token", "_gotcha", "_next", "_subject", "_replyto", "_id")
"""Names of formapp's own; no field's name begins with `_`."""


def repeated(
    definition: FormDefinition, posted: MultiDict[str, str], lists: frozenset[str]
) -> list[str]:
    """Return the single-valued names that came more than once or as a JSON list (`lists`)."""
    single = [field.name for field in definition.fields if field.type != "checkboxes"]
    return [name for name in (*single, *RESERVED) if name in lists or len(posted.getlist(name)) > 1]


def unknown(definition: FormDefinition, posted: MultiDict[str, str]) -> int:
    """Return how many names are neither fields nor formapp's own."""
    known = {field.name for field in definition.fields}.union(RESERVED)
    return len(set(posted) - known)
