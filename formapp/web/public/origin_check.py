"""Where a post came from, and where it may lead: one list of origins per form decides both.

Sources: what browsers send (Fetch Metadata, the Origin header) and RFC 6454 for what an origin is.
"""

import re
from urllib.parse import urlsplit

from flask import Request

from formapp.forms.definition.model import FormDefinition
from formapp.forms.origins import matches, origin_of
from formapp.forms.tokens import TOKEN_NAME
from formapp.web.errors import RefusalError

_UNSAFE = re.compile(r"[\\\x00-\x20\x7f-\xa0]")


def is_own_page(request: Request, own_origin: str) -> bool:
    """Whether a post came from a page of this server, as far as the browser tells.

    A client that sends neither header is no browser: nobody's page can have made it post.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is None or origin.lower() in {own_origin, origin_of(request.host_url)}


def check_foreign(request: Request, definition: FormDefinition) -> bool:
    """Let in the post of a form on another site, if its origin is on the list.

    Returns:
        False if no origin is known, where the owner takes such posts into quarantine.

    Raises:
        RefusalError: 403, with what the owner of that page can do.
    """
    origin = request.headers.get("Origin") or "null"
    if origin == "null" and definition.spam.unknown_origin == "quarantine":
        return False
    if not definition.allows_origin(origin):
        raise RefusalError(
            403,
            "BLOCKED",
            "This form doesn't take messages from that page. "
            "Please open the form itself and send it from there.",
        )
    return True


def refuse_stolen_token(request: Request, definition: FormDefinition) -> None:
    """Refuse a post of another site's page with a genuine token: it was taken from a page of ours.

    From a site that isn't listed it is refused like anything else from there.

    Raises:
        RefusalError: 403, with what the owner of that page can do.
    """
    origin = request.headers.get("Origin", "")
    if definition.allows_origin(origin):
        # The source of our page was pasted into a page that may post here without a token.
        raise RefusalError(
            403,
            "BLOCKED",
            "This form was copied from our own page together with the hidden field %(name)s, which "
            "is good on our page alone. Whoever looks after the copy has to remove that field. "
            "Until then, please open the form itself and send it from there.",
            name=TOKEN_NAME,
        )
    if origin in {"", "null"}:
        raise RefusalError(
            403,
            "BLOCKED",
            "This page stands in a frame that doesn't let it say where it comes from. "
            "Please open the form in a window of its own and send it from there.",
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
