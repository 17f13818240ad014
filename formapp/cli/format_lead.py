"""Submissions and erasures as lines of text for the owner."""

from collections.abc import Iterator, Mapping
from typing import Any

from formapp.cli.wiring import number_of
from formapp.forms.definition.uploads import format_size
from formapp.forms.notes import format_note
from formapp.leads.erase import Erasure
from formapp.leads.identity_search import Hits
from formapp.printable import printable

Entry = Mapping[str, Any]

_HELD = {
    "quarantined": "In quarantine: nothing of it goes to Wix.",
    "spam": "Caught by the honeypot: nothing of it goes to Wix.",
}
_FILE_STATES = {"waiting": "not scanned for viruses yet", "quarantined": "in quarantine"}
_WIDEST_NAME = 30
_INDENTED = {"answers", "unknown", "meta", "text"}
_SHOWN_ELSEWHERE = {"confirmation", "mail", "confirmed", "notify", "suspect", "score"}


def entry_lines(entry: Entry) -> Iterator[str]:
    """All that `show_submission` returns."""
    yield from _entry_lines(_printable(entry))


def _printable(value: Any, *, lines: bool = False) -> Any:
    """All texts and names in a value made safe; line ends stay only where they are indented."""
    if isinstance(value, Mapping):
        pairs = (
            (name, _printable(each, lines=lines or name in _INDENTED))
            for name, each in value.items()
        )
        return {printable(name): each for name, each in pairs}
    if isinstance(value, list):
        return [_printable(each, lines=lines) for each in value]
    return printable(value, lines=lines) if isinstance(value, str) else value


def _entry_lines(entry: Entry) -> Iterator[str]:
    yield f"Submission {entry['id']}"
    yield f"  received {entry['received_at']} by the form {entry['form']} ({entry['state']})"
    if entry["erased_at"]:
        yield f"  the answers were erased {entry['erased_at']}"
    yield from _pair_lines("Answers", entry["answers"])
    yield from _pair_lines("Fields that the form doesn't know", entry["unknown"])
    if entry["notes"]:
        yield "Notes"
        yield from (f"  {_indented(format_note(note), 2)}" for note in entry["notes"])
    if entry["files"]:
        yield "Files"
        yield from map(_file_line, entry["files"])
    yield from _held_lines(entry)
    meta = {name: value for name, value in entry["meta"].items() if name not in _SHOWN_ELSEWHERE}
    yield from _pair_lines("Circumstances", meta)
    for consent in entry["consents"]:
        yield f"Consent {consent['field']}, given {consent['at']}:"
        yield f"  “{consent['text']}”"
        if consent.get("confirmed_at"):
            yield f"  confirmed {consent['confirmed_at']}, given on {consent.get('page')}"
    if entry["confirmation"]:
        yield from _confirmation_lines(entry["confirmation"])
    yield from map(_notified_line, entry["notified"])
    yield from map(_notification_line, entry["notifications"])
    for delivery in entry["deliveries"]:
        yield from _delivery_lines(delivery)


def _file_line(file: Entry) -> str:
    state = "" if file["state"] == "stored" else f", {_FILE_STATES.get(file['state'], '')}"
    reason = f": {file['reason']}" if file["reason"] else ""
    return f"  {file['name']} ({format_size(file['size'])}, {file['type']}{state}{reason})"


def _confirmation_lines(asked: Entry) -> Iterator[str]:
    yield f"Confirmation, asked for {asked['asked_at']} on {asked['page']}:"
    yield f"  “{asked['subject']}”"
    yield f"  “{_indented(asked['text'], 3)}”"
    for at in asked["sent_at"]:
        yield f"  mail sent {at}"
    if asked["valid_until"] and not asked["confirmed_at"]:
        yield f"  the link is valid until {asked['valid_until']}"
    if asked["mail_due_at"]:
        tried = asked["mail_attempts"], asked["mail_reason"]
        yield f"  mail {_waiting(asked['mail_due_at'], *tried)}"
    if asked["unsent"]:
        yield f"  no mail: {asked['unsent']}"
    yield f"  confirmed {asked['confirmed_at']}" if asked["confirmed_at"] else "  not confirmed yet"


def _notified_line(ended: Entry) -> str:
    reason = f": {ended['reason']}" if ended["reason"] else ""
    tries = f", try {ended['tries']}" if ended["tries"] > 1 else ""
    return f"{_notification_name(ended)} {ended['result']} {ended['at']}{tries}{reason}"


