"""Links in an owner's texts, as in Markdown: `[privacy policy](https://www.example.com/privacy)`.

They are for labels, help, introductions, thanks and consents. Where a text can't have a link, as in
an error message, its words remain; a stored consent has the address as well.
"""

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

_LINK = re.compile(r"\[(?P<words>[^\[\]]+)\]\((?P<address>[^()\s]*)\)")
_ALLOWED = re.compile(r"(?:https?://[^\s\"<>]+|mailto:[^\s\"<>@]+@[^\s\"<>]+)", re.IGNORECASE)


def plain(text: str) -> str:
    """The text with only the words of its links."""
    return _LINK.sub(r"\g<words>", text) if "](" in text else text


def spelled_out(text: str) -> str:
    """The text with each link's address behind its words, in parentheses."""
    return _LINK.sub(r"\g<words> (\g<address>)", text)


def linked(text: str, *, new_window: bool = False) -> Markup:
    """The text as HTML; `new_window` is for a frame, which a link must not lead away."""
    if "](" not in text:
        return escape(text)
    found, end = Markup(), 0
    target = Markup(' target="_blank" rel="noopener"') if new_window else Markup()
    for link in _LINK.finditer(text):
        anchor = Markup('<a href="{}"{}>{}</a>').format(link["address"], target, link["words"])
        found += escape(text[end : link.start()]) + anchor
        end = link.end()
    return found + escape(text[end:])


def wrong_addresses(text: str) -> Iterator[str]:
    """The addresses of a text's links that no page may lead to."""
    for link in _LINK.finditer(text):
        if not _ALLOWED.fullmatch(link["address"]):
            yield link["address"]
