"""The letter of a confirmation: what was written down when it was asked for, and the link.

Nothing that a visitor typed is in it: else a form would send anybody's words to anybody's address.
"""

import html
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from formapp.mail.message import Message, domain_of

_BUTTON = (
    "display:inline-block;padding:12px 24px;border-radius:6px;"
    "background:#0b6274;color:#ffffff;font-weight:bold;text-decoration:none"
)
_BODY = "font:16px/1.5 system-ui,sans-serif;color:#1c2125;max-width:36em;margin:0 auto;padding:24px"


def write_letter(  # noqa: PLR0913 - all that a letter is made of, by keyword
    asked: Mapping[str, Any],
    *,
    sender: str,
    to: str,
    link: str,
    until: datetime,
    submission_id: str,
) -> Message:
    """Return the letter.

    Args:
        asked: the wording: `subject`, `text`, `button`, `valid`, `otherwise`, `language`.
        sender: who it is from.
        to: the address.
        link: where the button leads.
        until: when the link runs out.
        submission_id: what tells this letter from others; the same for the same letter sent again.
    """
    valid = asked["valid"].replace("%(until)s", f"{until:%Y-%m-%d %H:%M} UTC")
    return Message(
        sender=sender,
        to=(to,),
        subject=asked["subject"],
        text=_plain(asked, link, valid),
        html=_html(asked, link, valid),
        message_id=f"<{submission_id}@{domain_of(sender)}>",
    )


def _plain(asked: Mapping[str, Any], link: str, valid: str) -> str:
    parts = [asked["text"], f"{asked['button']}:\n{link}", f"{valid}\n{asked['otherwise']}"]
    return "\n\n".join(parts) + "\n"


def _html(asked: Mapping[str, Any], link: str, valid: str) -> str:
    paragraphs = [_lines(part) for part in asked["text"].split("\n\n") if part.strip()]
    paragraphs += [
        f'<a href="{html.escape(link)}" style="{_BUTTON}">{html.escape(asked["button"])}</a>',
        f"<small>{_lines(valid)}<br>{_lines(asked['otherwise'])}</small>",
    ]
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    # `dir`: readers of mail don't tell the direction by the language.
    return (
        f'<!doctype html>\n<html lang="{html.escape(asked["language"])}" dir="auto">\n'
        f'<head><meta charset="utf-8"><title>{html.escape(asked["subject"])}</title></head>\n'
        f'<body dir="auto" style="{_BODY}">\n{body}\n</body>\n</html>\n'
    )


def _lines(text: str) -> str:
    return html.escape(text.strip()).replace("\n", "<br>\n")
