"""What the owner should know of how a post was read; each note is kept with its submission."""

from typing import NotRequired, TypedDict


class Note(TypedDict):
    """One remark: a key of `NOTES`, and the name of the field if it is about one.

    `value` is what was sent; it is the visitor's, and erased like an answer.
    """

    code: str
    field: NotRequired[str]
    value: NotRequired[str]


CHARSET_GUESSED, FILE_DROPPED = "CHARSET_GUESSED", "FILE_DROPPED"
FILE_NAME_ONLY = "FILE_NAME_ONLY"
NOT_AN_OPTION, UNKNOWN_CUT = "NOT_AN_OPTION", "UNKNOWN_CUT"
LONGEST_NOTE = 2000
"""Longest value in characters; more of it isn't kept."""
MAX_NAME = 200
"""Longest name, in characters, of a file or of a field that the form doesn't know."""

NOTES = {
    CHARSET_GUESSED: (
        "The encoding of the text was not given, or wrong, and some letters may be wrong; it was "
        "read as"
    ),
    FILE_DROPPED: "A file was sent, which forms don't take: it was dropped",
    FILE_NAME_ONLY: (
        "Only the name of a file came, not the file: the form that sent it needs "
        'enctype="multipart/form-data"'
    ),
    NOT_AN_OPTION: "This is none of the options; nothing of it went to Wix",
    UNKNOWN_CUT: (
        "Not all of the fields that the form doesn't know are kept: 50 are, with 2,000 characters "
        "each"
    ),
}
"""Each code's text for the owner."""


def format_note(note: Note) -> str:
    field = f"{note['field']}: " if note.get("field") else ""
    value = f": “{note['value']}”" if note.get("value") else "."
    return field + NOTES.get(note["code"], note["code"]) + value
