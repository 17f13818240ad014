"""The pages that people see in a browser.

`/` shows the contacts of all sites as they change, as cards, `/sites/<site>` those of one, and
`/faults` and `/webhooks` the switches. `/people.json` is what the script of the contacts page
polls: `{"version", "count", "html"}`, or only the version if nothing has changed since `?version=`.
Everything also works by reloading.
"""

from collections.abc import Iterator
from dataclasses import asdict

from flask import Blueprint, Flask, Response, make_response, render_template, request

from formapp.sandbox.api.contact_info import items
from formapp.sandbox.api.errors import STATUS_MESSAGES
from formapp.sandbox.api.operations import OPERATION_NAMES
from formapp.sandbox.api.records import address_text, flatten
from formapp.sandbox.core import Sandbox
from formapp.sandbox.options import SETTING_RULES
from formapp.sandbox.state import ContactRecord, Json, Site

MAX_SHOWN = 200
MAX_GONE = 20
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def register_pages(app: Flask, sandbox: Sandbox) -> None:
    pages = Blueprint("pages", __name__)
    app.after_request(_add_page_headers)

    @pages.get("/", defaults={"site_id": None})
    @pages.get("/sites/<site_id>")
    def one_site(site_id: str | None) -> str:
        sites = [(site.id, len(site.contacts)) for site in sandbox.store.sites()]
        return render_template("contacts.html", **_find(sandbox, site_id), sites=sites)

    @pages.get("/people.json")
    def changes() -> Response:
        version = sandbox.store.version()
        answer: Json = {"version": version}
        if request.args.get("version") != version:
            found = _find(sandbox, request.args.get("site") or None)
            html = render_template("contact_list.html", **found)
            answer = {"version": version, "count": found["count"], "html": html}
        response = make_response(answer)
        response.headers["Cache-Control"] = "no-store"
        return response

    @pages.get("/faults")
    def faults() -> Response:
        return faults_page(sandbox)

    @pages.get("/webhooks")
    def webhooks() -> Response:
        return webhooks_page(sandbox)

    app.register_blueprint(pages)


def _add_page_headers(answer: Response) -> Response:
    if answer.mimetype == "text/html" and answer.status_code != 502:  # noqa: PLR2004 - a fault's page
        answer.headers.update(HEADERS)
    return answer


def _find(sandbox: Sandbox, site_id: str | None) -> Json:
    """Return the values of the contact list: matching cards, the latest change first."""
    search = request.args.get("q", "").strip()
    version = sandbox.store.version()  # read first: a change from now on shows next time
    sites = sandbox.store.sites()
    total, cards, gone = 0, [], []
    for site in sites:
        if site_id in (None, site.id):
            with site.lock:
                records = sorted(
                    site.contacts.values(), key=lambda one: str(one.body["updatedDate"])
                )
                shown = records if search else records[-MAX_SHOWN:]
                total += len(records)
                cards += [_card(site, record) for record in shown]
                gone += [_card(site, record) for record in list(site.gone.values())[-MAX_GONE:]]
    if search:
        cards = [one for one in cards if search.casefold() in "\n".join(_texts(one)).casefold()]
    cards.sort(key=lambda one: one["body"]["updatedDate"], reverse=True)
    count, noun = len(cards) if search else total, "contact" if total == 1 else "contacts"
    return {
        "version": version,
        "site_id": site_id,
        "search": search,
        "count": f"{count} of {total} {noun}" if search else f"{total} {noun}",
        "cards": cards[:MAX_SHOWN],
        "left_out": max(0, count - MAX_SHOWN),
        "gone": [] if search else gone[::-1],
        "several_sites": len(sites) > 1,
        "base": request.host_url.rstrip("/"),
        "address_text": address_text,
        "items": items,
    }


def _card(site: Site, record: ContactRecord) -> Json:
    """Return the values of a contact's card. Hold the site's lock."""
    info = record.body["info"]
    name = _display_name(info)
    words = [word for word in name.split() if word[0].isalpha()]
    return {
        "body": record.body,
        "site": site.id,
        "name": name,
        "initials": "".join(word[0] for word in (*words[:1], *words[1:][-1:])).upper() or "#",
        "role": record.role,
        "billing": record.has_billing_subscription,
        "gone": record.gone,
        "custom": site.custom_values(info),
        "history": record.history[::-1],
        "label_names": {key: one["displayName"] for key, one in site.labels.items()},
        "field_names": {key: one["displayName"] for key, one in site.fields.items()},
    }


def _display_name(info: Json) -> str:
    """Return the name of a contact, else its email or phone."""
    name = info.get("name", {})
    full = " ".join(filter(None, (name.get("first"), name.get("last"))))
    emails = [str(one["email"]) for one in items(info, "emails")]
    phones = [str(one["phone"]) for one in items(info, "phones")]
    return next(filter(None, [full, *emails, *phones]), "No name")


def _texts(card: Json) -> Iterator[str]:
    """Yield what the search looks at."""
    info = {**card["body"]["info"], "extendedFields": {"items": card["custom"]}}
    yield from (card["name"], card["body"]["id"])
    yield from (card["label_names"].get(key, key) for key in items(info, "labelKeys"))
    yield from (phone.get("e164Phone", "") for phone in items(info, "phones"))
    for value in flatten(info).values():
        yield from value if isinstance(value, list) else [str(value)]


def faults_page(sandbox: Sandbox, problem: str | None = None) -> Response:
    """Return the page of faults and settings; `problem` says why a form was refused."""
    page = render_template(
        "faults.html",
        problem=problem,
        faults=sandbox.faults.read(),
        operations=OPERATION_NAMES,
        sites=[site.id for site in sandbox.store.sites()],
        values=asdict(sandbox.settings),
        choices=SETTING_RULES,
        counts=sandbox.calls.read()["counts"],
        base=request.host_url.rstrip("/"),
    )
    return Response(page, 400 if problem else 200)


def webhooks_page(sandbox: Sandbox, problem: str | None = None) -> Response:
    """Return the page of the events that are sent; `problem` says why a form was refused."""
    found = sandbox.webhooks.read()
    page = render_template(
        "webhooks.html",
        problem=problem,
        values=found["settings"],
        waiting=found["waiting"],
        log=found["log"][:-MAX_SHOWN:-1],
        public_key=sandbox.webhooks.signer.public_key(),
    )
    return Response(page, 400 if problem else 200)


def refused_page(sandbox: Sandbox, problem: str) -> Response:
    is_webhooks = request.path.startswith("/_sandbox/webhooks")
    return (webhooks_page if is_webhooks else faults_page)(sandbox, problem)


def error_page(status: int) -> Response:
    message = STATUS_MESSAGES.get(status, "Something went wrong")
    return Response(render_template("error.html", message=message, status=status), status)
