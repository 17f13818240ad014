"""What a visit brings along: the page, where the visitor came from, the campaign (`utm_*`).

A form page keeps its own query in the form's action, so that nothing of it is lost when the form is
shown again with errors. Queries are kept with the submission and never logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Request, url_for

from formapp.forms import Form, TokenContext

MAX_LENGTH = 2000
_REFERRER = "_referrer"
_USE = "_use"


@dataclass(frozen=True, repr=False)
class Visit:
    """Where a submission came from.

    Attributes:
        page: the address of the page that the form was on.
        referrer: where the visitor had come from.
        utm: `utm_*` parameters of the page.
    """

    page: str | None = None
    referrer: str | None = None
    utm: Mapping[str, str] = field(default_factory=dict)


def action(request: Request, form: Form, context: TokenContext) -> str:
    """The address that our own page posts to: it carries the page's query and the referrer."""
    query = {key: value[:MAX_LENGTH] for key, value in request.args.items() if key != _USE}
    if _REFERRER not in query and (referrer := _foreign_referrer(request)):
        query[_REFERRER] = referrer
    # Always there: a post to the page's own address would drop the page from the browser's cache,
    # and going back would then find a page with another token.
    query[_USE] = context.use
    return f"{url_for('forms.show', name=form.name)}?{urlencode(query)}"


def thanks_query(request: Request) -> dict[str, str]:
    """What the thank-you page in an iframe needs of the form page's query."""
    return {key: request.args[key] for key in ("parent", "scheme") if key in request.args}


def is_embedded(request: Request) -> bool:
    """Whether the page that posts stands in an iframe."""
    return request.args.get(_USE) == "embed"


def own_visit(request: Request, form: Form, base_url: str) -> Visit:
    """The visit to a page of ours, as its action's query tells."""
    carried = {
        key: value[:MAX_LENGTH]
        for key, value in request.args.items()
        if key not in {_REFERRER, _USE, "parent", "scheme"}
    }
    referrer = request.args.get(_REFERRER) or None
    page = f"{base_url}{url_for('forms.show', name=form.name)}"
    page += f"?{urlencode(carried)}" if carried else ""
    if is_embedded(request):
        page, referrer = referrer or request.args.get("parent") or page, None
    return Visit(_cut(page), _cut(referrer), _utm(carried))


def foreign_visit(request: Request) -> Visit:
    """The visit to another site's page, as far as its browser tells."""
    page = _cut(request.referrer) or request.headers.get("Origin")
    query = dict(parse_qsl(urlsplit(page or "").query))
    return Visit(page, None, _utm(query))


def _foreign_referrer(request: Request) -> str | None:
    """Where the visitor came from, unless from a page of this server."""
    referrer = _cut(request.referrer)
    return None if (referrer or "").startswith(request.host_url) else referrer


def _utm(query: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in query.items() if key.startswith("utm_")}


def _cut(text: str | None) -> str | None:
    return text[:MAX_LENGTH] if text else None
