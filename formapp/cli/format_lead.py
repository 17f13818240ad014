"""A submission's story, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

Entry = Mapping[str, Any]

_HELD = {
    "quarantined": "In quarantine: nothing of it goes to Wix.",
    "spam": "Caught by the honeypot: nothing of it goes to Wix.",
}


def tell_briefly(entry: Entry) -> str:
    """One line: id, time, form, state, outcome and contact."""
    parts = [entry["id"], entry["received_at"][:19], entry["form"], entry["state"]]
    if entry["outcome"]:
        parts.append(f"{entry['outcome']} contact {entry['contact_id']}")
    elif entry["reason"]:
        parts.append(entry["reason"])
    return "  ".join(parts)


def tell(entry: Entry) -> str:
    """The whole story: what was sent, what was agreed to, what became of it."""
    return "\n".join(_lines(entry))


def _lines(entry: Entry) -> Iterator[str]:
    yield f"Submission {entry['id']}"
    yield f"  received {entry['received_at']} by the form {entry['form']} ({entry['state']})"
    if entry["erased_at"]:
        yield f"  the answers were erased {entry['erased_at']}"
    yield from _pairs("Answers", entry["answers"])
    yield from _held(entry)
    elsewhere = {"confirmation", "mail", "confirmed", "suspect", "score"}
    meta = {name: value for name, value in entry["meta"].items() if name not in elsewhere}
    yield from _pairs("Circumstances", meta)
    for consent in entry["consents"]:
        yield f"Consent {consent['field']}, given {consent['at']}:"
        yield f"  “{consent['text']}”"
        if consent.get("confirmed_at"):
            yield f"  confirmed {consent['confirmed_at']}, given on {consent.get('page')}"
    if entry["confirmation"]:
        yield from _confirmation(entry["confirmation"])
    for delivery in entry["deliveries"]:
        yield from _delivery(delivery)


def _confirmation(asked: Entry) -> Iterator[str]:
    yield f"Confirmation, asked for {asked['asked_at']} on {asked['page']}:"
    yield f"  “{asked['subject']}”"
    yield f"  “{asked['text'].replace(chr(10), chr(10) + '   ')}”"
    for at in asked["sent_at"]:
        yield f"  mail sent {at}"
    if asked["valid_until"] and not asked["confirmed_at"]:
        yield f"  the link is valid until {asked['valid_until']}"
    if asked["mail_due_at"]:
        yield f"  mail due {asked['mail_due_at']}, tried {asked['mail_attempts']} times"
    if asked["unsent"]:
        yield f"  no mail: {asked['unsent']}"
    yield f"  confirmed {asked['confirmed_at']}" if asked["confirmed_at"] else "  not confirmed yet"


def _held(entry: Entry) -> Iterator[str]:
    """Why it is, or would have been, held back."""
    held, meta = _HELD.get(entry["state"]), entry["meta"]
    if held:
        yield f"{held} To let it through: formapp leads release {entry['id']}"
    reasons = meta.get("suspect") or []
    if reasons:
        score = f" (score {meta['score']:g})" if meta.get("score") else ""
        yield f"Suspicious{score}:"
        yield from (f"  {reason}" for reason in reasons)


def _pairs(title: str, pairs: Entry) -> Iterator[str]:
    filled = {name: value for name, value in pairs.items() if value not in (None, "", [], {})}
    if not filled:
        return
    yield title
    width = max(map(len, filled))
    for name, value in filled.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield f"  {name:<{width}}  {text.replace(chr(10), chr(10) + ' ' * (width + 4))}"


def _delivery(delivery: Entry) -> Iterator[str]:
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
