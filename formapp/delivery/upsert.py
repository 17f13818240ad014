"""Bringing a claimed lead to Wix: find, decide, note the intent, call.

The race with everybody else who edits contacts is settled by Wix: a create disallows duplicates, an
update names the revision that was read. Whoever loses reads again and decides again.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from msgspec import structs

from formapp.db.database import Database
from formapp.delivery.claims import Claim, Intent, intend
from formapp.delivery.client import Clock, RateLimitedClient
from formapp.delivery.contact_cache import ContactCache
from formapp.delivery.contact_info import Keys
from formapp.delivery.decide import Create, Decision, Found, Nothing, Update, decide
from formapp.delivery.find import SKEW, as_found, find, look_up, reread
from formapp.delivery.keys import KeyBook
from formapp.delivery.outcomes import Outcome
from formapp.lead import Lead
from formapp.wix import (
    ContactAlreadyChangedError,
    ContactNotFoundError,
    DuplicateContactError,
    InvalidRequestError,
    NotFoundError,
    PreconditionFailedError,
    WixError,
)

ROUNDS = 5
"""How often a lost race is run again before the delivery is put back."""

MATCHED_BY_PHONE = "matched by the phone alone: personal fields were left as they are"


@dataclass(frozen=True, slots=True)
class Result:
    """The lead is in Wix."""

    outcome: Outcome
    contact_id: str
    flags: tuple[str, ...] = ()


class ContactUpsert:
    """Brings one claimed lead to Wix, and keeps what it learns on the way until then."""

    def __init__(  # noqa: PLR0913 - collaborators
        self,
        claim: Claim,
        gate: RateLimitedClient,
        *,
        database: Database,
        memory: ContactCache,
        keybook: KeyBook,
        clock: Clock,
    ) -> None:
        self._database = database
        self._memory = memory
        self._keybook = keybook
        self._gate = gate
        self._clock = clock
        self._claim = claim
        self._contested = False
        self._flags: list[str] = []
        self._named: Found | None = None
        self._renewed = False
        self.intent: Intent | None = claim.intent

    def bring(self) -> Result:
        """Do it.

        Raises:
            WixError: a call did not succeed, or every round was lost.
            WrongDataTypeError: an extended field can't take what the form sends.
            BudgetSpentError: the rate budget has no room; nothing was sent by the call at hand.
            ClaimLostError: somebody else holds the delivery.
        """
        keys = self._keybook.keys_for(self._gate, self._claim.lead)
        found = self._noted(find(self._gate, self._memory, self._claim))
        lost: WixError | None = None
        for _ in range(ROUNDS):
            decision = self._decide(found, keys)
            try:
                return self._carry_out(decision, found)
            except DuplicateContactError as error:
                lost, found = error, self._after_duplicate(error, decision, found)
            except (ContactAlreadyChangedError, ContactNotFoundError) as error:
                lost, found = error, self._after_change(found)
            except (InvalidRequestError, NotFoundError, PreconditionFailedError) as error:
                lost, keys = error, self._after_refusal(error, decision, keys)
                found = self._after_change(found) if found.contact else found
        raise lost or AssertionError("a round either returns or was lost")

    def _decide(self, found: Found, keys: Keys) -> Decision:
        lead = self._claim.lead
        return decide(_without_contested(lead) if self._contested else lead, found, keys)

    def _carry_out(self, decision: Decision, found: Found) -> Result:
        if isinstance(decision, Nothing):
            return self._done(self._outcome_without_call(found), decision.contact_id, found)
        contacts = self._gate.wix.contacts
        if isinstance(decision, Create):
            self._intend(Intent("create", self._clock(), first_at=self._first_create()))
            return self._done("created", contacts.create(decision.info).id, found)
        target, revision = decision.contact_id, decision.revision
        self._intend(Intent("update", self._clock(), target, revision))
        updated = contacts.update(target, revision, decision.info)
        return self._done("updated", updated.id, found)

    def _outcome_without_call(self, found: Found) -> Outcome:
        """Nothing is lacking; if a write of ours was under way, it was that one."""
        intent = self._claim.intent
        if intent is None or found.contact is None:
            return "unchanged"
        if intent.operation == "update":
            return "updated"
        made = found.contact.created_date
        return "created" if made and made >= intent.since - SKEW else "unchanged"

    def _first_create(self) -> datetime | None:
        """When the create that this one repeats was noted; its outcome may still be unknown."""
        earlier = self._claim.intent
        return earlier.since if earlier and earlier.operation == "create" else None

    def _intend(self, intent: Intent) -> None:
        intend(self._database, self._claim, intent)
        self.intent = intent

    def _done(self, outcome: Outcome, contact_id: str, found: Found) -> Result:
        weak = found.matched_by == "phone" and outcome != "created"
        flags = [*self._flags, *([MATCHED_BY_PHONE] if weak else [])]
        return Result(outcome, contact_id, tuple(dict.fromkeys(flags)))

    def _noted(self, found: Found) -> Found:
        self._flags += found.flags
        return found

    def _after_duplicate(
        self, error: DuplicateContactError, decision: Decision, found: Found
    ) -> Found:
        """The prediction was wrong: Wix names the contact (contract section 11.3, 7 and 8)."""
        if not isinstance(decision, Create):
            self._contested = True
            self._flags.append(
                f"its e-mail or phone is another contact's: {error.contact_id or 'not named'}",
            )
            return self._after_change(found)
        if error.contact_id is None:
            raise error
        contact = self._gate.wix.contacts.get(error.contact_id).contact
        # The duplicate check may compare more loosely than we do: its word counts.
        by_phone = not self._claim.lead.email or (error.by_phone and not error.by_email)
        named = Found(contact, "phone" if by_phone else "email")
        self._named = as_found(contact, self._claim.lead) or named
        return self._named

    def _after_change(self, found: Found) -> Found:
        """Read again what has changed; look again for what is gone."""
        if found.contact and self._named and found is self._named:
            contact = self._gate.wix.contacts.get(found.contact.id).contact
            self._named = replace(found, contact=contact)
            return self._named
        lead = self._claim.lead
        if found.contact and (again := reread(self._gate, self._memory, lead, found.contact.id)):
            return replace(again, matched_by=found.matched_by)
        self._contested = False
        return self._noted(look_up(self._gate, lead))

    def _after_refusal(self, error: WixError, decision: Decision, keys: Keys) -> Keys:
        """A label or field may be gone: its key is found anew, once (contract section 9.5).

        One that was made anew may have the same key as before. Where nothing had to be made, and
        Wix doesn't name a key either, it refused something else. A 404 without a code may also
        mean the contact.
        """
        gone = isinstance(error, NotFoundError) and isinstance(decision, Update)
        if self._renewed or not (keys.labels or keys.fields or gone):
            raise error
        self._renewed = True
        made = self._keybook.made
        renewed = self._keybook.renew(self._gate, self._claim.lead)
        same = renewed == keys and self._keybook.made == made
        if same and not gone and not _names_a_key(error):
            raise error
        return renewed


def _names_a_key(error: WixError) -> bool:
    """Whether Wix says that a label or extended field is at fault; another worker may mend it."""
    paths = ("labelKeys", "extendedFields")
    return error.code == "INVALID_EXTENDED_FIELD_VALUE" or any(
        path in violation.field for violation in error.violations for path in paths
    )


def _without_contested(lead: Lead) -> Lead:
    """The lead without what Wix compares with other contacts."""
    return structs.replace(lead, email=None, phones=())
