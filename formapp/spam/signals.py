"""From facts about a post to signals, and from signals to a score.

The content decides. How a post was sent can't: programs that test a form post at once and drive
browsers. `FAST` and `WEBDRIVER` together weigh less than a half, so that they never decide between
the full and half weights of the content.
"""

import re
from collections.abc import Sequence
from enum import Enum

FAST_SECONDS = 2.0
"""A person needs longer from seeing a form to sending it."""

FREE_LINKS = 2
"""A usual number of links in all texts together: one's own page, and another."""

_MANY_LINKS = 6
_FLOOD = 10
_SAME_FIELDS = 3
_SAME_LENGTH = 8

# A visitor may send 10,000 arbitrary characters: none of these patterns backtracks over them.
_LINK = re.compile(r"https?://|(?<![\w.@/])www\.(?=\w)", re.IGNORECASE)
_LINK_MARK = re.compile(r"://|[Ww]{3}\.")
"""Part of every match of `_LINK`; most texts don't contain it."""
_SCRIPT = re.compile(r"<\s*script\b|javascript\s*:|\bon(?:error|load|click)\s*=", re.IGNORECASE)
_BBCODE = re.compile(r"\[\s*(?:url|link|img)\s*[=\]]", re.IGNORECASE)
_ANCHOR = re.compile(r"<\s*a\s[^>]{0,200}\bhref\b", re.IGNORECASE)
_TAGS = "iframe|img|object|embed|form|svg|style|h[1-6]|b|p|br|div|span"
_MARKUP = re.compile(rf"<\s*(?:/\s*)?(?:{_TAGS})\b", re.IGNORECASE)


class Signal(Enum):
    """A weight, and the reason in words for the owner, which repeats no answer."""

    # How it was sent: hints at most.
    FAST = (0.2, "sent in under two seconds")
    WEBDRIVER = (0.2, "the browser was driven by a program")
    # Links beyond a few: an order may name several pages, a dozen is an advertisement.
    SOME_LINKS = (1.0, "several links in the texts")
    MANY_LINKS = (2.0, "many links in the texts")
    FLOOD_OF_LINKS = (3.0, "ten links or more in the texts")
    # A developer may ask about code, so it needs a second signal.
    SCRIPT = (2.0, "script code in a text")
    # Links in the markup of other software: people don't type these into a contact form.
    BBCODE = (3.0, "a link in forum code ([url=…])")
    ANCHOR = (2.0, "a link in HTML")
    # Other HTML: pasted from a page, or typed by a program.
    MARKUP = (0.5, "HTML in a text")
    # The usual place for an advertisement, since greeting mails repeat the name.
    LINK_IN_NAME = (2.0, "a web address in a name")
    # A program that ignores labels fills all fields alike.
    SAME_TEXT = (2.0, "the same text in several fields")

    def __init__(self, weight: float, reason: str) -> None:
        self.weight = weight
        self.reason = reason


_CODE = (
    (_SCRIPT, Signal.SCRIPT),
    (_BBCODE, Signal.BBCODE),
    (_ANCHOR, Signal.ANCHOR),
    (_MARKUP, Signal.MARKUP),
)
_MARK = re.compile(r"[<\[:=]")
"""A character of this kind is in all that the patterns of `_CODE` match."""


def suspicions(
    texts: Sequence[str],
    names: Sequence[str] = (),
    *,
    seconds: float | None = None,
    webdriver: bool = False,
) -> list[Signal]:
    """Return all signals of a post, in the order of the table.

    `texts` are the answers to all fields for free text, `names` those of them that are a person's
    name; `seconds` passed from seeing the form to sending it, None if unknown.
    """
    found: list[Signal] = []
    if seconds is not None and seconds < FAST_SECONDS:
        found.append(Signal.FAST)
    if webdriver:
        found.append(Signal.WEBDRIVER)
    links = sum(map(len, map(_LINK.findall, filter(_LINK_MARK.search, texts))))
    if links > FREE_LINKS:
        found.append(_of_links(links))
    if marked := list(filter(_MARK.search, texts)):
        found += [signal for pattern, signal in _CODE if any(map(pattern.search, marked))]
    if links and any(map(_LINK.search, names)):  # names are among the texts
        found.append(Signal.LINK_IN_NAME)
    # Short texts are equal by chance (a name, a town, "none").
    long = [text.strip().casefold() for text in texts if len(text.strip()) >= _SAME_LENGTH]
    if len(long) >= _SAME_FIELDS and max(map(long.count, long)) >= _SAME_FIELDS:
        found.append(Signal.SAME_TEXT)
    return found


def score_of(found: Sequence[Signal]) -> float:
    return sum(signal.weight for signal in found)


def _of_links(count: int) -> Signal:
    if count >= _FLOOD:
        return Signal.FLOOD_OF_LINKS
    return Signal.MANY_LINKS if count >= _MANY_LINKS else Signal.SOME_LINKS
