"""The page that shows the contacts as they change, as cards.

`/` shows all sites, `/sites/<site>` one, `/faults` the switches. `/people.json` is what the script
of the contacts page polls: `{"version", "count", "html"}`, or only the version if nothing has
changed since `?version=`. Everything also works by reloading.
"""

from typing import Any

from flask import Blueprint, Flask, Response, make_response, render_template, request

from formapp.sandbox.api.contact_info import items
from formapp.sandbox.api.records import address_text
from formapp.sandbox.core import Sandbox
from formapp.sandbox.pages.faults import faults_page
from formapp.sandbox.state import ContactRecord, Json, Site

Names = tuple[dict[str, str], dict[str, str]]
"""Display names of the labels and of the extended fields of a site, by key."""

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

ROLE_TEXTS = {"member": "Site member", "owner": "Site owner", "contributor": "Contributor"}
SCALAR_TEXTS = {
    "company": "Company",
    "jobTitle": "Position",
    "birthdate": "Birth date",
    "locale": "Language",
}


def register_pages(app: Flask, sandbox: Sandbox) -> None:
    """Add all pages to `app`."""
    pages = Blueprint("pages", __name__)
    app.after_request(_add_page_headers)

    @pages.get("/")
    def all_sites() -> str:
        return _contacts_page(sandbox, None)

    @pages.get("/sites/<site_id>")
    def one_site(site_id: str) -> str:
        return _contacts_page(sandbox, site_id)

    @pages.get("/people.json")
    def changes() -> Response:
        answer = make_response(_changes(sandbox))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.get("/faults")
    def faults() -> Response:
        return faults_page(sandbox)

    app.register_blueprint(pages)


def _add_page_headers(answer: Response) -> Response:
    if answer.mimetype == "text/html" and answer.status_code != 502:  # noqa: PLR2004 - a fault's page
        answer.headers.update(HEADERS)
    return answer


def _contacts_page(sandbox: Sandbox, site_id: str | None) -> str:
    sites = [(site.id, len(site.contacts)) for site in sandbox.store.sites()]
    return render_template("contacts.html", **_find(sandbox, site_id), sites=sites)


def _changes(sandbox: Sandbox) -> Json:
    version = sandbox.store.version()
    if request.args.get("version") == version:
        return {"version": version}
    found = _find(sandbox, request.args.get("site") or None)
    html = render_template("contact_list.html", **found)
    return {"version": version, "count": found["count"], "html": html}


def _find(sandbox: Sandbox, site_id: str | None) -> Json:
    """Return the values of the contact list: matching cards, the latest change first."""
    search = request.args.get("q", "").strip()
    version = sandbox.store.version()  # read first: a change from now on shows next time
    sites = sandbox.store.sites()
    total, cards, gone = 0, [], []
    for site in sites:
        if site_id in (None, site.id):
            with site.lock:
                total += len(site.contacts)
                names = _display_names(site.labels), _display_names(site.fields)
                cards += _cards(site, names, search)
                latest = list(site.gone.values())[-MAX_GONE:]
                gone += [_card(site, names, record) for record in latest]
    cards.sort(key=lambda one: one["updated_date"], reverse=True)
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
    }


def _cards(site: Site, names: Names, search: str) -> list[Json]:
    """Return the matching cards; without a search those of the latest contacts."""
    records = list(site.contacts.values())
    if search:
        return [
            one for one in (_card(site, names, record) for record in records) if _has(one, search)
        ]
    records.sort(key=lambda record: str(record.body["updatedDate"]))
    return [_card(site, names, record) for record in records[-MAX_SHOWN:]]


def _has(card: Json, search: str) -> bool:
    texts = [card["name"], card["id"], *card["labels"]]
    texts += [text for row in card["rows"] for text in (row["value"], row["note"])]
    return search.casefold() in "\n".join(texts).casefold()


def _card(site: Site, names: Names, record: ContactRecord) -> Json:
    """Return the values of a contact's card. Hold the site's lock."""
    body, info = record.body, record.body["info"]
    name = _display_name(info)
    label_names, field_names = names
    return {
        "id": body["id"],
        "site": site.id,
        "name": name,
        "initials": _initials(name),
        "revision": body["revision"],
        "updated_date": body["updatedDate"],
        "role": ROLE_TEXTS.get(record.role or ""),
        "billing": record.has_billing_subscription,
        "gone": record.gone,
        "rows": _rows(site, info, field_names),
        "labels": [label_names.get(key, key) for key in items(info, "labelKeys")],
        "history": record.history[::-1],
        "label_names": label_names,
        "field_names": field_names,
    }


def _display_names(definitions: Json) -> dict[str, str]:
    return {key: one["displayName"] for key, one in definitions.items()}


def _display_name(info: Json) -> str:
    """Return the name of a contact, else its email or phone."""
    name = info.get("name", {})
    full = " ".join(part for part in (name.get("first"), name.get("last")) if part)
    emails = [str(one["email"]) for one in items(info, "emails")]
    phones = [str(one["phone"]) for one in items(info, "phones")]
    return next(iter([*([full] if full else []), *emails, *phones]), "No name")


def _initials(name: str) -> str:
    words = [word for word in name.split() if word[0].isalpha()]
    ends = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0] for word in ends).upper() or "#"


def _row(term: str, value: Any, *notes: str | None, primary: bool = False) -> Json:
    note = ", ".join(one for one in notes if one)
    return {"term": term, "value": str(value), "note": note, "primary": primary}


def _rows(site: Site, info: Json, field_names: dict[str, str]) -> list[Json]:
    emails = [
        _row("Email", one["email"], _tag(one), primary=one["primary"])
        for one in items(info, "emails")
    ]
    phones = [
        _row("Phone", one["phone"], _tag(one), _e164(one), primary=one["primary"])
        for one in items(info, "phones")
    ]
    scalars = [_row(text, info[name]) for name, text in SCALAR_TEXTS.items() if name in info]
    addresses = [
        _row("Address", address_text(one["address"]), _tag(one)) for one in items(info, "addresses")
    ]
    fields = [
        _row(field_names.get(key, key), value, "extended field")
        for key, value in site.custom_values(info).items()
    ]
    return [*emails, *phones, *scalars, *addresses, *fields]


def _tag(item: Json) -> str:
    return "" if item["tag"] == "UNTAGGED" else str(item["tag"]).lower()


def _e164(phone: Json) -> str | None:
    return phone.get("e164Phone") if phone.get("e164Phone") != phone["phone"] else None
