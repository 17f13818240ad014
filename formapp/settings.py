"""Settings: environment variables with the prefix `FORMAPP_`, declared once, checked all at once.

A setting may also come from a file: `FORMAPP_SECRET_KEY_FILE=/run/secrets/key` reads the value from
there. Only the composition roots (`formapp.cli`, `formapp.app`) read settings; everything else is
given what it needs.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import limits
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from formapp.resources import BUNDLED_FORMS

PREFIX = "FORMAPP_"
MIN_SECRET_LENGTH = 16
_log = logging.getLogger(__name__)


class SettingsFaults(Exception):  # noqa: N818 - it carries several faults, one a line
    """Every fault of the settings, as `NAME: what is wrong and what would be right`."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _secret(keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any(len(key.get_secret_value()) < MIN_SECRET_LENGTH for key in keys):
        raise ValueError(
            f"is too short to be a secret: use at least {MIN_SECRET_LENGTH} random characters, "
            'such as python3 -c "import secrets; print(secrets.token_hex(32))" prints',
        )
    return keys


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("is no web address; write it like https://forms.example.com")
    return value.rstrip("/")


def _database(value: str) -> str:
    try:
        url = make_url(value)
    except ArgumentError:
        raise ValueError(
            "is no database address; write sqlite:///formapp.db "
            "or postgresql+psycopg://user@host/name",
        ) from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if url.get_backend_name() != "sqlite":
        raise ValueError("names an engine that formapp doesn't know; use sqlite or postgresql")
    if not url.database or url.database == ":memory:":
        raise ValueError("names no file; submissions must outlive the process")
    if not Path(url.database).absolute().parent.is_dir():
        raise ValueError(f"is in a folder that doesn't exist: {Path(url.database).parent}")
    return value


def _folder(value: Path) -> Path:
    if not value.is_dir():
        raise ValueError(f"is no folder: {value}")
    return value


def _limit(value: str) -> str | None:
    if value.strip().lower() in {"off", ""}:
        return None
    try:
        limits.parse_many(value)
    except ValueError:
        raise ValueError("is no limit; write it like 30/minute, or off") from None
    return value


_Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
_Limit = Annotated[str | None, BeforeValidator(_limit)]
_Address = Annotated[str, AfterValidator(_address)]


class Settings(BaseModel):
    """All settings. Secrets show as stars in any text form."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: Annotated[str, AfterValidator(_database), Field(repr=False)] = (
        "sqlite:///formapp.db"
    )
    forms: Annotated[Path, AfterValidator(_folder)] = BUNDLED_FORMS
    secret_key: Annotated[
        tuple[SecretStr, ...], BeforeValidator(_split), AfterValidator(_secret)
    ] = ()
    base_url: _Address | None = None
    trusted_hosts: _Words = ()
    proxy_hops: Annotated[int, Field(ge=0, le=10)] = 0
    metrics_token: SecretStr | None = None
    wix_api_url: _Address = "https://www.wixapis.com"
    wix_api_key: SecretStr | None = None
    wix_site_id: str | None = None
    wix_account_id: str | None = None
    wix_app_id: str | None = None
    wix_app_secret: SecretStr | None = None
    wix_instance_id: str | None = None
    limit_per_address: _Limit = "120/minute"
    limit_per_form: _Limit = "1200/minute"
    wix_rate_limit: Annotated[int, Field(ge=2)] = 200
    create_grace: Annotated[float, Field(ge=0, le=86400)] = 60.0

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        *,
        web: bool = False,
        wix: bool = False,
    ) -> Self:
        """Read and check every setting.

        Args:
            environ: the environment.
            web: what the web server needs must be there (`SECRET_KEY`).
            wix: what deliveries need must be there (the credentials of a site).

        Raises:
            SettingsFaults: with all that is wrong or missing.
        """
        values, faults = _values(environ, set(cls.model_fields))
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            faults += [_fault(each) for each in error.errors()]
            settings = cls.model_construct(**values)
        if web and not values.get("secret_key"):
            faults.append(f"{PREFIX}SECRET_KEY: is missing; it signs the tokens of form pages")
        if wix:
            faults += settings.credential_faults()
        if faults:
            raise SettingsFaults(sorted(set(faults)))
        return settings

    def credential_faults(self) -> list[str]:
        """What is missing of one complete pair of credentials, as fault lines."""
        key = {"WIX_API_KEY": self.wix_api_key, "WIX_SITE_ID": self.wix_site_id}
        app = {
            "WIX_APP_ID": self.wix_app_id,
            "WIX_APP_SECRET": self.wix_app_secret,
            "WIX_INSTANCE_ID": self.wix_instance_id,
        }
        if any(app.values()) and self.wix_api_key:
            return [f"{PREFIX}WIX_API_KEY: is set beside WIX_APP_…; use the key or the app"]
        wanted = app if any(app.values()) else key
        hint = " (or WIX_APP_ID, WIX_APP_SECRET and WIX_INSTANCE_ID)" if wanted is key else ""
        return [
            f"{PREFIX}{name}: is missing; deliveries to Wix need {' and '.join(wanted)}{hint}"
            for name, value in wanted.items()
            if not value
        ]


def _values(environ: Mapping[str, str], known: set[str]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    faults: list[str] = []
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or not text.strip():
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name in known:
            values[name] = text.strip()
        elif name.removesuffix("_file") in known:
            if environ.get(variable.removesuffix("_FILE"), "").strip():
                faults.append(f"{variable}: is set beside the value itself; use one of them")
                continue
            try:
                values[name.removesuffix("_file")] = Path(text.strip()).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                faults.append(f"{variable}: names a file that can't be read: {text.strip()}")
        else:
            _log.warning("%s is no setting of formapp and was ignored", variable)
    return values, faults


def _fault(error: Any) -> str:
    name = PREFIX + str(error["loc"][0]).upper()
    problem = error["msg"].removeprefix("Value error, ")
    if error["type"] != "value_error":
        problem = "is wrong: " + problem[0].lower() + problem[1:]
    return f"{name}: {problem}"
