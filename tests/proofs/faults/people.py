"""Who sends leads, and what: drawn from a pool, so that several leads are of one person.

A person is spelled differently each time (letter case, blanks, forms of a phone number), fills in
different fields of different forms, and sometimes leaves a phone only. Some share a phone.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from tests.proofs.faults.rng import rng

WINDOW = 120
"""So many people send leads at about the same time."""

LEADS_EACH = 6
"""So many leads are of one person, on average."""

VISITORS = 3
"""So many send at the same time."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody; without an e-mail the phone is who this is."""

    number: int
    first: str
    last: str
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class Lead:
    """What a visitor sends, and what the judge expects of it.

    Attributes:
        ref: unique in a round; kept with the submission.
        posted: the controls of the form, as typed.
        fills: property to value, set where the contact has none (`city` of the address, too).
        overwrites: property or extended field to value, set whatever the contact has.
        fields: extended field to value, set where the contact has none.
        email, phone: normalised.
    """

    ref: str
    form: str
    posted: dict[str, Any]
    email: str | None
    phone: str | None
    labels: tuple[str, ...]
    fills: dict[str, str] = field(default_factory=dict)
    overwrites: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    appends_phone: bool = False


def person(seed: str, number: int) -> Person:
    """The person of this number; always the same for a seed."""
    draw = rng(seed, "person", number)
    kind = draw.random()
    # One in ten shares the phone of the person before.
    owner = number - 1 if number and draw.random() < 0.1 else number
    phone = f"+44207{owner:07d}" if kind > 0.15 else None
    return Person(
        number,
        draw.choice(("Ada", "Grace", "Edsger", "Barbara")),
        f"Person-{number}",
        f"person{number}@example.com" if kind <= 0.85 else None,
        phone,
    )


def draw_lead(seed: str, visitor: int, number: int) -> Lead:
    """The lead of this number that this visitor sends; always the same for a seed."""
    draw = rng(seed, "lead", visitor, number)
    newest = WINDOW + number * VISITORS // LEADS_EACH
    who = person(seed, newest - draw.randrange(WINDOW))
    ref = f"{visitor}-{number}"
    if who.email is None or (who.phone and draw.random() < 0.06):
        return _ring(draw, who, ref)
    return _quote(draw, who, ref) if draw.random() < 0.4 else _plain(draw, who, ref)


def _ring(draw: random.Random, who: Person, ref: str) -> Lead:
    assert who.phone
    topic = draw.choice(("roofs", "walls", ""))
    return Lead(
        ref,
        "ring",
        {
            "ref": ref,
            "name": f"{who.first} {who.last}",
            "phone": _typed_phone(draw, who.phone),
            "topic": topic,
        },
        None,
        who.phone,
        ("Call back",),
        fills={"name.first": who.first, "name.last": who.last},
        fields={"Topic": topic} if topic else {},
    )


def _plain(draw: random.Random, who: Person, ref: str) -> Lead:
    chosen = _some(draw, {"company": f"Company {ref}", "city": f"City {ref}"})
    interest = draw.choice(("", "roof", "wall", "none"))
    labels = {"roof": ("Roofs",), "wall": ("Walls",)}.get(interest, ())
    phone, typed, names = _personal(draw, who)
    return Lead(
        ref,
        "plain",
        {"ref": ref, **typed, **chosen, "interest": interest},
        who.email,
        phone,
        ("Faults lead", *labels),
        fills={**names, **chosen},
        fields={"Interest": interest} if interest else {},
    )


def _quote(draw: random.Random, who: Person, ref: str) -> Lead:
    title = {"jobTitle": f"Title {ref}"} if draw.random() < 0.3 else {}
    budget = {"Budget": draw.randrange(1, 9000)} if draw.random() < 0.5 else {}
    newsletter = draw.random() < 0.3
    phone, typed, names = _personal(draw, who)
    posted: dict[str, Any] = {"ref": ref, **typed}
    posted |= {"job_title": title["jobTitle"]} if title else {}
    posted |= {"budget": str(budget["Budget"])} if budget else {}
    posted |= {"newsletter": "on"} if newsletter else {}
    return Lead(
        ref,
        "quote",
        posted,
        who.email,
        phone,
        ("Faults lead", "Quote", *(("Newsletter",) if newsletter else ())),
        fills=names,
        overwrites={**title, **budget, "Last reference": ref},
        appends_phone=True,
    )


def _personal(
    draw: random.Random, who: Person
) -> tuple[str | None, dict[str, str], dict[str, str]]:
    """The phone that is given, what is typed, and the name's parts that are given."""
    assert who.email
    phone = who.phone if who.phone and draw.random() < 0.6 else None
    names = _some(draw, {"name.first": who.first, "name.last": who.last})
    typed = {"email": _typed_email(draw, who.email)}
    typed |= {"phone": _typed_phone(draw, phone)} if phone else {}
    typed |= {f"{name.removeprefix('name.')}_name": value for name, value in names.items()}
    return phone, typed, names


def _some(draw: random.Random, given: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if draw.random() < 0.6}


def _typed_email(draw: random.Random, email: str) -> str:
    cased = "".join(letter.upper() if draw.random() < 0.2 else letter for letter in email)
    return draw.choice(("", " ")) + cased + draw.choice(("", "  "))


def _typed_phone(draw: random.Random, e164: str) -> str:
    local = e164.removeprefix("+44")
    return draw.choice(
        (
            e164,
            f"0{local}",
            f"0{local[:2]} {local[2:6]} {local[6:]}",
            f"(0{local[:2]}) {local[2:6]}-{local[6:]}",
            f"0044 {local[:2]} {local[2:]}",
        ),
    )
