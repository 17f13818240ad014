"""The composition root of the web side: settings in, a Flask app out.

Under a WSGI server of your own: `gunicorn "formapp.app:create_app()"`.
"""

import os
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from formapp.config.settings import Settings, SettingsError
from formapp.confirmation.links import LinkSigner
from formapp.db.database import Database
from formapp.forms.definition.loader import load_forms
from formapp.forms.form import Form
from formapp.forms.origins import origin_of
from formapp.forms.tokens import TokenSigner
from formapp.keyring import COUNTED, Keyring
from formapp.leads.accept import GroupCommit
from formapp.monitoring.metrics import Metrics
from formapp.resources import STATIC, TEMPLATES
from formapp.spam import PROVIDERS, Challenges
from formapp.web import errors, headers, health, request_id, wording
from formapp.web import i18n as language
from formapp.web.hosts import KnownHosts, check_host
from formapp.web.limit_storage import limit_storage
from formapp.web.owner import share
from formapp.web.owner.sign_in import Owner
from formapp.web.public import confirmation as confirm
from formapp.web.public import json_schema as schema
from formapp.web.public import views
from formapp.web.rate_limit import Limits
from formapp.web.repeats import Repeats
from formapp.web.services import EXTENSION, Services

DEFAULT_SITE = "main"
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "[::1]"})


def create_app(
    settings: Settings | None = None,
    *,
    forms: Mapping[str, Form] | None = None,
    database: Database | None = None,
    on_kept: Callable[[], None] = lambda: None,
    metrics: Metrics | None = None,
) -> Flask:
    """Build the web app.

    Args:
        settings: read from the environment unless given.
        forms: read from the folder of the settings unless given.
        database: opened by the settings unless given.
        on_kept: called after each commit that left something to deliver; wakes a worker.
        metrics: of this process, where a worker shares them.

    Raises:
        SettingsError: something of the environment is wrong.
        FormFilesError: a form file is wrong.
    """
    settings = settings or Settings.read(os.environ, web=True)
    app = Flask("formapp", static_folder=str(STATIC), template_folder=str(TEMPLATES))
    # No redirect: a browser's preflight can't follow one. Slashes in front Werkzeug takes for one.
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = _services(settings, forms, database, on_kept, metrics)
    request_id.init_app(app)
    app.before_request(check_host)
    language.init_app(app)
    wording.init_app(app)
    headers.init_app(app)
    errors.init_app(app)
    app.register_blueprint(views.blueprint)
    app.register_blueprint(confirm.blueprint)
    app.register_blueprint(schema.blueprint)
    share.init_app(app, _owner(settings))
    app.register_blueprint(health.blueprint)
    _put_in_front(app, settings)
    return app


def _put_in_front(app: Flask, settings: Settings) -> None:
    """What a request meets before Flask: the last one first."""
    inner = Repeats(app.wsgi_app, app.extensions[EXTENSION])
    app.wsgi_app = KnownHosts(inner, _trusted_hosts(settings))  # type: ignore[assignment, method-assign] # Flask's own way
    if hops := settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign] # the same


def _services(
    settings: Settings,
    forms: Mapping[str, Form] | None,
    database: Database | None,
    on_kept: Callable[[], None],
    metrics: Metrics | None,
) -> Services:
    token = settings.metrics_token
    forms = load_forms(settings.forms) if forms is None else forms
    if faults := [*challenge_faults(settings, forms), *confirm_faults(settings, forms)]:
        raise SettingsError(faults)
    database = database or Database(settings.database_url)
    keys = [key.get_secret_value() for key in settings.secret_key]
    sign = Keyring(keys, COUNTED).sign
    storage = limit_storage(settings.limit_storage.get_secret_value(), database, sign)
    return Services(
        forms=forms,
        signer=TokenSigner(keys),
        links=LinkSigner(keys),
        database=database,
        intake=GroupCommit(database),
        challenges=Challenges(keys),
        sign=sign,
        site_key=settings.challenge_site_key,
        limits=Limits(settings.limit_per_address, settings.limit_per_form, storage, sign=sign),
        base_url=settings.base_url,
        default_site=DEFAULT_SITE,
        on_kept=on_kept,
        metrics_token=token.get_secret_value() if token else None,
        metrics=metrics or Metrics(),
    )


def confirm_faults(settings: Settings, forms: Mapping[str, Form]) -> list[str]:
    """What the forms' confirmations need and the settings lack, as fault lines."""
    faults = []
    for name, form in forms.items():
        confirm = form.definition.confirm
        if confirm is None:
            continue
        missing = settings.missing_for_mail()
        if not confirm.sender and not settings.sender:
            missing.append("MAIL_FROM")
        faults += [f"FORMAPP_{n}: is missing; [confirm] of {name}.toml needs it" for n in missing]
        if (form.definition.keep_days or settings.keep_days) < confirm.days:
            rule = f"is less than confirm.days of {name}.toml"
            faults.append(f"FORMAPP_KEEP_DAYS: {rule}; answers would be gone before the link")
    return faults


def challenge_faults(settings: Settings, forms: Mapping[str, Form]) -> list[str]:
    """What the forms' challenges need and the settings lack, as fault lines."""
    asked = {name: form.definition.spam.challenge or "" for name, form in forms.items()}
    served = {name: service for name, service in asked.items() if service in PROVIDERS}
    if len(services := sorted(set(served.values()))) > 1:
        told = f"the challenges of {', '.join(served)} are of {' and '.join(services)}"
        return [f"{told}; one service serves all forms"]
    needed = {
        "CHALLENGE_SITE_KEY": settings.challenge_site_key,
        "CHALLENGE_SECRET": settings.challenge_secret,
    }
    return [
        f"FORMAPP_{name}: is missing; the challenge of {', '.join(served)} needs it"
        for name, value in needed.items()
        if served and not value
    ]


def _owner(settings: Settings) -> Owner:
    password = settings.owner_password
    return Owner(password.get_secret_value() if password else None)


def _trusted_hosts(settings: Settings) -> frozenset[str]:
    if settings.trusted_hosts:
        return frozenset(settings.trusted_hosts)
    if settings.base_url:
        # As browsers write it in the Host header: ASCII, without the scheme's own port.
        host = urlsplit(origin_of(settings.base_url) or settings.base_url).hostname or ""
        return frozenset({f"[{host}]" if ":" in host else host})
    return _THIS_MACHINE
