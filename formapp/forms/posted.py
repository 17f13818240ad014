"""Reading a post: the field that each name stands for, the answers, the consents and the lead.

A field is known by its name and by its aliases. A name may have brackets behind it, as lists are
often written: `name[]` stands for `name`, and in a group of boxes `name[0]`, `name[1]` are its
values in the order of their numbers. An alias that has brackets itself takes precedence.

Other servers' names are known too where the form would miss a field: in another case (`Email`), or,
if no name is known, within one container (`data[email]`).
"""

import re
from collections.abc import Iterable
from typing import TypedDict

import msgspec
from msgspec.structs import replace

from formapp.forms.definition.layout import unmet
from formapp.forms.definition.links import spelled_out
from formapp.forms.definition.model import (
    LIST_NAME,
    RESERVED,
    FieldDefinition,
    FormDefinition,
    PropertyTarget,
    in_brackets,
)
from formapp.forms.definition.uploads import KEPT
from formapp.forms.fields.base import Answer, Field, Identity
from formapp.forms.fields.numbers import Number
from formapp.forms.fields.text import Hidden
from formapp.forms.mapping import E164, LeadMapping
from formapp.forms.notes import LONGEST_NOTE, MAX_NAME, NOT_AN_OPTION, UNKNOWN_CUT, Note
from formapp.forms.reading.contact import PhoneNumber
from formapp.forms.reading.numbers import JsonNumber
from formapp.lead import Lead, Private
from formapp.spam.providers import CHALLENGE_NAMES

_SEVERAL = {"checkboxes", "checkbox", "consent", "file"}
"""Types of which a post may hold several values: a hidden input may be beside a box."""

_REPLY_TO = "_replyto"
_MAX_UNKNOWN, _MAX_TEXT = 50, 2000
_TOKEN = re.compile(
    r"csrf|xsrf|captcha|turnstile|viewstate|^__event|^_wpcf7|wpnonce|token\]?$"
    r"|^(?:_charset_|utf8|_method|form_build_id|form_key|(?:.*[\[_-])?nonce\]?)$"
    r"|^(?:phpsessid|jsessionid|asp\.net_sessionid|session_?id|sid)$",
    re.IGNORECASE,
)
"""What other servers protect or describe their forms with: it says nothing of a visitor."""
_CONTAINED = re.compile(r"(.+?)\[([^\[\]]+)\]((?:\[[0-9]*\])?)")
_NO_INDEX = -1
_PERSON = {"first_name", "last_name", "full_name"}


