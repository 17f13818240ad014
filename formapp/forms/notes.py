"""What the owner should know of how a post was read; each note is kept with its submission."""

from typing import NotRequired, TypedDict


class Note(TypedDict):
    """One remark.

    Attributes:
        code: a key of `NOTES`.
        field: the name of the field that it is about, if it is about one.
        value: what was sent; it is the visitor's, and erased like an answer.
    """

    code: str
    field: NotRequired[str]
    value: NotRequired[str]


LONGEST_NOTE = 2000
"""Longest value in characters; more of it isn't kept."""

NOTES = {
    "CHARSET_GUESSED": "The text was neither UTF-8 nor declared: it was read as windows-1252.",
    "NOT_AN_OPTION": "This is none of the options: nothing of it went to Wix.",
    "FILE_DROPPED": "A file was sent, which forms don't take: it was dropped.",
}
"""Each code's text for the owner."""


def format_note(note: Note) -> str:
    """Return a note as one text, with its field and what was sent."""
    field = f"{note['field']}: " if "field" in note else ""
    value = f" (“{note['value']}”)" if "value" in note else ""
    return field + NOTES.get(note["code"], note["code"]) + value
