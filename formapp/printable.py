"""Text from elsewhere, made safe for a terminal: no escape sequences, no turned or hidden text."""

import re

# Categories Cc and Zl/Zp, lone surrogates, and what changes the direction of text or can't be seen
# (Unicode TR 36, section 3.2). U+009B alone begins a terminal's commands, as ESC [ does.
_TURNING_OR_HIDDEN = "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_UNSAFE = f"\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_TURNING_OR_HIDDEN}"
_NOT_IN_LINES = re.compile(f"[{_UNSAFE}]")
_NOT_IN_LINE = re.compile(f"[\n{_UNSAFE}]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return the text with unsafe characters as `\u001b`, as in JSON, which stays valid.

    `lines`: line ends stay, as LF.
    """
    if text.isprintable():
        return text
    return _NOT_IN_LINES.sub(_escape, _unified(text)) if lines else _NOT_IN_LINE.sub(_escape, text)


def without_controls(text: str) -> str:
    """Return lines without a terminal's commands, for files: directions of text are kept."""
    return text if text.isprintable() else _CONTROLS.sub(_escape, _unified(text))


def _unified(text: str) -> str:
    return text.replace("\r\n", "\n")


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
