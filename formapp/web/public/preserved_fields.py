"""Further fields of another site's form, preserved while our own page shows its errors.

They belong to the post and must survive a correction on our page. They are hidden controls, never
part of an address: they may be answers.
"""

from collections.abc import Iterable

from formapp.forms.notes import FILE_DROPPED, Note
from formapp.forms.posted import Posted

FILE = "_file"
"""The names of files that came with the first post."""


def preserved_fields(
    posted: Posted, next_fields: Iterable[str], notes: Iterable[Note]
) -> list[tuple[str, str]]:
    """Return names and texts of formapp's own names and unknown fields, and of dropped files.

    `next_fields` are other names of `_next`.
    """
    names = ["_next", "_subject", "_replyto", *next_fields]
    pairs = [(name, text) for name in names for text in posted.values.get(name, ())]
    files = [note.get("value", "") for note in notes if note["code"] == FILE_DROPPED]
    pairs += [*posted.unknown_again(), (FILE, ", ".join(files))]
    return [(name, value) for name, value in pairs if value]
