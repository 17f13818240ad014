"""People on both sides: who they know at first, and what they go on changing.

Every name and company that a person types is new, so that a value says who typed it; a person who
replaces a value has seen it, and loses nothing.
"""

import itertools
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from formapp.crm import owner
from tests.proofs.books.stage import BookStage
from tests.proofs.faults.rng import rng

FIRST, LAST, COMPANY = "name.first", "name.last", "company"
_CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}\r\nEND:VCARD\r\n"
Json = dict[str, Any]


@dataclass
class Ledger:
    """What people did.

    Attributes:
        made: ids of the records that people made.
        typed: value to the side it was typed on and that side's id of the record.
        replaced: values that a person saw in an address book and replaced.
        labels: each label to the side and record that got it; taken off ones are removed.
        phones: the same of added phones, by their last nine digits.
        gone: ids of records that a person deleted or merged, of either side.
        own_calls: calls to Wix's API that people made, by operation.
    """

    made: set[str] = field(default_factory=set)
    typed: dict[str, tuple[str, str]] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    labels: dict[str, tuple[str, str]] = field(default_factory=dict)
    phones: dict[str, tuple[str, str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    own_calls: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)


class People:
    """The people of one round, in one thread per side."""

    def __init__(self, stage: BookStage, seed: str) -> None:
        self._stage = stage
        self._rng = rng(seed, "people")
        self._numbers = itertools.count(1)
        self.ledger = Ledger()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.errors: list[str] = []

    # At first

    def move_in(self, contacts: int) -> None:
        """Half of the contacts are on both sides, some with another company; a quarter on each."""
        for number in range(contacts):
            share = number % 4
            person = self._person(number)
            if share != 3:
                self._add_contact(person)
            if share != 0:
                if share == 1 and number % 8 == 1:
                    person[COMPANY] = self._new("Firm")
                self._add_card(f"p{number}.vcf", person)

    def _add_contact(self, person: dict[str, str]) -> None:
        made = str(self._stage.wix.add(**_info(person))["id"])
        self._type("wix", made, person[FIRST], person[LAST], person[COMPANY])
        self.ledger.made.add(made)

    def _add_card(self, name: str, person: dict[str, str]) -> None:
        # First: it may be seen at once.
        self._type("crm", name, person[FIRST], person[LAST], person[COMPANY])
        self.ledger.made.add(name)
        self._stage.book.put(name, _card(person))

    def _person(self, number: int) -> dict[str, str]:
        return {
            FIRST: self._new("Ada"),
            LAST: self._new("Silva"),
            COMPANY: self._new("Firm"),
            "email": f"p{number}@example.com",
            "phone": f"912{number:06}",
        }

    def _new(self, word: str) -> str:
        return f"{word} n{next(self._numbers)}"

    def _type(self, side: str, record_id: str, *values: str) -> None:
        self.ledger.typed |= dict.fromkeys(values, (side, record_id))

    # From then on

    def start(self, per_second: float) -> None:
        """Begin to edit, on both sides at once."""
        for act in (self._act_at_wix, self._act_in_book):
            thread = threading.Thread(target=self._go_on, args=(act, per_second), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Stop, and wait until they have."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    @property
    def edits(self) -> int:
        """How many edits they made."""
        return sum(self.ledger.edits.values())

    def _go_on(self, act: Callable[[], None], per_second: float) -> None:
        while not self._stopping.wait(self._rng.uniform(0.2, 1.8) * 2 / per_second):
            try:
                act()
            except Exception as error:  # noqa: BLE001 - the judge reports it
                self.errors.append(repr(error))
                return

    def _draw(self, records: list[Any]) -> Any:
        """A record, often one of the few that everybody edits."""
        few = records[: max(3, len(records) // 10)]
        return self._rng.choice(few if self._rng.random() < 0.4 else records)

    # At Wix, in the dashboard: without preconditions, but the sandbox keeps what was replaced

    def _act_at_wix(self) -> None:
        contact = self._draw(self._stage.wix.contacts())
        kinds = ["name"] * 8 + ["company"] * 3 + ["spelling"] * 3 + ["phone"] * 2 + ["label"] * 2
        kind = self._rng.choice([*kinds, "unlabel", "delete", "merge", "new", "new"])
        getattr(self, f"_wix_{kind}")(contact)
        self.ledger.edits[f"{kind} at Wix"] += 1

    def _wix_name(self, contact: Json) -> None:
        name = dict(contact["info"].get("name", {}))
        part = self._rng.choice(("first", "last"))
        name[part] = self._new("Eva" if part == "first" else "Costa")
        self._type("wix", contact["id"], name[part])
        self._stage.wix.edit(contact["id"], name=name)

    def _wix_company(self, contact: Json) -> None:
        text = self._new("House")
        self._type("wix", contact["id"], text)
        self._stage.wix.edit(contact["id"], company=text)

    def _wix_spelling(self, contact: Json) -> None:
        items = contact["info"].get("phones", {}).get("items", [])
        phones = [{"phone": _respelled(each["phone"], self._rng)} for each in items]
        if phones:
            self._stage.wix.edit(contact["id"], phones={"items": phones})

    def _wix_phone(self, contact: Json) -> None:
        items = contact["info"].get("phones", {}).get("items", [])
        number = f"93{next(self._numbers):07}"
        self.ledger.phones[number] = ("wix", contact["id"])
        phones = [*({"phone": each["phone"]} for each in items), {"phone": number}]
        self._stage.wix.edit(contact["id"], phones={"items": phones})

    def _wix_label(self, contact: Json) -> None:
        name = self._new("Label")
        self.ledger.labels[name] = ("wix", contact["id"])
        key = self._stage.wix.label(name)
        path = f"/contacts/{contact['id']}/labels"
        self._call("POST", path, {"labelKeys": [key]}, "labelContact", "findOrCreateLabel")

    def _wix_unlabel(self, contact: Json) -> None:
        keys = contact["info"].get("labelKeys", {}).get("items", [])
        if not keys:
            return
        shown = {each["key"]: each["displayName"] for each in self._labels()}
        self.ledger.labels.pop(shown.get(keys[0], ""), None)
        path = f"/contacts/{contact['id']}/labels"
        self._call("DELETE", path, {"labelKeys": keys[:1]}, "unlabelContact")

    def _labels(self) -> list[Json]:
        self.ledger.own_calls["listLabels"] += 1
        found: list[Json] = self._stage.wix.api("GET", "/labels?paging.limit=1000")["labels"]
        return found

    def _wix_delete(self, contact: Json) -> None:
        self.ledger.gone.add(contact["id"])
        self._stage.wix.delete(contact["id"])

    def _wix_merge(self, contact: Json) -> None:
        target = self._draw(self._stage.wix.contacts())
        # A merge before the load would leave two cards of one person: those wait for the owner.
        found = owner.status(self._stage.database, "main", self._stage.clock())
        if target["id"] != contact["id"] and found.state == "running":
            self.ledger.gone.add(contact["id"])
            body = {
                "targetContactRevision": target["revision"],
                "sourceContactIds": [contact["id"]],
            }
            self._call("POST", f"/contacts/{target['id']}/merge", body, "mergeContacts")

    def _wix_new(self, _contact: Json) -> None:
        self._add_contact(self._person(10_000 + next(self._numbers)))

    def _call(self, method: str, path: str, body: Json, *operations: str) -> None:
        """Call the API; a person whose contact has changed meanwhile gives up."""
        self.ledger.own_calls.update(operations)
        try:
            self._stage.wix.api(method, path, body)
        except AssertionError:
            self.ledger.edits["given up"] += 1

    # In the address book: a program reads a card, and writes it with the ETag that it read

    def _act_in_book(self) -> None:
        names = sorted(self._names())
        if not names:
            time.sleep(0.1)
            return
        kinds = ["name"] * 8 + ["org"] * 3 + ["spelling"] * 3 + ["phone"] * 2 + ["label"] * 2
        kind = self._rng.choice([*kinds, "unlabel", "delete", "new"])
        name = self._draw(names)
        if kind == "new":
            self._book_new()
        else:
            self._book_edit(name, kind)
        self.ledger.edits[f"{kind} in the address book"] += 1

    def _names(self) -> list[str]:
        answer = self._stage.book.call("PROPFIND", headers={"Depth": "1"})
        found = re.findall(r"href>[^<]*/([^</]+\.vcf)<", answer.text)
        return [each for each in found if each not in self.ledger.gone]

    def _book_new(self) -> None:
        number = 20_000 + next(self._numbers)
        self._add_card(f"p{number}.vcf", self._person(number))

    def _book_edit(self, name: str, kind: str) -> None:
        answer = self._stage.book.call("GET", name)
        if answer.status_code != 200:
            return
        etag, text = answer.headers["ETag"], answer.content.decode()
        headers = {"If-Match": etag}
        if kind == "delete":
            if self._stage.book.call("DELETE", name, headers=headers).status_code < 300:
                self.ledger.gone.add(name)
            return
        edit = _Edit(text)
        getattr(self, f"_card_{kind}")(edit)
        card = edit.text.encode()
        if self._stage.book.call("PUT", name, data=card, headers=headers).status_code >= 300:
            self.ledger.edits["given up"] += 1
            return
        self._type("crm", name, *edit.typed)
        self.ledger.replaced |= edit.replaced
        self.ledger.phones |= dict.fromkeys(edit.phones, ("crm", name))
        self.ledger.labels |= dict.fromkeys(edit.added, ("crm", name))
        for label in edit.removed:
            self.ledger.labels.pop(label, None)

    def _card_name(self, edit: "_Edit") -> None:
        last, first, *_ = [*edit.value("N").split(";"), ""]
        if self._rng.random() < 0.5:
            edit.replaced.add(first)
            first = self._new("Iris")
            edit.typed.append(first)
        else:
            edit.replaced.add(last)
            last = self._new("Rocha")
            edit.typed.append(last)
        edit.set("N", f"{last};{first};;;")
        edit.set("FN", f"{first} {last}")

    def _card_org(self, edit: "_Edit") -> None:
        edit.replaced.add(edit.value("ORG"))
        edit.typed.append(self._new("Shop"))
        edit.set("ORG", edit.typed[-1])

    def _card_spelling(self, edit: "_Edit") -> None:
        phone = edit.value("TEL")
        if phone:
            edit.set("TEL", _respelled(phone, self._rng))

    def _card_phone(self, edit: "_Edit") -> None:
        number = f"96{next(self._numbers):07}"
        edit.phones.append(number)
        edit.add("TEL", number)

    def _card_label(self, edit: "_Edit") -> None:
        name = self._new("Group")
        edit.added.append(name)
        edit.set("CATEGORIES", ",".join(filter(None, [edit.value("CATEGORIES"), name])))

    def _card_unlabel(self, edit: "_Edit") -> None:
        first, _, rest = edit.value("CATEGORIES").partition(",")
        if first:
            edit.removed.append(first)
            edit.set("CATEGORIES", rest)


class _Edit:
    """A card's text under a person's hands."""

    def __init__(self, text: str) -> None:
        self._lines = text.replace("\r\n ", "").split("\r\n")
        self.typed: list[str] = []
        self.replaced: set[str] = set()
        self.phones: list[str] = []
        self.added: list[str] = []
        self.removed: list[str] = []

    @property
    def text(self) -> str:
        return "\r\n".join(self._lines)

    def value(self, name: str) -> str:
        return next((line.partition(":")[2] for line in self._lines if _is(line, name)), "")

    def set(self, name: str, value: str) -> None:
        for number, line in enumerate(self._lines):
            if _is(line, name):
                self._lines[number] = f"{name}:{value}"
                if not value:
                    del self._lines[number]
                return
        self.add(name, value)

    def add(self, name: str, value: str) -> None:
        self._lines.insert(self._lines.index("END:VCARD"), f"{name}:{value}")


def _is(line: str, name: str) -> bool:
    return re.match(rf"{name}[:;]", line) is not None


def _info(person: dict[str, str]) -> Json:
    return {
        "name": {"first": person[FIRST], "last": person[LAST]},
        "company": person[COMPANY],
        "emails": {"items": [{"email": person["email"]}]},
        "phones": {"items": [{"phone": person["phone"]}]},
    }


def _card(person: dict[str, str]) -> str:
    lines = (
        f"UID:{person['email']}",
        f"N:{person[LAST]};{person[FIRST]};;;",
        f"FN:{person[FIRST]} {person[LAST]}",
        f"ORG:{person[COMPANY]}",
        f"EMAIL:{person['email'].upper()}",
        f"TEL:{person['phone'][:3]} {person['phone'][3:]}",
        "X-OWN:stays",
    )
    return _CARD.format(lines="\r\n".join(lines))


def _respelled(phone: str, draw: random.Random) -> str:
    """The same number in another spelling."""
    digits = "".join(filter(str.isdigit, phone))[-9:]
    three = f"{digits[:3]} {digits[3:6]} {digits[6:]}"
    return draw.choice((f"+351{digits}", three, f"00351 {three}", f"(+351) {three}", digits))
