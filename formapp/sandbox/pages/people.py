"""Pages for people: the contacts as they change, and the switches for faults.

`/` shows all sites, `/sites/<site>` one, `/faults` the switches. `/people.json` is what the
script of the contacts page polls: `{"version", "count", "html"}`, or the version alone if
nothing has changed since `?version=`. Everything works by reloading, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request

from formapp.sandbox.api.answers import json_answer
from formapp.sandbox.api.errors import STATUS_MESSAGES
from formapp.sandbox.api.operations import OPERATION_NAMES
from formapp.sandbox.pages.contacts import card, matches
from formapp.sandbox.pages.faults import PRESETS, ROUTES, fault_words, kinds, settings_rows

if TYPE_CHECKING:
    from flask import Flask

    from formapp.sandbox.core import Sandbox
    from formapp.sandbox.state import Json, Site

MAX_SHOWN = 200
MAX_GONE = 20
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def register_people(app: Flask, sandbox: Sandbox) -> None:
    """Add the pages to `app`."""
    people = Blueprint("people", __name__)
    app.after_request(_with_page_headers)

    @people.get("/")
    def all_sites() -> Response:
        return _contacts_page(sandbox, None)

    @people.get("/sites/<site_id>")
    def one_site(site_id: str) -> Response:
        return _contacts_page(sandbox, site_id)

    @people.get("/people.json")
    def changes() -> Response:
        return _changes(sandbox)

    @people.get("/faults")
    def faults() -> Response:
        return faults_page(sandbox)

    app.register_blueprint(people)


def _with_page_headers(answer: Response) -> Response:
    if answer.mimetype == "text/html" and answer.status_code != 502:  # noqa: PLR2004 - a fault's page
        answer.headers.update(HEADERS)
    return answer


def people_error(status: int) -> Response:
    """Return the page for an error, such as an address that does not exist."""
    message = STATUS_MESSAGES.get(status, "Something went wrong")
    return Response(render_template("error.html", message=message, status=status), status)


def faults_page(sandbox: Sandbox, problem: str | None = None) -> Response:
    """Return the page with the switches; `problem` says why a form was refused."""
    page = render_template(
        "faults.html",
        problem=problem,
        faults=[fault_words(one) for one in sandbox.faults.read()],
        presets=PRESETS,
        kinds=kinds(),
        operations=OPERATION_NAMES,
        sites=[site.id for site in sandbox.store.sites()],
        settings=settings_rows(sandbox.settings),
        counts=sandbox.calls.counts(),
        routes=ROUTES,
        base=request.host_url.rstrip("/"),
    )
    return Response(page, 400 if problem else 200)


def _contacts_page(sandbox: Sandbox, site_id: str | None) -> Response:
    found = _found(sandbox, site_id, request.args.get("q", "").strip())
    sites = [(site.id, len(site.contacts)) for site in sandbox.store.sites()]
    return Response(
        render_template("contacts.html", **found, sites=sites, base=request.host_url.rstrip("/"))
    )


def _changes(sandbox: Sandbox) -> Response:
    version = sandbox.store.version()
    if request.args.get("version") == version:
        answer = json_answer({"version": version})
    else:
        found = _found(sandbox, request.args.get("site") or None, request.args.get("q", "").strip())
        html = render_template("contact_list.html", **found, base=request.host_url.rstrip("/"))
        answer = json_answer({"version": version, "count": found["count"], "html": html})
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _found(sandbox: Sandbox, site_id: str | None, wanted: str) -> Json:
    """Return what the contact list needs: cards, the latest change first, and their number."""
    version = sandbox.store.version()  # before reading: a change while reading shows next time
    total, shown, gone = 0, [], []
    for site in sandbox.store.sites():
        if site_id in (None, site.id):
            with site.lock:
                total += len(site.contacts)
                shown += _cards(site, wanted)
                gone += [card(site, record) for record in list(site.gone.values())[-MAX_GONE:]]
    shown.sort(key=lambda one: one["updated_date"], reverse=True)
    count = len(shown) if wanted else total
    return {
        "version": version,
        "site_id": site_id,
        "wanted": wanted,
        "count": _count_words(count, total, wanted),
        "cards": shown[:MAX_SHOWN],
        "left_out": max(0, count - MAX_SHOWN),
        "gone": [] if wanted else gone[::-1],
        "several_sites": len(sandbox.store.sites()) > 1,
    }


def _cards(site: Site, wanted: str) -> list[Json]:
    """Return the cards that match, or the latest ones if nothing is searched for."""
    records = list(site.contacts.values())
    if wanted:
        return [one for one in (card(site, record) for record in records) if matches(one, wanted)]
    records.sort(key=lambda record: str(record.body["updatedDate"]))
    return [card(site, record) for record in records[-MAX_SHOWN:]]


def _count_words(count: int, total: int, wanted: str) -> str:
    noun = "contact" if total == 1 else "contacts"
    return f"{count} of {total} {noun}" if wanted else f"{total} {noun}"