def _notification_name(notification: Entry) -> str:
    to = f" to {notification['to']}" if notification["to"] else ""
    return f"Notification by {notification['channel']}{to}"


def _notification_line(notification: Entry) -> str:
    name = _notification_name(notification)
    if notification["state"] == "failed":
        return f"{name} failed: {notification['reason']}"
    due_at, attempts = notification["due_at"], notification["attempts"]
    return f"{name} {_waiting(due_at, attempts, notification['reason'])}"


def _waiting(due_at: str, attempts: int, reason: str | None) -> str:
    return f"due {due_at}, tried {attempts} times" + (f": {reason}" if reason else "")


def _held_lines(entry: Entry) -> Iterator[str]:
    """Why it is, or would have been, held back."""
    held, meta = _HELD.get(entry["state"]), entry["meta"]
    if held:
        yield f"{held} To release it: formapp leads release {entry['id']}"
    if reasons := meta.get("suspect"):
        score = f" (score {meta['score']:g})" if meta.get("score") else ""
        yield f"Suspicious{score}:"
        yield from (f"  {reason}" for reason in reasons)


def _pair_lines(title: str, pairs: Entry) -> Iterator[str]:
    filled = {name: value for name, value in pairs.items() if value not in (None, "", [], {})}
    if not filled:
        return
    yield title
    width = min(max(map(len, filled)), _WIDEST_NAME)
    for name, value in filled.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield f"  {name:<{width}}  {_indented(text, width + 4)}"


def _indented(text: str, columns: int) -> str:
    return text.replace("\n", "\n" + " " * columns)


def _delivery_lines(delivery: Entry) -> Iterator[str]:
    yield f"Delivery to the site {delivery['site']}: {delivery['state']}"
    if delivery["outcome"]:
        yield f"  {delivery['outcome']} contact {delivery['contact_id']}"
    if delivery["reason"]:
        yield f"  reason: {delivery['reason']}"
    if delivery["state"] == "pending":
        yield f"  due {delivery['due_at']}"
    for flag in delivery["flags"]:
        yield f"  note: {flag}"
    for number, attempt in enumerate(delivery["attempts"], 1):
        yield f"  {number}. {attempt['at']}: {attempt['result']} in {attempt['duration_ms']} ms"
        for call in attempt["calls"]:
            answer = call["status"] or "no answer"
            code = f" {call['code']}" if call["code"] else ""
            yield f"     {call['operation']}: {answer}{code} in {call['ms']} ms"


def hits_lines(hits: Hits, conflicts: int) -> Iterator[str]:
    """What would be erased; `conflicts` of CRM books."""
    if conflicts:
        yield f"{number_of(conflicts, 'conflict')} of CRM books would be erased."
    if not hits.own and not hits.mention:
        yield "Nothing to erase: no submission is of this person or mentions them."
        return
    yield f"{number_of(len(hits.own), 'submission')} would be erased."
    yield from (f"  {submission_id}" for submission_id in hits.own)
    yield from (f"The mention in {each} would be erased." for each in hits.mention)


def erasure_lines(erasure: Erasure) -> Iterator[str]:
    """What was erased, and what the owner may have to do at Wix."""
    if erasure.conflicts:
        yield f"{number_of(erasure.conflicts, 'conflict')} of CRM books erased."
    if erasure.own or erasure.redacted:
        yield f"{number_of(len(erasure.own), 'submission')} erased."
    else:
        yield "Nothing to erase: no submission is of such a person or mentions one."
    for row in erasure.own:
        was = "was pending: its delivery is cancelled" if row.state == "pending" else row.state
        yield f"  {row.id}  {row.received_at.isoformat()[:19]}  {row.form}  {was}"
    for submission_id in erasure.redacted:
        yield f"The mention in {submission_id}, which another person sent, was erased."
    for site, contact_id in erasure.contacts:
        yield f"Contact {contact_id} of the site {site} is still at Wix: delete it there."
    if any(row.in_flight for row in erasure.own):
        yield "One was on its way to Wix at that moment: look there for a contact of theirs."
    for submission_id in erasure.same_phone:
        yield f"{submission_id} has the same telephone number: if it is theirs, erase by --phone."
