"""One submission in words: its answers by their labels, and what happened to it, in order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from formapp.forms.definition.model import FieldDefinition, FormDefinition
from formapp.leads.audit import Audited

Tone = Literal["neutral", "good", "bad", "waiting"]
Entry = Mapping[str, Any]
"""A submission as `formapp.leads.report.show_submission` returns it."""

_OUTCOMES = {
    "created": "A new contact was created at Wix",
    "updated": "The contact at Wix was updated",
    "unchanged": "The contact at Wix stayed as it was",
}
_UNFINISHED = {
    "retry": "Not delivered yet: it is tried again",
    "paused": "Not delivered yet: deliveries to this site pause",
}
_OPERATIONS = {
    "createContact": "creating the contact",
    "updateContact": "updating the contact",
    "getContact": "reading the contact",
    "queryContacts": "searching for the contact",
    "findOrCreateLabel": "looking up a label",
    "findOrCreateExtendedField": "looking up an extended field",
}
_CHANNELS = {
    "mail": "Mail",
    "reply": "Reply to the visitor",
    "webhook": "Webhook",
    "chat": "Chat message",
}
_LONG = 80


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """One answer: `label` and `text` as people read them."""

    name: str
    label: str
    text: str
    is_long: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """One thing that happened; `calls` are those to Wix."""

    at: datetime
    text: str
    tone: Tone = "neutral"
    detail: str = ""
    calls: Sequence[Mapping[str, Any]] = ()


def answers_of(entry: Entry, form: FormDefinition | None) -> list[Answer]:
    """Return the answers in the order of the form file; those of fields that are gone come last.

    Labels are today's; without a form, or a field, the name stays.
    """
    given = dict(entry["answers"])
    answers = [
        _answer(field.name, field.label or field.name, given.pop(field.name), field)
        for field in (form.fields if form else ())
        if field.name in given
    ]
    for name, value in given.items():
        if not name.endswith(".e164"):
            answers.append(_answer(name, name, value, None))
    return answers


def _answer(name: str, label: str, value: Any, field: FieldDefinition | None) -> Answer:
    labels = {option.value: option.label for option in field.options} if field else {}
    text = format_value(value, labels)
    return Answer(name, label, text, is_long="\n" in text or len(text) > _LONG)


def format_value(value: Any, labels: Mapping[str, str] | None = None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(format_value(each, labels) for each in value)
    text = "" if value is None else str(value)
    return (labels or {}).get(text, text)


def events_of(entry: Entry, audited: Sequence[Audited] = ()) -> list[Event]:
    """Return what happened, oldest first."""
    events = [
        *_received(entry),
        *_confirmation(entry["confirmation"] or {}),
        *_deliveries(entry["deliveries"]),
        *map(_notified, entry["notified"]),
        *_notifications(entry["notifications"]),
        *(Event(each.at, f"{each}") for each in audited),
    ]
    if entry["erased_at"]:
        events.append(Event(_time(entry["erased_at"]), "The answers were erased"))
    return sorted(events, key=lambda event: event.at)


def _received(entry: Entry) -> Iterator[Event]:
    meta, at = entry["meta"], _time(entry["received_at"])
    yield Event(at, "Received", detail=f"on {meta['page']}" if meta.get("page") else "")
    if reasons := meta.get("suspect"):
        detail = "; ".join(reasons)
        if entry["state"] == "spam":
            yield Event(at, "Caught by the honeypot", "bad", detail)
        elif entry["state"] == "quarantined" or meta.get("released_at"):
            yield Event(at, "Held in quarantine", "bad", detail)
        else:
            # Not enough of a reason to hold it.
            yield Event(at, "Accepted, though a little suspicious", detail=detail)
    if meta.get("released_at"):
        yield Event(_time(meta["released_at"]), "Released from quarantine", "good")
    if meta.get("corrected_at"):
        yield Event(_time(meta["corrected_at"]), "Answers corrected")


def _confirmation(asked: Mapping[str, Any]) -> Iterator[Event]:
    for at in asked.get("sent_at", ()):
        yield Event(_time(at), "Mail sent that asks for a confirmation")
    if asked.get("confirmed_at"):
        yield Event(_time(asked["confirmed_at"]), "Confirmed by the sender", "good")


def _deliveries(deliveries: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
    for delivery in deliveries:
        for attempt in delivery["attempts"]:
            yield _attempt(attempt, delivery)
        if not delivery["attempts"] and delivery["finished_at"] and delivery["reason"] != "erased":
            reason = delivery["reason"] or ""
            yield Event(_time(delivery["finished_at"]), "Delivery ended", "bad", detail=reason)


def _attempt(attempt: Mapping[str, Any], delivery: Mapping[str, Any]) -> Event:
    at, calls = _time(attempt["at"]), attempt["calls"]
    if attempt["result"] == "delivered":
        text = _OUTCOMES.get(delivery["outcome"] or "", "Delivered")
        return Event(at, text, "good", "; ".join(delivery["flags"]), calls)
    doing = _OPERATIONS.get(attempt["operation"] or "", "a call")
    status, code = attempt["status"], attempt["code"]
    answer = " ".join(str(each) for each in (status, code) if each) or "no answer"
    detail = f"while {doing}: {answer}"
    if attempt["result"] in _UNFINISHED:
        return Event(at, _UNFINISHED[attempt["result"]], "waiting", detail, calls)
    return Event(at, "Not delivered", "bad", detail, calls)


def _notified(ended: Mapping[str, Any]) -> Event:
    name, tries, result = _receiver(ended), ended["tries"], ended["result"]
    after = f" at try {tries}" if tries > 1 else ""
    tone: Tone = "good" if result == "sent" else "bad" if result == "failed" else "neutral"
    words = {"sent": f"sent{after}", "failed": f"given up{after}", "withheld": "not sent"}
    return Event(_time(ended["at"]), f"{name} {words[result]}", tone, ended["reason"] or "")


def _notifications(waiting: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
    for each in waiting:
        if each["state"] == "waiting":
            tries, reason = each["attempts"], each["reason"] or ""
            text = "is tried again" if tries else "is sent"
            detail = f"tried {tries} times{': ' if reason else ''}{reason}" if tries else ""
            yield Event(_time(each["due_at"]), f"{_receiver(each)} {text}", "waiting", detail)


def _receiver(notification: Mapping[str, Any]) -> str:
    """Return what it is and for whom: `Mail to ines@example.com`, `Webhook`."""
    name, to = _CHANNELS.get(notification["channel"], notification["channel"]), notification["to"]
    return f"{name} to {to}" if to else name


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Consent:
    text: str
    at: datetime
    confirmed_at: datetime | None
    page: str | None


def consents_of(entry: Entry) -> list[Consent]:
    return [
        Consent(
            each["text"],
            _time(each["at"]),
            _time(each["confirmed_at"]) if each.get("confirmed_at") else None,
            each.get("page"),
        )
        for each in entry["consents"]
    ]


@dataclass(frozen=True, slots=True, repr=False)
class ContactChange:
    """A line of the table of what a lead did to its contact; `has_changed` it did."""

    label: str
    before: str | None
    given: str
    words: str
    has_changed: bool


_CHANGES = {
    "new": "set",
    "filled": "filled in",
    "replaced": "changed",
    "same": "the same",
    "kept": "kept: the contact had a value",
    "kept_member": "kept: a site member looks after it",
    "kept_phone": "kept: only the phone is known to match",
}


def changes_in_words(entry: Entry) -> list[ContactChange]:
    """Return what the delivery did to the contact, field by field."""
    return [
        ContactChange(
            change["field"].replace("_", " ").capitalize(),
            change["before"],
            change["given"],
            _CHANGES.get(change["result"], change["result"]),
            has_changed=change["result"] in {"new", "filled", "replaced"},
        )
        for delivery in entry["deliveries"]
        for change in delivery["changes"]
    ]
