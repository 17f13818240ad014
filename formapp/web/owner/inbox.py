"""The inbox: its guard, signing in and out, and the list of leads.

Every route of the blueprint passes `guard`: somebody has signed in, an owner where something
changes, with a token against forged requests. Views ask for leads through `wanted_leads` and
`find_lead`, which know the sites that the user may see.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response as AnyResponse

from formapp.crm.digests import Digests
from formapp.db.state_counts import count_states
from formapp.forms.definition.model import FormDefinition
from formapp.languages import SOURCE
from formapp.leads.errors import LeadError
from formapp.leads.ids import find_submission
from formapp.leads.lead_filter import OUTCOMES, STATES, LeadFilter
from formapp.leads.places import list_sources
from formapp.leads.search import PAGE, LeadCount, LeadPage, count_leads, list_leads
from formapp.leads.summary import format_age
from formapp.mail.limit import MailLimit
from formapp.signing import Keyring
from formapp.web.errors import RefusalError
from formapp.web.headers import page_headers
from formapp.web.i18n import set_language
from formapp.web.owner.sign_in import PREFIX, csrf, current_user, sign_in_of
from formapp.web.responses import html_answer, refuse
from formapp.web.services import services

blueprint = Blueprint("inbox", __name__, url_prefix=PREFIX)

_EXTENSION = "formapp.inbox.settings"
_SAFE = {"GET", "HEAD", "OPTIONS"}
_OPEN = {"inbox.sign_in"}
_BY_READERS = {"inbox.sign_out"}
_LONGEST_SEARCH = 200

# Texts for the owner are in English: names keep them out of the catalogues.
_ENDED = "Please sign in again: your session has ended."
_ONLY_LOOK = "You may look at leads, but not change them."
_FORGED = "This page was open for too long. Go back, reload it, try again."
_NO_LEAD = "There is no such lead."

STATE_NAMES = {
    "pending": "Waiting",
    "delivered": "Delivered",
    "failed": "Failed",
    "quarantined": "In quarantine",
    "unconfirmed": "Unconfirmed",
    "spam": "Caught by the honeypot",
}
OUTCOME_NAMES = {
    "created": "New contact",
    "updated": "Contact updated",
    "unchanged": "Contact unchanged",
}
_MOST_ON_TAB = 99
_TABS = ("pending", "delivered", "failed", "quarantined", "unconfirmed")


@dataclass(frozen=True)
class InboxSettings:
    """What the inbox needs besides the services.

    Attributes:
        wix_sites: the id at Wix of each site whose id is known, for links to its dashboard.
        rate_limits: the calls to Wix in a minute that each site allows.
        book_sites: the site of each CRM book.
        keyring: signs what stays of an erased person.
        digests: recognize that person in CRM books.
        check_forms: says what is wrong with the form files as they are now.
    """

    wix_sites: Mapping[str, str]
    rate_limits: Mapping[str, int]
    book_sites: Mapping[str, str]
    keyring: Keyring
    digests: Digests
    mail_limit: MailLimit
    check_forms: Callable[[], Sequence[str]]


def init_app(app: Flask, settings: InboxSettings) -> None:
    app.extensions[_EXTENSION] = settings
    app.register_blueprint(blueprint)


def inbox_settings() -> InboxSettings:
    return cast("InboxSettings", current_app.extensions[_EXTENSION])


@blueprint.before_request
def guard() -> AnyResponse | None:
    """Let in who has signed in; changes need an owner and a token."""
    set_language(SOURCE)
    user = sign_in_of(current_app).current()
    if request.endpoint in _OPEN:
        csrf.protect()  # type: ignore[no-untyped-call] # Flask-WTF publishes no types
        return None
    if user is None:
        if request.method not in _SAFE:
            raise RefusalError(401, "UNAUTHORIZED", _ENDED)
        here = request.full_path.rstrip("?")
        return redirect(url_for("inbox.sign_in", next=None if here == PREFIX else here), 303)
    g.user = user
    if request.method not in _SAFE:
        csrf.protect()  # type: ignore[no-untyped-call] # Flask-WTF publishes no types
        if not user.may_act and request.endpoint not in _BY_READERS:
            raise RefusalError(403, "FORBIDDEN", _ONLY_LOOK)
    return None


@blueprint.errorhandler(CSRFError)
def forged(_error: CSRFError) -> Response:
    """Refuse a post that came from no page of this session."""
    return refuse(RefusalError(400, "CSRF", _FORGED))


@blueprint.errorhandler(LeadError)
def refused(error: LeadError) -> Response:
    """Show why something can't be done to a lead; nothing was changed."""
    return show_refusal(str(error))


def show_refusal(reason: str) -> Response:
    """Answer that something can't be done; an id in the reason is that of the lead at hand."""
    submission_id = (request.view_args or {}).get("submission_id")
    text = reason.replace(submission_id, "this lead") if submission_id else reason
    return page("refused.html", 409, reason=text, submission_id=submission_id)


def page(
    template: str,
    status: int = 200,
    *,
    connects: bool = False,
    frames: bool = False,
    **context: Any,
) -> Response:
    """Render a page of the inbox; `connects` lets it fetch from this server, `frames` frame it."""
    policy = dict(page_headers(services().origin, frames=("'self'",) if frames else ()))
    if connects:
        policy["Content-Security-Policy"] += "; connect-src 'self'"
    html = render_template(
        f"inbox/{template}",
        user=g.get("user"),
        has_sessions=sign_in_of(current_app).has_sessions,
        now=now(),
        format_age=format_age,
        state_names=STATE_NAMES,
        outcome_names=OUTCOME_NAMES,
        form_title=form_title,
        **context,
    )
    return html_answer(html, status, policy=policy, headers={"Cache-Control": "private, no-store"})


