"""The mails: of one lead, a digest of several, and the reply to the visitor."""

import hashlib
import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from babel.support import NullTranslations

from formapp.files.links import FileAddresses
from formapp.forms.definition.localize import in_language
from formapp.forms.definition.model import FormDefinition
from formapp.languages import direction, load_texts
from formapp.mail.message import Attachment, Message, domain_of
from formapp.notifications.attached import links_of
from formapp.notifications.content import LeadText, describe, safe_line, subject_of
from formapp.notifications.definition import FIRST_NAME
from formapp.notifications.store import AcceptedLead

MOST_SHOWN = 100
"""Leads that a digest shows; of others it says how many there are."""

LONGEST_IN_DIGEST = 300
"""Characters of an answer in a digest."""

_BODY = "font:16px/1.5 system-ui,sans-serif;color:#1c2125;max-width:40em;margin:0 auto;padding:24px"
_LABEL = "text-align:start;vertical-align:top;padding:4px 16px 4px 0;color:#57606a;font-weight:400"
_ANSWER = (
    "vertical-align:top;padding:4px 0;white-space:pre-wrap;overflow-wrap:anywhere;"
    "unicode-bidi:plaintext"
)
# A first name has one to three words of letters. No dot, digit or slash: no address fits in.
_BETWEEN_WORDS = re.compile("[ '\u2019-]")
_MOST_WORDS = 3
_LONGEST_NAME = 30


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who a mail is from and where its links lead.

    `inbox` returns the prefix of a lead's page in the inbox; None: mails have no such link, as
    there is no user yet. `files` makes the links to a lead's files.
    """

    sender: str
    inbox: Callable[[], str | None] = lambda: None
    files: FileAddresses | None = None


def write_lead(
    lead: AcceptedLead,
    definition: FormDefinition,
    to: str,
    envelope: Envelope,
    attachments: tuple[Attachment, ...] = (),
) -> Message:
    texts = load_texts(definition.language)
    title = safe_line(definition.title)
    when = f"{lead.accepted_at:%Y-%m-%d %H:%M} UTC"
    blocks, parts = [f"{title}, {when}"], [_heading(title) + f"<p>{when}</p>"]
    _add_lead(blocks, parts, lead, definition, envelope)
    if lead.email:
        can_answer = texts.gettext("Answer this e-mail to write to the sender.")
        blocks.append(can_answer)
        parts.append(f"<p>{html.escape(can_answer)}</p>")
    subject = subject_of(lead, definition)
    return Message(
        sender=envelope.sender,
        to=(to,),
        subject=subject,
        text="\n\n".join(filter(None, blocks)) + "\n",
        html=_page(definition.language, subject, parts),
        message_id=_message_id(lead.id, to, envelope.sender),
        reply_to=lead.email or "",
        list_id=f"{lead.form}.{domain_of(envelope.sender)}",
        attachments=attachments,
    )


def write_digest(
    leads: Sequence[AcceptedLead], definition: FormDefinition, to: str, envelope: Envelope
) -> Message:
    texts, count = load_texts(definition.language), len(leads)
    title = safe_line(definition.title)
    heading = texts.gettext("New leads (%(count)s): %(title)s")
    heading %= {"count": count, "title": title}
    blocks, parts = [heading], [_heading(heading)]
    for lead in leads[:MOST_SHOWN]:
        who = safe_line(lead.person or "", LONGEST_IN_DIGEST)
        head = ", ".join(filter(None, [f"{lead.accepted_at:%Y-%m-%d %H:%M} UTC", who]))
        blocks.append(f"== {head}")
        parts.append(f"<h2 style='font-size:16px'><bdi>{html.escape(head)}</bdi></h2>")
        _add_lead(blocks, parts, lead, definition, envelope, LONGEST_IN_DIGEST)
    if count > MOST_SHOWN:
        rest = texts.gettext("Leads that are not shown here: %(count)s")
        rest %= {"count": count - MOST_SHOWN}
        blocks.append(rest)
        parts.append(f"<p>{html.escape(rest)}</p>")
    ids = hashlib.sha256(" ".join(lead.id for lead in leads).encode()).hexdigest()[:32]
    return Message(
        sender=envelope.sender,
        to=(to,),
        subject=heading,
        text="\n\n".join(filter(None, blocks)) + "\n",
        html=_page(definition.language, heading, parts),
        message_id=_message_id(ids, to, envelope.sender),
        list_id=f"{leads[0].form}.{domain_of(envelope.sender)}",
    )


def write_reply(lead: AcceptedLead, definition: FormDefinition, to: str, sender: str) -> Message:
    """Return the mail to the visitor, in the language of the page that they filled in."""
    language = lead.meta.get("language")
    if language in definition.languages:
        definition = in_language(definition, language)
    texts, reply = load_texts(definition.language), definition.reply
    text, name = reply.text if reply else None, plain_name(lead.first_name)
    if text is None:
        hello = texts.gettext("Hello %(name)s,") % {"name": name} if name else None
        thanks = texts.gettext("Thank you for your message. We will get back to you soon.")
        text = f"{hello or texts.gettext('Hello,')}\n\n{thanks}"
    elif FIRST_NAME in text:
        first, _, rest = text.partition("\n")
        first = first.replace(FIRST_NAME, name) if name else texts.gettext("Hello,")
        text = f"{first}\n{rest}"
    subject = (reply.subject if reply else None) or texts.gettext("We have received your message")
    paragraphs = [each.strip() for each in text.split("\n\n") if each.strip()]
    parts = [f"<p style='white-space:pre-wrap'>{html.escape(each)}</p>" for each in paragraphs]
    return Message(
        sender=sender,
        to=(to,),
        subject=subject,
        text="\n\n".join(paragraphs) + "\n",
        html=_page(definition.language, subject, parts),
        message_id=f"<{lead.id}.reply@{domain_of(sender)}>",
        auto="auto-replied",
    )


def plain_name(name: str | None) -> str | None:
    """Return a first name that can hold no message and no link; None for anything else.

    Anyone can type any name and any address into a form.
    """
    name = safe_line(name or "")
    words = _BETWEEN_WORDS.split(name)
    is_name = len(name) <= _LONGEST_NAME and len(words) <= _MOST_WORDS and all(map(_is_word, words))
    return name if is_name else None


def _is_word(text: str) -> bool:
    return bool(text) and all(unicodedata.category(char)[0] in "LM" for char in text)


def _message_id(name: str, to: str, sender: str) -> str:
    """Return the same id for the same mail: mailboxes recognise one that is sent again."""
    receiver = hashlib.sha256(to.encode()).hexdigest()[:12]
    return f"<{name}.{receiver}@{domain_of(sender)}>"


def _add_lead(  # noqa: PLR0913, PLR0917 - a lead, and both forms of the mail
    blocks: list[str],
    parts: list[str],
    lead: AcceptedLead,
    definition: FormDefinition,
    envelope: Envelope,
    longest: int | None = None,
) -> None:
    """Add the answers, files and address of a lead to the blocks of text and the parts of HTML."""
    texts, shown = load_texts(definition.language), describe(lead, definition, longest)
    blocks.append(_text_of(shown, texts))
    parts.append(_html_of(shown, texts))
    if files := links_of(lead, definition, envelope.files):
        label = texts.gettext("Files")
        blocks.append("\n".join([f"{label}:", *(f"  {name}: {link}" for name, link in files)]))
        items = "".join(
            f'<li><a href="{html.escape(link)}"><bdi>{html.escape(name)}</bdi></a></li>'
            for name, link in files
        )
        parts.append(f"<p>{html.escape(label)}</p><ul>{items}</ul>")
    if inbox := envelope.inbox():
        label, link = texts.gettext("Open in the inbox"), f"{inbox}{quote(lead.id)}"
        blocks.append(f"{label}: {link}")
        parts.append(f'<p><a href="{html.escape(link)}">{html.escape(label)}</a></p>')


def _text_of(shown: LeadText, texts: NullTranslations) -> str:
    blocks = ["\n".join(_text_line(*pair) for pair in shown.answers)]
    blocks += [f"{label}:\n  " + "\n  ".join(lines) for label, lines in _more(shown, texts)]
    return "\n\n".join(filter(None, blocks))


def _text_line(label: str, answer: str) -> str:
    if "\n" in answer:
        return f"{label}:\n  " + answer.replace("\n", "\n  ")
    return f"{label}: {answer}"


def _more(shown: LeadText, texts: NullTranslations) -> list[tuple[str, list[str]]]:
    """Return title and lines of each part behind the answers that isn't empty."""
    parts = [
        (texts.gettext("Left empty"), shown.missing),
        (texts.gettext("Agreed to"), shown.consents),
        (texts.gettext("Notes"), shown.notes),
        (texts.gettext("Sent, but not in the form"), [_text_line(*pair) for pair in shown.unknown]),
    ]
    return [(title, lines) for title, lines in parts if lines]


def _html_of(shown: LeadText, texts: NullTranslations) -> str:
    rows = [*shown.answers, *((title, "\n".join(lines)) for title, lines in _more(shown, texts))]
    cells = "".join(
        f'<tr><th scope="row" style="{_LABEL}">{html.escape(label)}</th>'
        f'<td dir="auto" style="{_ANSWER}">{html.escape(text)}</td></tr>\n'
        for label, text in rows
    )
    return f'<table style="border-collapse:collapse">\n{cells}</table>'


def _heading(text: str) -> str:
    return f"<h1 style='font-size:20px'>{html.escape(text)}</h1>"


def _page(language: str, title: str, parts: Sequence[str]) -> str:
    body = "\n".join(filter(None, parts))
    # `dir`: mail programs don't derive the direction from the language.
    return (
        f'<!doctype html>\n<html lang="{html.escape(language)}" dir="{direction(language)}">\n'
        f'<head><meta charset="utf-8"><title>{html.escape(title)}</title></head>\n'
        f'<body style="{_BODY}">\n{body}\n</body>\n</html>\n'
    )
