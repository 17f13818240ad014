"""One lead of the inbox, and what its owner can do with it.

Each action has a page that says what it will do and asks once; its button posts to the page's own
address.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from formapp.files.links import short_address
from formapp.files.records import of_submission
from formapp.files.sweep import delete_at_once
from formapp.forms.fields.base import InvalidAnswersError
from formapp.forms.form import Form
from formapp.forms.notes import format_note
from formapp.forms.posted import Reading
from formapp.leads import audit
from formapp.leads.confirm import resend_mail
from formapp.leads.erase import erase_leads_of
from formapp.leads.mark_spam import mark_spam
from formapp.leads.release import release, reread_by
from formapp.leads.report import show_submission
from formapp.leads.retry import correct_submission, pairs_of, remap_by, retry_submission
from formapp.leads.same_person import list_others, list_own
from formapp.leads.summary import summary_of
from formapp.leads.timeline import (
    answers_of,
    changes_in_words,
    consents_of,
    events_of,
    format_value,
)
from formapp.mail.limit import MailLimitError
from formapp.web.errors import RefusalError
from formapp.web.files import FOR_TEMPLATES
from formapp.web.owner.inbox import (
    blueprint,
    find_lead,
    form_definition,
    inbox_settings,
    now,
    page,
    show_refusal,
)
from formapp.web.owner.sign_in import current_user
from formapp.web.services import services

_DASHBOARD = "https://manage.wix.com/dashboard/{site}/contacts/view/{contact}"
_NO_ACTION = "There is no such action."
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Action:
    """Something to do with a lead.

    Attributes:
        name: of the button; as a sentence about the past it is `done`.
        run: does it; raises LeadError.
        explains: what it will do, as the page asks.
        is_grave: it can't be undone.
    """

    name: str
    states: frozenset[str]
    explains: str
    done: str
    run: Callable[[str], object]
    is_grave: bool = False


def _retry(submission_id: str) -> None:
    remap = remap_by(services().forms, services().default_site)
    retry_submission(services().database, submission_id, remap, now(), by=current_user().name)


def _release(submission_id: str) -> None:
    reread = reread_by(lambda: services().forms, services().default_site)
    release(services().database, submission_id, reread, now(), by=current_user().name)


def _spam(submission_id: str) -> None:
    mark_spam(services().database, submission_id, now(), by=current_user().name)


def _resend(submission_id: str) -> None:
    limit = inbox_settings().mail_limit
    resend_mail(services().database, submission_id, now(), limit, by=current_user().name)


def _erase(submission_id: str) -> None:
    app, settings = services(), inbox_settings()
    erase_leads_of(
        app.database,
        submission_id,
        keyring=settings.keyring,
        digests=settings.digests,
        now=now(),
        by=current_user().name,
    )
    delete_at_once(app.database, app.files.store, now())


ACTIONS: Mapping[str, Action] = {
    "retry": Action(
        "Try again now",
        frozenset({"pending", "failed"}),
        "It is delivered to Wix at once, as the form file maps it today.",
        "It is tried again now.",
        _retry,
    ),
    "correct": Action(
        "Correct the answers",
        frozenset({"failed"}),
        "",
        "The answers are corrected; it is tried again now.",
        _retry,  # after the answers are replaced, on a page of its own
    ),
    "release": Action(
        "Release it",
        frozenset({"quarantined", "spam"}),
        "It is no spam: it is delivered to Wix at once, or its sender is asked to confirm it.",
        "It is released.",
        _release,
    ),
    "spam": Action(
        "Mark as spam",
        frozenset({"pending", "failed", "unconfirmed"}),
        "It goes to quarantine: nothing of it is sent to Wix. You can release it later.",
        "It is in quarantine now.",
        _spam,
    ),
    "resend": Action(
        "Send the mail again",
        frozenset({"unconfirmed"}),
        "Its sender gets the mail that asks for a confirmation once more.",
        "The mail is sent again now.",
        _resend,
    ),
    "erase": Action(
        "Erase this person",
        frozenset({"pending", "delivered", "failed", "quarantined", "unconfirmed", "spam"}),
        "All answers, consents and identities of this person are erased here, in each of their "
        "leads listed below, for good. A pending delivery is cancelled. The contact at Wix stays: "
        "delete it there.",
        "The person is erased.",
        _erase,
        is_grave=True,
    ),
}


@blueprint.get("/leads/<submission_id>")
def lead(submission_id: str) -> AnyResponse:
    full = find_lead(submission_id)
    if full != submission_id:
        return redirect(url_for("inbox.lead", submission_id=full), 303)
    entry = show_submission(services().database, full)
    waiting = [each["due_at"] for each in entry["deliveries"] if each["state"] == "pending"]
    done = ACTIONS.get(request.args.get("done", ""))
    definition = form_definition(entry["form"])
    others, searches = list_others(services().database, full, current_user().sites)
    site, contact = inbox_settings().wix_sites.get(entry["site"]), entry["contact_id"]
    with services().database.read() as connection:
        files = of_submission(connection, full)
    return page(
        "lead.html",
        entry=entry,
        lead=summary_of(services().database, full),
        answers=answers_of(entry, definition),
        unknown={name: format_value(value) for name, value in entry["unknown"].items()},
        notes=[format_note(note) for note in entry["notes"]],
        consents=consents_of(entry),
        events=events_of(entry, audit.list_audit(services().database, full)),
        others=others,
        searches=searches,
        actions=_offered(entry),
        contact=_DASHBOARD.format(site=site, contact=contact) if site and contact else None,
        changes=changes_in_words(entry),
        due_at=datetime.fromisoformat(waiting[0]) if waiting else None,
        done=done.done if done else None,
        files=files,
        files_address=short_address(services().file_links, full, now()),
        here="inbox.leads",
        **FOR_TEMPLATES,
    )


@blueprint.route("/leads/<submission_id>/<action>", methods=["GET", "POST"])
def act(submission_id: str, action: str) -> AnyResponse:
    full = find_lead(submission_id)
    entry = show_submission(services().database, full)
    found = ACTIONS.get(action)
    if found is None:
        raise RefusalError(404, "NOT_FOUND", _NO_ACTION)
    if action not in _offered(entry):
        return show_refusal(f"“{found.name}” doesn't apply to this lead as it is now")
    if action == "correct":
        return _correct(entry)
    if request.method == "POST":
        try:
            found.run(full)
        except MailLimitError as error:
            return show_refusal(f"{error}; try again later")
        return _done(full, action)
    others, count = list_own(services().database, full) if action == "erase" else ([], 0)
    return page(
        "action.html",
        entry=entry,
        action=found,
        others=others,
        more=count - len(others),
        here="inbox.leads",
    )


def _offered(entry: Entry) -> dict[str, Action]:
    """Return the actions that the user may take on a lead in its state."""
    if not current_user().may_act or entry["erased_at"]:
        return {}
    offered = {name: each for name, each in ACTIONS.items() if entry["state"] in each.states}
    if entry["form"] not in services().forms:
        offered.pop("correct", None)
    if current_user().sites is not None:
        # A person's leads may be of several sites, of which the user sees only some.
        offered.pop("erase", None)
    return offered


def _done(submission_id: str, action: str) -> AnyResponse:
    if wake := services().on_kept:
        wake()
    return redirect(url_for("inbox.lead", submission_id=submission_id, done=action), 303)


def _correct(entry: Entry) -> AnyResponse:
    """Show the form with the stored answers, and read it by the form's own validation."""
    app, stored = services(), entry["answers"]
    form = app.form(entry["form"])
    form = form.localized.get(entry["meta"].get("language") or form.language, form)
    pairs = pairs_of(form, stored)
    wrong = False
    if request.method == "POST":
        pairs = _corrected(form, pairs)
        try:
            correct_submission(
                app.database,
                entry["id"],
                _read(form, pairs, entry),
                now(),
                by=current_user().name,
            )
        except InvalidAnswersError:
            wrong = True
        else:
            return _done(entry["id"], "correct")
    bound = form.bind(form.reader.sort(pairs), token=None)
    if wrong:
        bound.validate()
    faults = bound.faults()
    status = 422 if faults else 200
    controls = [field for field in bound.shown() if field.spec.type != "consent"]
    return page(
        "correct.html",
        status,
        entry=entry,
        controls=controls,
        faults=faults,
        form=form,
        here="inbox.leads",
    )


def _corrected(form: Form, stored: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what the page sent; consents and hidden fields stay as they were."""
    editable = {f.name for f in form.definition.fields if f.visible and f.type != "consent"}
    kept = [pair for pair in stored if pair[0] not in editable]
    sent = [pair for pair in request.form.items(multi=True) if pair[0] in editable]
    return [*sent, *kept]


def _read(form: Form, pairs: list[tuple[str, str]], entry: Entry) -> Reading:
    posted = form.reader.sort(pairs)
    origin = {key: entry["meta"].get(key) for key in ("page", "referrer")}
    return form.reader.read(posted, default_site=services().default_site, **origin)