class Posted(Private, frozen=True):
    """A post, sorted by the fields that its names stand for. Made by `Reader.sort`.

    Attributes:
        values: name -> its texts, as they came.
        sent: for each field the names by which it was sent, in the order in which their values
            count.
        texts: for each field the texts that count. Of several names of a single-valued field the
            first that isn't blank counts.
        lists: names that came as a JSON list.
        unknown: names that are neither a field's nor formapp's own.
        unmet: the fields whose `show_if` isn't met: what came for them isn't read.
    """

    fields: tuple[FieldDefinition, ...]
    values: dict[str, list[str]]
    sent: list[list[str]]
    texts: list[list[str]]
    lists: frozenset[str]
    unknown: list[str]
    unmet: frozenset[str] = frozenset()

    def get(self, name: str) -> str | None:
        """Return the first text of this very name, a blank one last; None where there is none."""
        texts = self.values.get(name)
        return next(filter(str.strip, texts), texts[0]) if texts else None

    def unknown_fields(self) -> tuple[dict[str, str | list[str]], list[Note]]:
        """Return what is kept of unknown fields, without blank ones, and a note if more came.

        What came for fields that don't apply is among it, whole.
        """
        kept: dict[str, str | list[str]] = {}
        if self.unmet:
            kept = self.unread()
        elif not self.unknown:
            return kept, []
        cut, most = False, _MAX_UNKNOWN + len(kept)
        for name in self.filled(self.unknown):
            if len(kept) >= most:
                return kept, [{"code": UNKNOWN_CUT}]
            texts, left = [], _MAX_TEXT
            for text in self.values[name]:
                if text[:left].strip():
                    texts.append(text[:left])
                cut |= len(text) > left
                left -= min(len(text), left)
            cut |= len(name) > MAX_NAME
            kept[name[:MAX_NAME]] = texts[0] if len(texts) == 1 else texts
        return kept, [{"code": UNKNOWN_CUT}] if cut else []

    def unread(self) -> dict[str, str | list[str]]:
        """Return what came for fields that don't apply, by the names it came by."""
        found: dict[str, str | list[str]] = {}
        for field, names in zip(self.fields, self.sent, strict=True):
            for name in self.filled(names) if field.name in self.unmet else ():
                texts = [str(text) for text in self.values[name] if text.strip()]
                found[name] = texts[0] if len(texts) == 1 else texts
        return found

    def unknown_again(self) -> list[tuple[str, str]]:
        """Return unknown fields to be posted again: a little more than what is kept of them."""
        return [
            (name, text[: _MAX_TEXT + 1])
            for name in self.filled(self.unknown)[: _MAX_UNKNOWN + 1]
            for text in self.values[name]
        ]

    def repeated(self) -> list[str]:
        """Return the single-valued names that came as a JSON list, or with different texts.

        Blanks don't count: a hidden input may send one beside a field.
        """
        found: list[str] = []
        for field, names in zip(self.fields, self.sent, strict=True):
            is_plain = len(names) == 1 and len(self.values[names[0]]) == 1
            if is_plain and names[0] not in self.lists:
                continue
            if names and field.type not in _SEVERAL:
                filled = self.filled(names)
                if self._differ(filled):
                    found += filled
                else:
                    found += self.lists.intersection(names)
        several = [n for n in RESERVED if n in self.lists or len(self.values.get(n, ())) > 1]
        found += [n for n in several if n in self.lists or self._differ([n])]
        return list(dict.fromkeys(found))

    def called(self) -> dict[str, str]:
        """Return the sender's name of each field: as it was sent, `name[0]` without its number.

        A field that wasn't sent, such as a box that isn't ticked, is called by its first alias
        where the sender knows the others by aliases alone; else by its own name.
        """
        pairs = list(zip(self.fields, self.sent, strict=True))
        called = {field.name: self._called(field, names) for field, names in pairs}
        with_alias = [field for field, names in pairs if field.aliases and names]
        foreign = with_alias and all(_base(called[f.name]) in f.aliases for f in with_alias)
        for field, names in pairs:
            if foreign and field.aliases and not names:
                called[field.name] = field.aliases[0]
        return called

    def filled(self, names: Iterable[str]) -> list[str]:
        """Return those of the names that have a text that isn't blank."""
        return [
            name for name in names if any(str(text).strip() for text in self.values.get(name, ()))
        ]

    def _differ(self, names: Iterable[str]) -> bool:
        return len({str(text).strip() for n in names for text in self.values[n]} - {""}) > 1

    def _called(self, field: FieldDefinition, names: list[str]) -> str:
        name = next(iter(self.filled(names) or names), field.name)
        return name if name in field.names or _index(name) == _NO_INDEX else _base(name)


class Consent(TypedDict):
    """A consent that was given: the field's name and the exact text that was shown."""

    field: str
    text: str


class Reading(Private, frozen=True):
    """What one submission says.

    `answers` are by field name, in the order of the form file; blank ones are left out, but a box
    that isn't ticked is False. A telephone number is there as typed, and in E.164 as
    `<name>.e164`. The store adds the time to `consents`. `texts` are the answers to fields for
    free text, `names` those of them that are a person's name. `notes` are for the owner. `unread`
    is what came for fields that don't apply.
    """

    answers: dict[str, Answer]
    consents: tuple[Consent, ...]
    lead: Lead
    texts: list[str]
    names: list[str]
    notes: list[Note] = msgspec.field(default_factory=list)
    unread: dict[str, str | list[str]] = msgspec.field(default_factory=dict)


