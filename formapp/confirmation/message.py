"""The mail that asks for a confirmation: the stored request and the link, and no answer."""

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


def write_message(  # noqa: PLR0913 - the parts of a mail, by keyword
    request: Mapping[str, Any], *, sender: str, to: str, link: str, until: datetime, unique_id: str
) -> Message:
    """Return the mail for a request as of `make_request`, whose button leads to the link.

    `unique_id` is the local part of the Message-ID; a mail that is sent again keeps it.
    """
    valid = request["valid"].replace("%(until)s", f"{until:%Y-%m-%d %H:%M} UTC")
    button = f"{request['button']}:\n{link}"
    return Message(
        sender=sender,
        to=(to,),
        subject=request["subject"],
        text=f"{request['text']}\n\n{button}\n\n{valid}\n{request['otherwise']}\n",
        html=_html(request, link, valid),
        message_id=f"<{unique_id}@{domain_of(sender)}>",
    )


def _html(request: Mapping[str, Any], link: str, valid: str) -> str:
    button = html.escape(request["button"])
    paragraphs = [_lines(part) for part in request["text"].split("\n\n") if part.strip()]
    paragraphs += [
        f'<a href="{html.escape(link)}" style="{_BUTTON}">{button}</a>',
        f"<small>{_lines(valid)}<br>{_lines(request['otherwise'])}</small>",
    ]
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    # `dir`: mail programs don't derive the direction from the language.
    return (
        f'<!doctype html>\n<html lang="{html.escape(request["language"])}" dir="auto">\n'
        f'<head><meta charset="utf-8"><title>{html.escape(request["subject"])}</title></head>\n'
        f'<body dir="auto" style="{_BODY}">\n{body}\n</body>\n</html>\n'
    )


def _lines(text: str) -> str:
    return html.escape(text.strip()).replace("\n", "<br>\n")
