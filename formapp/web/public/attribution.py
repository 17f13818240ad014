"""What a visit brings along: the page, where the visitor came from, the campaign (`utm_*`).

A form page keeps its own query in the form's action, so that nothing of it is lost when the form is
shown again with errors; the same way the page of another site's form outlives the errors that a
page of ours shows. Queries are kept with the submission and never logged.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Request, url_for

from formapp.forms.definition.model import FormDefinition
from formapp.forms.form import Form
from formapp.forms.origins import matches, origin_of
from formapp.forms.tokens import TOKEN_NAME, TokenContext, Use
from formapp.web.errors import RefusalError
from formapp.web.i18n import carried_language
from formapp.web.services import services

MAX_LENGTH = 2000
MAX_UTM = 20
_REFERRER = "_referrer"
_PAGE = "_page"
USE = "_use"
"""The name in a query that says whether a page stands in an iframe."""

_UNSAFE = re.compile(r"[\\\x00-\x20\x7f-\xa0]")
_FRAME = {"parent", "scheme"}
_OURS = {_REFERRER, _PAGE, USE, *_FRAME}
THEME = "theme."
"""What the names of a theme's parts begin with in a query; no field's name has a dot."""


@dataclass(frozen=True, repr=False)
class Attribution:
    """Where a submission came from.

    Attributes:
        page: the address of the page that the form was on.
        referrer: where the visitor had come from.
        utm: `utm_*` parameters of the page.
    """

    page: str | None = None
    referrer: str | None = None
    utm: Mapping[str, str] = field(default_factory=dict)


def action(
    request: Request, form: Form, context: TokenContext, foreign: Attribution | None = None
) -> str:
    """The address that our own page posts to: it carries the page's query and the referrer.

    `foreign` is the visit to another site's page, where its form is shown again on ours.
    """
    said = action_query(request, form, context.use, foreign)
    return f"{url_for('forms.show', name=form.name)}?{said}"


def action_query(request: Request, form: Form, use: Use, foreign: Attribution | None = None) -> str:
    """The query of that address."""
    query = {key: value[:MAX_LENGTH] for key, value in request.args.items() if key != USE}
    if foreign:
        query |= {_PAGE: foreign.page} if foreign.page else {}
    elif referrer := _foreign_referrer(request, services().address):
        # What brought the visitor to a page; to a frame it was the page around.
        query.setdefault(_PAGE if is_embedded(request) else _REFERRER, referrer)
    # Always there: a post to the page's own address would drop the page from the browser's cache,
    # and going back would then find a page with another token.
    query |= carried_language(form) | {USE: use}
    return urlencode(query)


def page_before(request: Request, foreign: Attribution | None = None) -> str | None:
    """The address, as the sender says it, of the page whose form a page of ours shows again.

    `foreign` is as for `action`, whose address tells the page from the second post on.
    """
    return foreign.page if foreign else _cut(request.args.get(_PAGE))


def thanks_query(request: Request) -> dict[str, str]:
    """What the thank-you page in an iframe needs of the form page's query."""
    return {key: value[:MAX_LENGTH] for key, value in request.args.items() if _is_look(key)}


def is_embedded(request: Request) -> bool:
    """Whether the page at hand, or the page that posts, stands in an iframe."""
    if request.endpoint == "forms.show":
        return False
    return request.endpoint == "forms.embed" or request.args.get(USE) == "embed"


def own_visit(request: Request, form: Form, address: str) -> Attribution:
    """The visit to a page of ours: the one that is shown, or by its action the one that posts.

    `address` is what links to this server begin with.
    """
    args = request.args
    page = address + url_for("forms.show", name=form.name)
    if not request.referrer and not args.keys() - {USE} and request.endpoint != "forms.embed":
        return Attribution(page)
    # An action always says the language, a page's address perhaps: it is kept by itself.
    said = carried_language(form)
    carried = {
        key: value[:MAX_LENGTH]
        for key, value in args.items()
        if key not in _OURS and key not in said and not _is_look(key)
    }
    around, referrer = (_cut(args.get(name)) for name in (_PAGE, _REFERRER))
    foreign = _foreign_referrer(request, address)
    page += f"?{urlencode(carried)}" if carried else ""
    if is_embedded(request):
        # embed.js tells the page's address, and where its visitor came from.
        around = around or foreign or _cut(args.get("parent"))
        return Attribution(around or _cut(page), referrer, _utm(carried))
    if around:
        return _elsewhere(around)
    return Attribution(_cut(page), referrer or foreign, _utm(carried))