class Reader:
    """Reads posts to one form in one language, by its fields' own code."""

    def __init__(self, name: str, definition: FormDefinition, fields: tuple[Field, ...]) -> None:
        given = definition.fields
        self._definitions = given
        self._fields = fields
        self._slots = {name: slot for slot, field in enumerate(given) for name in field.names}
        self._folded = {name.casefold(): slot for name, slot in self._slots.items()}
        self._reply_to = self._slots.pop(_REPLY_TO, _email_slot(given))
        self._known = frozenset({*RESERVED, KEPT, *CHALLENGE_NAMES, *definition.foreign_names})
        self._conditions = definition.conditions
        self._mapping = LeadMapping(definition, name)
        consents = [f for f in given if f.type == "consent"]
        self._consents = [Consent(field=f.name, text=spelled_out(f.label_text)) for f in consents]
        self._texts = {f.name for f in given if f.type in {"text", "textarea"}}
        self._names = {
            f.name for f in given if isinstance(f.to, PropertyTarget) and f.to.property in _PERSON
        }

    def sort(self, pairs: Iterable[tuple[str, str]], lists: frozenset[str] = frozenset()) -> Posted:
        """Return the pairs of a post with what their names stand for.

        `lists` are names that came as a JSON list; a list of several values is several pairs.
        """
        values: dict[str, list[str]] = {}
        numbers: set[str] = set()
        for name, text in pairs:
            if isinstance(text, JsonNumber):
                numbers.add(name)
                text = str(text)  # noqa: PLW2901 - only number fields mind, and no store takes it
            if name in values:
                values[name].append(text)
            else:
                values[name] = [text]
        if lists:
            self._add_empty(values, lists)
        sent, unknown = self._by_slot(values, lists)
        texts = [values[names[0]] if len(names) == 1 else [] for names in sent]
        posted = Posted(self._definitions, values, sent, texts, lists, unknown)
        for slot, names in enumerate(sent):
            if len(names) > 1 or len(texts[slot]) > 1:
                self._join(posted, slot)
        if _REPLY_TO in values and self._reply_to is not None:
            self._fill_in(posted, self._reply_to)
        if numbers:
            self._mark(posted, numbers)
        if self._conditions:
            return replace(posted, unmet=self._unmet(texts))
        return posted

    def read(
        self, posted: Posted, *, default_site: str, page: str | None, referrer: str | None
    ) -> Reading:
        """Return what a post says, or raise InvalidAnswersError.

        `default_site` is the lead's where the form names none; `page` and `referrer` are of the
        request, and count where the post itself doesn't say.
        """
        answers: dict[str, Answer] = {}
        identities: dict[str, Identity] = {}
        texts: list[str] = []
        names: list[str] = []
        notes: list[Note] = []
        unmet = posted.unmet
        for field, sent in zip(self._fields, posted.texts, strict=True):
            if unmet and field.name in unmet:
                continue
            answer, identity, not_offered = field.read(sent)
            name = field.name
            if not_offered:
                notes += _not_offered(name, not_offered)
            if answer is None and isinstance(field, Hidden) and field.definition.from_:
                elsewhere = page if field.definition.from_ == "page" else referrer
                answer = field.cut(elsewhere or "") or None
            if answer is None:
                continue
            answers[name] = answer
            if identity is not None:
                identities[name] = identity
                if isinstance(identity, PhoneNumber):
                    answers[f"{name}{E164}"] = identity.identity
            if name in self._texts and isinstance(answer, str):
                texts.append(answer)
                if name in self._names:
                    names.append(answer)
        consents = [each for each in self._consents if answers.get(each["field"]) is True]
        lead = self._mapping.lead_of(answers, default_site, identities)
        unread = posted.unread() if unmet else {}
        return Reading(answers, tuple(consents), lead, texts, names, notes, unread)

    def file_slot(self, name: str) -> int | None:
        """Return the index of the field for files that a name stands for.

        Else that of the first one: a file under another name should get there, too. None where the
        form takes no files.
        """
        base = _base(name)
        slot = self._slots.get(name, self._slots.get(base))
        slot = self._folded.get(base.casefold()) if slot is None else slot
        slots = [index for index, field in enumerate(self._definitions) if field.type == "file"]
        return slot if slot in slots else next(iter(slots), None)

    def _add_empty(self, values: dict[str, list[str]], lists: frozenset[str]) -> None:
        """Add known names that came as an empty list, which has no pair."""
        for name in sorted(lists.difference(values)):
            if name in RESERVED or self._slot(name) is not None:
                values[name] = []

    def _by_slot(
        self, values: dict[str, list[str]], lists: frozenset[str]
    ) -> tuple[list[list[str]], list[str]]:
        """Return the names that stand for each field, and the unknown ones."""
        sent: list[list[str]] = [[] for _ in self._fields]
        unknown: list[str] = []
        for name in values:
            slot = self._slots.get(name)
            if slot is None and name not in self._known:
                slot = self._slot(name)
                if slot is None and not _TOKEN.search(name):
                    unknown.append(name)
            if slot is not None:
                sent[slot].append(name)
        if unknown:
            several = {name for name in unknown if name in lists or len(values[name]) > 1}
            unknown = self._guess(sent, unknown, several)
        return sent, unknown

    def _guess(self, sent: list[list[str]], unknown: list[str], several: set[str]) -> list[str]:
        """Find fields that weren't sent by other spellings of their names; return other names.

        `several` are names with several values, which would only be refused for most fields.
        """
        container = None if any(sent) else self._container(unknown)
        known = [bool(names) for names in sent]
        rest: list[str] = []
        for name in unknown:
            within = _CONTAINED.fullmatch(name) if container else None
            key = within[2] if within and within[1] == container else name.strip()
            slot = self._slots.get(key, self._folded.get(key.casefold()))
            is_free = slot is not None and not known[slot]
            if slot is not None and is_free and not self._fields[slot].several:
                is_free = not sent[slot] and name not in several
            if slot is None or not is_free:
                rest.append(name)
            else:
                sent[slot].append(name)
        return rest

    def _container(self, unknown: list[str]) -> str | None:
        """Return the container that holds the most of the form's fields, None where two do."""
        slots: dict[str, set[int]] = {}
        for name in unknown:
            if (within := _CONTAINED.fullmatch(name)) and within[2] in self._slots:
                slots.setdefault(within[1], set()).add(self._slots[within[2]])
        most = max(map(len, slots.values()), default=0)
        largest = [name for name, held in slots.items() if len(held) == most]
        return largest[0] if len(largest) == 1 else None

    def _slot(self, name: str) -> int | None:
        field = in_brackets(self._definitions, name) if name.endswith("]") else None
        return self._slots.get(name) if field is None else self._slots[field.name]

    def _fill_in(self, posted: Posted, slot: int) -> None:
        """Take the address for replies for that of an e-mail field that is absent or blank."""
        if not posted.filled(posted.sent[slot]) and posted.filled([_REPLY_TO]):
            posted.sent[slot][:] = [_REPLY_TO]
            posted.texts[slot] = posted.values[_REPLY_TO][:1]

    def _join(self, posted: Posted, slot: int) -> None:
        """Choose among the names of one field, or join the values of a group."""
        names = posted.sent[slot]
        names.sort(key=lambda name: _NO_INDEX if name in self._slots else _index(name))
        texts = [text for name in names for text in posted.values[name]]
        if not self._fields[slot].several:
            texts = [text for text in texts if text.strip()][:1] or texts[:1]
        posted.texts[slot] = texts

    def _unmet(self, texts: list[list[str]]) -> frozenset[str]:
        def shown(name: str) -> object:
            slot = self._slots[name]
            return self._fields[slot].shown(texts[slot])

        return unmet(self._conditions, shown)

    def _mark(self, posted: Posted, numbers: set[str]) -> None:
        """Mark what came as JSON numbers, for the fields that read them."""
        for slot, field in enumerate(self._fields):
            if isinstance(field, Number) and numbers.intersection(posted.sent[slot]):
                posted.texts[slot] = list(map(JsonNumber, posted.texts[slot]))


def _not_offered(name: str, texts: Iterable[str]) -> list[Note]:
    return [Note(code=NOT_AN_OPTION, field=name, value=text[:LONGEST_NOTE]) for text in texts]


def _email_slot(fields: tuple[FieldDefinition, ...]) -> int | None:
    """Return the index of the field for the contact's address, or else of the first address."""
    of_contact = [isinstance(f.to, PropertyTarget) and f.to.property == "email" for f in fields]
    of_type = [f.type == "email" for f in fields]
    return next((found.index(True) for found in (of_contact, of_type) if True in found), None)


def _index(name: str) -> int:
    match = LIST_NAME.fullmatch(name)
    return int(match["index"]) if match and match["index"] else _NO_INDEX


def _base(name: str) -> str:
    match = LIST_NAME.fullmatch(name)
    return match["name"] if match else name