def now() -> datetime:
    return datetime.now(UTC)


def form_title(name: str) -> str:
    """Return how people call a form: its title, or its name if it is gone."""
    form = services().forms.get(name)
    return form.definition.title if form else name


def form_definition(name: str) -> FormDefinition | None:
    form = services().forms.get(name)
    return form.definition if form else None


def may_see_form(name: str) -> bool:
    """Return whether a form delivers to a site that the user may see."""
    sites, form = current_user().sites, services().forms.get(name)
    if sites is None:
        return True
    return form is not None and (form.definition.site or services().default_site) in sites


def find_lead(submission_id: str) -> str:
    """Return the full id of a lead that the user may see, or raise RefusalError: 404."""
    try:
        return find_submission(services().database, submission_id, current_user().sites)
    except LeadError:
        raise RefusalError(404, "NOT_FOUND", _NO_LEAD) from None


def wanted_leads() -> LeadFilter:
    """Return the filter of the address's query, within the sites that the user may see.

    What can't be read is left out: addresses are bookmarked, and forms come and go.
    """
    args = request.args
    chosen = LeadFilter(
        forms=_chosen("form"),
        sites=_chosen("site") or None,
        states=tuple(state for state in _chosen("state") if state in STATES),
        outcomes=tuple(each for each in _chosen("outcome") if each in OUTCOMES),
        since=_day(args.get("since")),
        until=_day(args.get("until"), days=1),
        search=args.get("search", "").replace("\0", "")[:_LONGEST_SEARCH],
    )
    return chosen.within(current_user().sites)


def _chosen(name: str) -> tuple[str, ...]:
    """Return the texts of a parameter, each once; PostgreSQL takes no NUL."""
    return tuple(text for text in dict.fromkeys(request.args.getlist(name)) if is_name(text))


def is_name(text: str) -> bool:
    """Whether a form, a site or a lead could have this name or id."""
    return bool(text) and text.isprintable()


def _day(text: str | None, days: int = 0) -> datetime | None:
    """Return the begin of a day (UTC), some days later."""
    try:
        day = datetime.fromisoformat(text or "").date() + timedelta(days=days)
        return datetime.combine(day, time(), UTC)
    except (ValueError, OverflowError):
        return None


def query_without(*names: str, **changed: str | None) -> str:
    """Return the address's query without these parameters and with others changed."""
    gone = {*names, *changed}
    pairs = [(name, text) for name, text in request.args.items(multi=True) if name not in gone]
    pairs += [(name, text) for name, text in changed.items() if text]
    return urlencode([(name, text) for name, text in pairs if text])


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> AnyResponse:
    signing = sign_in_of(current_app)
    if not signing.has_sessions:
        return redirect(url_for("inbox.leads"), 303)
    wrong, name = False, request.form.get("name", "")
    if request.method == "POST":
        if signing.sign_in(name.strip(), request.form.get("password", "")):
            return redirect(_next(), 303)
        wrong = True
    return page("sign_in.html", 422 if wrong else 200, wrong=wrong, name=name[:64])


@blueprint.post("/sign-out")
def sign_out() -> AnyResponse:
    """End this session, or all of the user's."""
    if "everywhere" in request.form:
        sign_in_of(current_app).users.sign_out_everywhere(current_user().name)
    session.clear()
    return redirect(url_for("inbox.sign_in"), 303)


@blueprint.get("")
def home() -> AnyResponse:
    return redirect(url_for("inbox.leads"), 303)


@blueprint.get("/leads")
def leads() -> Response:
    database, wanted = services().database, wanted_leads()
    after = next(iter(_chosen("after")), None)
    listed = list_leads(database, wanted, after=after)
    sources = list_sources(database, current_user().sites)
    forms = sorted({form for _, form in sources} | {*wanted.forms}, key=form_title)
    return page(
        "leads.html",
        connects=listed.searched_until is not None,
        listed=listed,
        count=_count(listed, wanted, after),
        wanted=wanted,
        forms=forms,
        sites=sorted({site for site, _ in sources}),
        tabs=_tabs(),
        is_filtered=bool(query_without("after")),
        next_query=query_without(after=listed.after),
        full=PAGE,
        first_query=query_without("after"),
        query_without=query_without,
    )


def _count(listed: LeadPage, wanted: LeadFilter, after: str | None) -> LeadCount | None:
    """Return how many fit, on this page and others; None: too few are counted to say."""
    is_partial = listed.searched_until is not None
    if not after and (is_partial or not listed.after):
        return LeadCount(len(listed.leads), has_more=is_partial)
    if is_partial:
        return None
    count = count_leads(services().database, wanted)
    return None if count.has_more and count.number < PAGE else count


def _tabs() -> list[tuple[str | None, str, LeadCount | None]]:
    """Return the states to choose from: state, name, and how many wait for a person."""
    sites = current_user().sites
    tabs: list[tuple[str | None, str, LeadCount | None]] = [(None, "All", None)]
    with services().database.read() as connection:
        for state in _TABS:
            count = None
            if state in {"failed", "quarantined"}:
                number = count_states(connection, (state,), sites=sites)
                count = LeadCount(min(number, _MOST_ON_TAB), number > _MOST_ON_TAB)
            tabs.append((state, STATE_NAMES[state], count))
    return tabs


def _next() -> str:
    """Return the page to go on with: one of the inbox, wherever the address leads."""
    wanted = request.args.get("next", "")
    inside = wanted.startswith((f"{PREFIX}/", f"{PREFIX}?")) and wanted.isprintable()
    is_plain = "\\" not in wanted and ".." not in wanted
    return wanted if inside and is_plain else url_for("inbox.leads")