def _is_look(key: str) -> bool:
    return key in _FRAME or key.startswith(THEME)


def foreign_visit(request: Request) -> Attribution:
    """The visit to another site's page, as far as its browser tells."""
    return _elsewhere(_cut(request.referrer) or _cut(request.headers.get("Origin")))


def _elsewhere(page: str | None) -> Attribution:
    try:
        query = urlsplit(page or "").query
    except ValueError:  # what is no address still says something to a person
        query = ""
    return Attribution(page, None, _utm(dict(parse_qsl(query))))


def _foreign_referrer(request: Request, address: str) -> str | None:
    """Where the visitor came from, unless from a page of this server."""
    if not (referrer := _cut(request.referrer)):
        return None
    own = (request.host_url, address + "/")
    return None if f"{referrer}/".startswith(own) else referrer


def _utm(query: Mapping[str, str]) -> dict[str, str]:
    found = ((key, value) for key, value in query.items() if key.startswith("utm_"))
    return dict(islice(found, MAX_UTM))


def _cut(text: str | None) -> str | None:
    return text[:MAX_LENGTH] if text else None


def is_own_page(request: Request, own_origin: str) -> bool:
    """Whether a post came from a page of this server, as far as the browser tells.

    A client that sends neither header is no browser: nobody's page can have made it post.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is None or origin.lower() in {own_origin, origin_of(request.host_url)}


def check_foreign(request: Request, form: Form) -> bool:
    """Let in the post of a form on another site, if its origin is on the list.

    Returns:
        False if no origin is known, where the owner takes such posts into quarantine.

    Raises:
        RefusalError: 403, with what the owner of that page can do.
    """
    origin = request.headers.get("Origin") or "null"
    if origin == "null" and form.definition.spam.unknown_origin == "quarantine":
        return False
    if not form.allows_origin(origin):
        raise RefusalError(
            403,
            "BLOCKED",
            "This form doesn't accept submissions from that page. Please open the form on its "
            "own page and send it from there.",
        )
    return True


def refuse_stolen_token(request: Request, form: Form) -> None:
    """Refuse a post of another site's page with a genuine token: it was taken from a page of ours.

    From a site that isn't listed it is refused like anything else from there.

    Raises:
        RefusalError: 403, with what the owner of that page can do.
    """
    origin = request.headers.get("Origin", "")
    if form.allows_origin(origin):
        # The source of our page was pasted into a page that may post here without a token.
        raise RefusalError(
            403,
            "BLOCKED",
            "This form was copied from our own page together with the hidden field %(name)s, "
            "which only works on our page. Site owner: remove that field from the copy. Until "
            "then, please open the form on its own page and send it from there.",
            name=TOKEN_NAME,
        )
    if origin in {"", "null"}:
        raise RefusalError(
            403,
            "BLOCKED",
            "This page is in a frame that hides where it comes from. Please open the form in "
            "a new window and send it from there.",
        )


def allowed_next(definition: FormDefinition, target: str | None) -> str | None:
    """The address to go on to, if the form's list has its origin; else None.

    What browsers and parsers read differently (backslashes, control characters, user names, blanks)
    is refused before it is compared.
    """
    if not target or _UNSAFE.search(target):
        return None
    if not target.lower().startswith(("http://", "https://")):
        return None
    # A page anywhere may post here where `*` is listed, but nobody may be led anywhere.
    origin = origin_of(target)
    listed = [entry for entry in definition.origins if entry != "*"]
    if origin is None or not any(matches(entry, origin) for entry in listed):
        return None
    # What is gone to begins with the very origin that was compared, however it was written.
    return origin + target.partition("://")[2].removeprefix(urlsplit(target).netloc)
