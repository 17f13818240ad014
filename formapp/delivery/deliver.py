"""The unit of work: claim due deliveries of one site, apply each lead, store each result.

While many leads wait, one call finds the contacts of a whole batch. Each lead is then written by
itself, as one that comes alone.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.delivery.claims import (
    SKEW,
    Claim,
    ClaimLostError,
    Intent,
    claim_many,
    intend,
    release,
)
from formapp.delivery.decide import (
    Create,
    Decision,
    Found,
    Keys,
    Nothing,
    Update,
    changes_of,
    decide,
)
from formapp.delivery.find import (
    BatchSearch,
    KeyCache,
    WrongDataTypeError,
    concerns_site,
    find_contact,
    find_duplicate,
    match,
    reread,
)
from formapp.delivery.results import Outcome, Result, ResultWriter
from formapp.delivery.sites import (
    BudgetSpentError,
    Clock,
    Pauses,
    RateLimitedClient,
    Site,
    StoppedError,
)
from formapp.jobs.backoff import Jitter
from formapp.monitoring.metrics import Metrics
from formapp.wix import (
    ContactAlreadyChangedError,
    ContactNotFoundError,
    DuplicateContactError,
    InvalidRequestError,
    NotFoundError,
    PreconditionFailedError,
    WixError,
)

MOST = 50
"""Leads in a batch."""

BATCH_TIME = timedelta(seconds=20)
"""Then what is left of a batch is given back: no lease ends meanwhile, and no form waits longer."""

SOON = timedelta(seconds=10)
"""A batch waits so long for room in the rate budget, and isn't larger than there is room then."""

ROUNDS = 5
"""How often a lost race is run again before the delivery is put back."""

MATCHED_BY_PHONE = "matched by the phone alone: personal fields were left as they are"

FileLink = Callable[[str, str], str | None]
"""Returns the address of the files of a submission and a field of its form; None without any."""

Wait = Callable[[threading.Event, float], object]
"""Waits for the event, at most so many seconds."""

_log = logging.getLogger(__name__)


