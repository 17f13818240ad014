"""The settings: all that is wrong, and as many as can be used for the other checks."""

import difflib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from formapp.cli.doctor.findings import Finding, fault, hint, ok
from formapp.config.settings import PREFIX, Settings, SettingsError

_GOOD_LENGTH = 32
_FEW_CHARACTERS = 10
_OLD = timedelta(days=365)
_NEW_KEY = 'make one by: python3 -c "import secrets; print(secrets.token_hex(32))"'
_WIX_LIMIT = 200


@dataclass(frozen=True)
class Reading:
    """What the environment says.

    Attributes:
        settings: with the default in place of whatever is wrong.
        faults: as lines, `FORMAPP_NAME: what is wrong`.
    """

    settings: Settings
    faults: list[str]

    def has(self, beginning: str) -> bool:
        """Whether the settings that begin so are right, so that it makes sense to go on."""
        return not any(line.startswith(PREFIX + beginning) for line in self.faults)


def read_what_can_be_read(environ: Mapping[str, str]) -> Reading:
    """Read the settings; what is wrong is left out, so that the rest can be looked at."""
    try:
        with _unknown_names_are_hints():
            return Reading(Settings.read(environ, web=True, wix=True), [])
    except SettingsError as error:
        faults = error.faults
    wrong = {line.partition(":")[0].removesuffix("_FILE") for line in faults}
    left = {
        name: value
        for name, value in environ.items()
        if name.removesuffix("_FILE") not in wrong and name.startswith(PREFIX)
    }
    try:
        with _unknown_names_are_hints():
            return Reading(Settings.read(left), faults)
    except SettingsError:
        return Reading(Settings(), faults)


@contextmanager
def _unknown_names_are_hints() -> Iterator[None]:
    """Else they would be logged, too."""
    log = logging.getLogger("formapp.config.settings")
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = False


def check_settings(
    reading: Reading, environ: Mapping[str, str], now: datetime
) -> Iterator[Finding]:
    """Tell all that is wrong, and what is weak."""
    for line in reading.faults:
        yield fault("settings", line, "correct it in the environment: see README, the settings")
    if not reading.faults:
        yield ok("settings", "all are right")
    yield from _unknown(environ)
    if reading.has("SECRET_KEY"):
        yield from _weak_keys(reading.settings)
        yield from _old_key(environ, now)
    if reading.has("BASE_URL") and reading.has("PROXY_HOPS"):
        yield from _proxy(reading.settings)
    if reading.settings.wix_rate_limit > _WIX_LIMIT:
        yield hint(
            "settings",
            f"{PREFIX}WIX_RATE_LIMIT is above {_WIX_LIMIT}, which is what Wix allows in a minute",
            "leave it out, unless Wix has granted you more",
        )


def _unknown(environ: Mapping[str, str]) -> Iterator[Finding]:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name.removesuffix("_FILE") not in known:
            close = difflib.get_close_matches(name, known, 1)
            advice = f"did you mean {close[0]}?" if close else "take it out"
            yield hint("settings", f"{name} is no setting of formapp", advice)


def _proxy(settings: Settings) -> Iterator[Finding]:
    """Behind a proxy that isn't told of, all visitors have the proxy's address."""
    if not settings.proxy_hops and (settings.base_url or "").startswith("https:"):
        message = (
            f"{PREFIX}BASE_URL is https, which formapp doesn't speak, and {PREFIX}PROXY_HOPS "
            "is 0: behind a proxy, limits and sign-in take all visitors for one address"
        )
        advice = (
            f"set {PREFIX}PROXY_HOPS to the number of proxies in front that send X-Forwarded-For; "
            "leave it if TLS ends elsewhere and visitors' own addresses arrive here"
        )
        yield hint("proxy", message, advice)


def _weak_keys(settings: Settings) -> Iterator[Finding]:
    for number, key in enumerate(settings.secret_key, 1):
        text = key.get_secret_value()
        if len(text) < _GOOD_LENGTH or len(set(text)) < _FEW_CHARACTERS:
            message = f"key {number} of {PREFIX}SECRET_KEY is short or regular: it may be guessed"
            yield hint("settings", message, f"{_NEW_KEY}; put it in front of the old one")


def _old_key(environ: Mapping[str, str], now: datetime) -> Iterator[Finding]:
    """How old a key is can be seen only where it comes from a file."""
    name = environ.get(f"{PREFIX}SECRET_KEY_FILE", "").strip()
    if not name:
        return
    changed = datetime.fromtimestamp(Path(name).stat().st_mtime, UTC)
    if now - changed > _OLD:
        message = f"the file of {PREFIX}SECRET_KEY is unchanged since {changed:%Y-%m-%d}"
        yield hint("settings", message, f"{_NEW_KEY}; put it in front of the old one")
