"""Each site at Wix: clock, credentials, permissions, labels and fields that the forms need."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from formapp.cli.doctor.findings import Finding, fault, hint, ok
from formapp.cli.doctor.installation import fetch, forms_of
from formapp.cli.sites import TIMEOUTS, auth_of
from formapp.config.settings import Settings
from formapp.config.sites import SiteSettings
from formapp.delivery.sites import MAX_RESPONSE
from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.targets import Targets, targets_of
from formapp.http import DeadlineAdapter
from formapp.wix import ForbiddenError, RateLimitedError, UnauthorizedError, WixContacts, WixError

MAX_FIELDS = 100
"""Custom fields of a site (contract section 10.2). The number of labels isn't published."""

_PAGE = 100
_LITTLE_ROOM = 5
_SKEW_HINT = 30
_SKEW_FAULT = 300


def check_wix(
    settings: Settings, forms: Mapping[str, FormDefinition], now: datetime
) -> Iterator[Finding]:
    """Check each site by three kinds of calls, all of which only read.

    One whose credentials are incomplete is left out: the check of the settings reports it.
    """
    sites = [site for site in settings.sites if not site.faults()]
    for url in dict.fromkeys(site.api_url for site in sites):
        yield from check_clock(url, now)
    for site in sites:
        for finding in _check_site(site, targets_of(forms_of(settings, site.name, forms))):
            yield replace(finding, site=site.name) if len(settings.sites) > 1 else finding


def check_clock(url: str, now: datetime) -> Iterator[Finding]:
    """Compare the clock with a server's, which any answer has as Date (RFC 9110, 6.6.1)."""
    answer = fetch(url)
    try:
        there = parsedate_to_datetime(answer.headers["Date"] if answer is not None else "")
    except (KeyError, ValueError):
        return
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    seconds = round(abs((there - now).total_seconds()))
    message = f"this machine's clock is {seconds} s off the one at {urlsplit(url).hostname}"
    advice = "let the machine set its clock by NTP: leases and the rate budget depend on it"
    if seconds > _SKEW_FAULT:
        yield fault("clock", message, advice)
    elif seconds > _SKEW_HINT:
        yield hint("clock", message, advice)
    else:
        yield ok("clock", "it agrees with Wix's")


def _check_site(site: SiteSettings, targets: Targets) -> Iterator[Finding]:
    try:
        auth = auth_of(site)
    except ValueError as error:
        yield fault("credentials", str(error), "copy it again, without spaces and line breaks")
        return
    adapter = DeadlineAdapter(max_bytes=MAX_RESPONSE)
    with WixContacts(auth, base_url=site.api_url, timeouts=TIMEOUTS, adapter=adapter) as wix:
        yield from _check_calls(wix, targets)


def _check_calls(wix: WixContacts, targets: Targets) -> Iterator[Finding]:
    try:
        wix.contacts.query(limit=1)
    except ForbiddenError:
        yield _forbidden("contacts", "READ-CONTACTS and MANAGE-CONTACTS")
    except WixError as error:
        # The other calls would fail alike.
        yield _failed("wix", error)
        return
    else:
        yield ok("credentials", "accepted; contacts can be read")
    for what, scope, check in (
        ("labels", "MANAGE-LABELS", _check_labels),
        ("extended fields", "MANAGE-EX-FIELDS", _check_fields),
    ):
        try:
            yield from list(check(wix, targets))
        except ForbiddenError:
            yield _forbidden(what, scope)
        except WixError as error:
            yield _failed(what, error)


def _forbidden(what: str, scope: str) -> Finding:
    advice = (
        "let the API key manage contacts, labels and extended fields, "
        f"or give the app {scope} (SCOPE.DC-CONTACTS.…)"
    )
    return fault("permissions", f"{what} may not be read", advice)


def _failed(check: str, error: WixError) -> Finding:
    if isinstance(error, UnauthorizedError):
        advice = "check that key (or app) and site id belong together, and that it isn't revoked"
        return fault("credentials", str(error), advice)
    if isinstance(error, RateLimitedError):
        return hint(check, str(error), "Wix has too many calls just now: try again in a minute")
    advice = "check the network, Wix's address here and its status page; leads wait meanwhile"
    return fault(check, str(error), advice)


def _check_labels(wix: WixContacts, targets: Targets) -> Iterator[Finding]:
    names = {label.display_name for label in wix.labels.iterate(page_size=_PAGE)}
    missing = targets.labels - names
    yield ok("labels", f"{len(names)} at Wix; {_on_first_use(missing)}")
    yield from _nearly_same("label", missing, names)


def _check_fields(wix: WixContacts, targets: Targets) -> Iterator[Finding]:
    held = list(wix.extended_fields.iterate(page_size=_PAGE))
    types = {each.display_name: each.data_type for each in held}
    missing = targets.fields.keys() - types.keys()
    wrong = list(_wrong_types(targets, types))
    own = sum(each.field_type != "SYSTEM" for each in held)
    yield from wrong
    yield from _room(own, missing)
    yield from _nearly_same("extended field", missing, set(types))
    if not wrong:
        yield ok("fields", f"{own} of {MAX_FIELDS} at Wix; {_on_first_use(missing)}")


def _wrong_types(targets: Targets, types: Mapping[str, str | None]) -> Iterator[Finding]:
    for name, wanted in targets.fields.items():
        # An answer without a type doesn't contradict the form's.
        is_type = types.get(name)
        for data_type, forms in wanted.items():
            if is_type and is_type != data_type:
                files = ", ".join(f"{form}.toml" for form in forms)
                message = f'the field "{name}" has the type {is_type}, {files} says {data_type}'
                yield fault("fields", message, "correct data_type there, or use another field")


def _room(own: int, missing: set[str]) -> Iterator[Finding]:
    left = MAX_FIELDS - own - len(missing)
    advice = "delete an unused custom field at Wix"
    if left < 0:
        message = f"{len(missing)} are still to be created, and the site has {own} of {MAX_FIELDS}"
        yield fault("fields", message, advice)
    elif left < _LITTLE_ROOM:
        yield hint("fields", f"the site has room for {left} more than the forms need", advice)


def _nearly_same(what: str, missing: set[str], names: set[str]) -> Iterator[Finding]:
    folded = {name.strip().casefold(): name for name in names}
    for name in sorted(missing):
        if close := folded.get(name.strip().casefold()):
            message = f'the {what} "{name}" will be created beside "{close}"'
            yield hint("forms", message, "use the same spelling in the form file if it is the same")


def _on_first_use(missing: set[str]) -> str:
    if not missing:
        return "all that the forms need exist"
    names = ", ".join(f'"{name}"' for name in sorted(missing))
    # Only making one would show whether that is permitted.
    return f"{names} will be created on first use"