class Deliverer:
    """Delivers leads of some sites, one batch at a time; each worker thread has its own.

    `grace` is how long a create of unknown outcome waits before its contact is searched for;
    without `file_link` a lead's files aren't linked.
    """

    def __init__(  # noqa: PLR0913 - collaborators, by keyword
        self,
        database: Database,
        sites: Iterable[Site],
        *,
        grace: timedelta,
        clock: Clock,
        jitter: Jitter = random.uniform,
        metrics: Metrics | None = None,
        wait: Wait = threading.Event.wait,
        file_link: FileLink | None = None,
    ) -> None:
        metrics = metrics or Metrics()
        self._database = database
        self._clients = {
            site.name: RateLimitedClient(site, database, clock, metrics) for site in sites
        }
        self._turns = [*self._clients]
        self._grace = grace
        self._clock = clock
        self._pauses = Pauses(database)
        self._keys = KeyCache(database)
        self._results = ResultWriter(
            database=database,
            pauses=self._pauses,
            grace=grace,
            clock=clock,
            jitter=jitter,
            metrics=metrics,
        )
        self._wait = wait
        self._file_link = file_link
        self._stopping = threading.Event()
        self._most = MOST
        self._held: list[Claim] = []

    def deliver_next(self) -> int:
        """Claim and deliver a batch of one site; return how many leads were tried, 0: none is due.

        After DatabaseUnavailableError the next call releases the claims, or their leases end.
        """
        self._give_back()
        now = self._clock()
        # A claim takes SQLite's only write lock, for longer the more deliveries wait: while they
        # pile up behind a pause, posts would wait for it.
        on_pause = self._pauses.paused(now)
        for site in [site for site in self._turns if site not in on_pause]:
            client = self._clients[site]
            room = client.room_within(SOON) - 1
            self._held = claim_many(self._database, site, now, max(1, min(self._most, room)))
            if self._held:
                # Sites take turns: this one is the last next time.
                self._turns.remove(site)
                self._turns.append(site)
                tried = self._deliver_batch(client)
                self._give_back()
                return tried
        return 0

    def interrupt(self) -> None:
        """End after the call in flight: what is held is given back. From any thread."""
        self._stopping.set()
        for client in self._clients.values():
            client.close()

    def _give_back(self) -> None:
        if self._held:
            release(self._database, self._held)
            self._held = []

    def _deliver_batch(self, client: RateLimitedClient) -> int:
        """Deliver what is held, until one shows that the others had better wait."""
        until = self._clock() + BATCH_TIME
        search = BatchSearch(client, self._held)
        tried, goes_on = 0, True
        while self._held and goes_on:
            claim = self._held[0]
            ids = {"delivery": claim.delivery_id, "submission": claim.submission_id}
            try:
                with structlog.contextvars.bound_contextvars(**ids):
                    goes_on = self._deliver_lead(claim, client, search, until)
            except ClaimLostError:
                _log.warning("delivery %d was taken over by another worker", claim.delivery_id)
            del self._held[0]
            tried += 1
            goes_on = goes_on and self._clock() < until and not self._stopping.is_set()
        ran_out = bool(self._held) and self._clock() >= until
        if ran_out or search.refused:
            # Wix is slow, or takes no filter of so many values: it publishes no limit.
            self._most = max(2, self._most // 2)
        elif search.found:
            self._most = min(MOST, self._most + 1)
        return tried

    def _deliver_lead(
        self, claim: Claim, client: RateLimitedClient, search: BatchSearch, until: datetime
    ) -> bool:
        """Deliver one; False if the site takes no other now."""
        intent = claim.intent
        if intent and intent.operation == "create":
            # By then a search would find its contact.
            ready_at = intent.at + self._grace
            if ready_at > self._clock():
                self._results.not_sent(claim, ready_at)
                return True
        client.start()
        upsert = ContactUpsert(claim, client, self._keys, self._file_link)
        try:
            self._wait_for_room(client, search.calls_for(claim), until)
            result = upsert.run(search.find(claim))
        except StoppedError:
            self._results.not_sent(claim)
            return False
        except BudgetSpentError as spent:
            self._results.budget_spent(claim, spent)
            return False
        except WixError as error:
            self._results.refused(claim, client, error, upsert.intent)
            return not concerns_site(error)
        except WrongDataTypeError as error:
            self._results.wrong_type(claim, client, error)
        except (ClaimLostError, DatabaseUnavailableError):
            raise
        except Exception as error:  # noqa: BLE001 - a defect must not stop the other leads
            self._results.defect(claim, client, error, upsert.intent)
        else:
            self._results.delivered(claim, client, result)
        return True

    def _wait_for_room(self, client: RateLimitedClient, calls: int, until: datetime) -> None:
        """Wait a moment for room for so many calls; raise BudgetSpentError if it takes longer."""
        while free_at := client.room_at(calls):
            now = self._clock()
            if free_at > min(now + SOON, until):
                raise BudgetSpentError(free_at)
            if self._stopping.is_set():
                raise StoppedError
            self._wait(self._stopping, max(0.0, (free_at - now).total_seconds()))


class ContactUpsert:
    """Applies one claimed lead to a contact: find, decide, store the intent, call.

    Wix settles the race with others who edit contacts: a create disallows duplicates, an update
    names the revision that was read. The loser reads again and decides again.

    Attributes:
        intent: the last write that was about to be sent, of this attempt or an earlier one.
    """

    def __init__(
        self,
        claim: Claim,
        client: RateLimitedClient,
        keys: KeyCache,
        file_link: FileLink | None = None,
    ) -> None:
        self.intent: Intent | None = claim.intent
        self._claim = claim
        self._lead = claim.lead
        self._client = client
        self._keys = keys
        self._file_link = file_link
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
        link, kept = self._file_link, self._claim.submission_id
        self._lead = self._lead.with_file_links(lambda field: link(kept, field) if link else None)
        keys = self._keys.keys_for(self._client, self._lead)
        found = self._flagged(found or find_contact(self._client, self._claim))
        lost: WixError | None = None
        for _ in range(ROUNDS):
            decision = decide(self._lead, found, keys, contested=self._contested)
            try:
                return self._act(decision, found, keys)
            except DuplicateContactError as error:
                lost, found = error, self._after_duplicate(error, decision, found)
            except (ContactAlreadyChangedError, ContactNotFoundError) as error:
                lost, found = error, self._after_change(found)
            except (InvalidRequestError, NotFoundError, PreconditionFailedError) as error:
                lost, keys = error, self._after_refusal(error, decision, keys)
                found = self._after_change(found) if found.contact else found
        raise lost or AssertionError("a round either returns or was lost")

    def _act(self, decision: Decision, found: Found, keys: Keys) -> Result:
        changes = changes_of(self._lead, found, decision, keys)
        outcome, contact_id, revision = self._write(decision, found)
        if found.matched_by == "phone" and outcome != "created":
            self._flags.append(MATCHED_BY_PHONE)
        return Result(outcome, contact_id, tuple(dict.fromkeys(self._flags)), changes, revision)

    def _write(self, decision: Decision, found: Found) -> tuple[Outcome, str, int]:
        """Return the outcome, the contact and its revision then."""
        contacts = self._client.wix.contacts
        if isinstance(decision, Nothing):
            return self._outcome_without_call(found), decision.contact_id, decision.revision
        if isinstance(decision, Create):
            earlier = self._claim.intent
            repeats = earlier is not None and earlier.operation == "create"
            first_at = earlier.since if earlier and repeats else None
            self._intend(Intent("create", self._client.clock(), first_at=first_at))
            created = contacts.create(decision.info)
            return "created", created.id, created.revision
        target, revision = decision.contact_id, decision.revision
        self._intend(Intent("update", self._client.clock(), target, revision))
        updated = contacts.update(target, revision, decision.info)
        return "updated", updated.id, updated.revision

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
        contact = self._client.wix.contacts.get(error.contact_id)
        # Wix's duplicate check may compare more loosely than we do: its result counts.
        by_phone = not self._lead.email or error.by_phone_alone
        named = Found(contact, "phone" if by_phone else "email")
        self._named_by_wix = match(contact, self._lead) or named
        return self._named_by_wix

    def _after_change(self, found: Found) -> Found:
        """Read the contact again; find another one if it is gone."""
        if found.contact and found is self._named_by_wix:
            contact = self._client.wix.contacts.get(found.contact.id)
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
