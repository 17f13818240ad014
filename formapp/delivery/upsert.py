"""One lead applied to one contact: find, decide, store the intent, call."""

from dataclasses import replace

from formapp.delivery.claims import SKEW, Claim, Intent, intend
from formapp.delivery.decide import (
    Change,
    Create,
    Decision,
    Found,
    Keys,
    Nothing,
    Update,
    changes_of,
    decide,
)
from formapp.delivery.find import KeyCache, find_contact, find_duplicate, match, reread
from formapp.delivery.results import Outcome, Result
from formapp.delivery.sites import RateLimitedClient
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


class ContactUpsert:
    """Applies one claimed lead to a contact: find, decide, store the intent, call.

    Wix settles the race with others who edit contacts: a create disallows duplicates, an update
    names the revision that was read. The loser reads again and decides again.

    Attributes:
        intent: the last write that was about to be sent, of this attempt or an earlier one.
    """

    def __init__(self, claim: Claim, client: RateLimitedClient, keys: KeyCache) -> None:
        self.intent: Intent | None = claim.intent
        self._claim = claim
        self._lead = claim.lead
        self._client = client
        self._keys = keys
        self._flags: list[str] = []
        self._contested = False
        self._keys_renewed = False
        self._named_by_wix: Found | None = None

    def run(self, found: Found | None = None) -> Result:
        """Apply the lead, to what was `found` for it if that has been searched for.

        Raises:
            WixError: a call did not succeed, or every round was lost.
            WrongDataTypeError: an extended field has another data type than the lead's value.
            BudgetSpentError, StoppedError: the call at hand was not sent.
            ClaimLostError: another worker holds the delivery.
        """
        keys = self._keys.keys_for(self._client, self._lead)
        found = self._flagged(found or find_contact(self._client, self._claim))
        lost: WixError | None = None
        for _ in range(ROUNDS):
            decision = decide(self._lead, found, keys, contested=self._contested)
            try:
                return self._act(decision, found, changes_of(self._lead, found, decision, keys))
            except DuplicateContactError as error:
                lost, found = error, self._after_duplicate(error, decision, found)
            except (ContactAlreadyChangedError, ContactNotFoundError) as error:
                lost, found = error, self._after_change(found)
            except (InvalidRequestError, NotFoundError, PreconditionFailedError) as error:
                lost, keys = error, self._after_refusal(error, decision, keys)
                found = self._after_change(found) if found.contact else found
        raise lost or AssertionError("a round either returns or was lost")

    def _act(self, decision: Decision, found: Found, changes: list[Change]) -> Result:
        contacts = self._client.wix.contacts
        if isinstance(decision, Nothing):
            outcome = self._outcome_without_call(found)
            seen = (decision.contact_id, decision.revision)
            return self._result(outcome, seen, found, changes)
        if isinstance(decision, Create):
            earlier = self._claim.intent
            repeats = earlier is not None and earlier.operation == "create"
            first_at = earlier.since if earlier and repeats else None
            self._intend(Intent("create", self._client.clock(), first_at=first_at))
            created = contacts.create(decision.info)
            return self._result("created", (created.id, created.revision), found, changes)
        target, revision = decision.contact_id, decision.revision
        self._intend(Intent("update", self._client.clock(), target, revision))
        updated = contacts.update(target, revision, decision.info)
        return self._result("updated", (updated.id, updated.revision), found, changes)

    def _outcome_without_call(self, found: Found) -> Outcome:
        """The contact has it all; a write of ours of unknown outcome may be the reason."""
        intent = self._claim.intent
        if intent is None or found.contact is None:
            return "unchanged"
        if intent.operation == "update":
            return "updated"
        created = found.contact.created_date
        return "created" if created and created >= intent.since - SKEW else "unchanged"

    def _intend(self, intent: Intent) -> None:
        intend(self._client.database, self._claim, intent)
        self.intent = intent

    def _result(
        self, outcome: Outcome, seen: tuple[str, int], found: Found, changes: list[Change]
    ) -> Result:
        """`seen` are the contact's id and revision."""
        if found.matched_by == "phone" and outcome != "created":
            self._flags.append(MATCHED_BY_PHONE)
        contact_id, revision = seen
        return Result(outcome, contact_id, tuple(dict.fromkeys(self._flags)), changes, revision)

    def _flagged(self, found: Found) -> Found:
        self._flags += found.flags
        return found

    def _after_duplicate(
        self, error: DuplicateContactError, decision: Decision, found: Found
    ) -> Found:
        """The prediction was wrong: Wix names the contact (CONTRACT.md section 11.3, 7 and 8)."""
        if not isinstance(decision, Create):
            self._contested = True
            other = error.contact_id or "not named"
            self._flags.append(f"its e-mail or phone is another contact's: {other}")
            return self._after_change(found)
        if error.contact_id is None:
            raise error
        contact = self._client.wix.contacts.get(error.contact_id).contact
        # Wix's duplicate check may compare more loosely than we do: its result counts.
        by_phone = not self._lead.email or error.by_phone_alone
        named = Found(contact, "phone" if by_phone else "email")
        self._named_by_wix = match(contact, self._lead) or named
        return self._named_by_wix

    def _after_change(self, found: Found) -> Found:
        """Read the contact again; find another one if it is gone."""
        if found.contact and found is self._named_by_wix:
            contact = self._client.wix.contacts.get(found.contact.id).contact
            self._named_by_wix = replace(found, contact=contact)
            return self._named_by_wix
        if found.contact and (again := reread(self._client, self._lead, found.contact.id)):
            return replace(again, matched_by=found.matched_by)
        self._contested = False
        return self._flagged(find_duplicate(self._client, self._lead))

    def _after_refusal(self, error: WixError, decision: Decision, keys: Keys) -> Keys:
        """A label or field may be gone: find its key again, once (CONTRACT.md section 9.5).

        One that was made anew may have the same key as before. Where nothing had to be made, and
        Wix doesn't name a key either, it refused something else. A 404 without a code may also
        mean the contact.
        """
        gone = isinstance(error, NotFoundError) and isinstance(decision, Update)
        if self._keys_renewed or not (keys.labels or keys.fields or gone):
            raise error
        self._keys_renewed = True
        created = self._keys.created
        renewed = self._keys.renew(self._client, self._lead)
        same = renewed == keys and self._keys.created == created
        if same and not gone and not _names_a_key(error):
            raise error
        return renewed


def _names_a_key(error: WixError) -> bool:
    """Whether Wix reports a label or extended field as the cause; another worker may correct it."""
    paths = ("labelKeys", "extendedFields")
    return error.code == "INVALID_EXTENDED_FIELD_VALUE" or any(
        path in violation.field for violation in error.violations for path in paths
    )
