"""The composition root of the web side: settings in, a Flask app out.

Under a WSGI server of your own: `gunicorn "formapp.app:create_app()"`.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask
from standardwebhooks import Webhook

from formapp.config.agreement import check_files, settings_faults, site_faults
from formapp.config.settings import Settings, SettingsError
from formapp.confirmation.links import LinkSigner
from formapp.crm.books import BookFilesError, load_books
from formapp.crm.digests import PURPOSE, Digests
from formapp.crm.inbound import read_verifiers
from formapp.crm.wix_webhook import PublicKey
from formapp.db.database import Database
from formapp.files.intake import FileIntake
from formapp.files.links import FileLinkSigner
from formapp.files.places import open_store
from formapp.forms.definition.parse import FormFilesError
from formapp.forms.form import Form, load_forms
from formapp.forms.origins import origin_of
from formapp.forms.tokens import TokenSigner
from formapp.leads.accept import GroupCommit
from formapp.mail.limit import MailLimit
from formapp.monitoring.metrics import Metrics
from formapp.monitoring.refused_origins import RefusedOrigins
from formapp.monitoring.visits import Visits
from formapp.resources import STATIC, TEMPLATES
from formapp.signing import COUNTED, Keyring, Signer
from formapp.spam.altcha import Challenges
from formapp.users.store import Users
from formapp.web import brand, errors, files, health, hooks, i18n, webhooks
from formapp.web.owner import inbox_pages, share, sign_in
from formapp.web.owner.inbox import InboxSettings
from formapp.web.owner.sign_in import Owner, SignIn
from formapp.web.proxies import TrustedProxies
from formapp.web.public import views
from formapp.web.public.uploads import KEPT_SALT
from formapp.web.rate_limit import DATABASE, MEMORY, Counts, Limits, MemoryCounts, counts_in
from formapp.web.responses import refuse
from formapp.web.services import EXTENSION, Services

_THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")


def create_app(  # noqa: PLR0913 - each may be replaced, by keyword
    settings: Settings | None = None,
    *,
    forms: Mapping[str, Form] | None = None,
    database: Database | None = None,
    on_kept: Callable[[], None] | None = None,
    metrics: Metrics | None = None,
    crm_webhooks: Mapping[str, Webhook] | None = None,
    memory: Counts | None = None,
) -> Flask:
    """Build the web app; what is not given comes from the settings, these from the environment.

    `crm_webhooks` verify what the systems of CRM books post, by the book. `on_kept` is called after
    each commit that left something to deliver: it wakes a worker. `memory` holds the counts that
    are in no database; several processes of one server share it.

    Raises:
        SettingsError: a setting is wrong, or a form needs one that is missing.
        FormFilesError: a form file is wrong, or its site doesn't exist.
    """
    settings = settings or Settings.read(os.environ, web=True)
    forms = load_forms(settings.forms) if forms is None else forms
    app = hooks.App("formapp", static_folder=str(STATIC), template_folder=str(TEMPLATES))
    # No redirect: a browser's preflight can't follow one. Werkzeug would redirect leading slashes.
    app.url_map.merge_slashes = app.url_map.strict_slashes = False
    memory = memory or MemoryCounts()
    services = _services(settings, forms, database, on_kept, metrics or Metrics(), memory)
    app.extensions[EXTENSION] = services
    app.config["TRUSTED_HOSTS"] = _trusted_hosts(settings)
    hooks.init_app(app)
    i18n.init_app(app)
    brand.init_app(app, settings.project.brand)
    errors.init_app(app, refuse)
    views.init_app(app)
    _add_owner_pages(app, settings, services.database, memory)
    app.register_blueprint(health.blueprint)
    _add_webhooks(app, settings, crm_webhooks)
    if hops := settings.proxy_hops:
        app.wsgi_app = TrustedProxies(app.wsgi_app, hops)  # type: ignore[method-assign] # Flask's own way
    return app


def _add_webhooks(app: Flask, settings: Settings, books: Mapping[str, Webhook] | None) -> None:
    if books is None:
        books = read_verifiers(settings.crm_folder, os.environ) if settings.crm_folder else {}
    sites = {site.name: site.instance_id for site in settings.sites}
    try:
        key = PublicKey.read(settings.wix_public_key) if settings.wix_public_key else None
    except ValueError as error:
        raise SettingsError([f"FORMAPP_WIX_PUBLIC_KEY: {error}"]) from None
    webhooks.init_app(app, webhooks.Senders(key, sites, books))


def _add_owner_pages(app: Flask, settings: Settings, database: Database, memory: Counts) -> None:
    """Add the share page and the inbox, which exist while somebody may sign in, and files."""
    app.register_blueprint(files.blueprint)
    password = settings.owner_password.get_secret_value() if settings.owner_password else None
    share.init_app(app, Owner(password, counts=memory))
    counted = Keyring(settings.keys, COUNTED)
    signing = SignIn(
        Users(database, password, counted.sign),
        user_header=settings.inbox_user_header,
        counts=memory,
    )
    is_https = (settings.base_url or "").startswith("https:")
    sign_in.init_app(app, signing, settings.keys, secure=is_https)
    wix_sites = {site.name: site.site_id for site in settings.sites if site.site_id}
    inbox_pages.init_app(
        app,
        InboxSettings(
            wix_sites=wix_sites,
            rate_limits={site.name: site.rate_limit for site in settings.sites},
            book_sites=_book_sites(settings.crm_folder) if settings.crm_folder else {},
            keyring=Keyring(settings.keys),
            digests=Digests(Keyring(settings.keys, PURPOSE)),
            mail_limit=MailLimit(database, counted),
            check_forms=lambda: check_files(settings.forms, os.environ)[1],
        ),
    )


def _book_sites(folder: Path) -> dict[str, str]:
    """Return the site of each CRM book; none where a file is wrong, which a worker reports."""
    try:
        return {name: book.site for name, book in load_books(folder).items()}
    except BookFilesError:
        return {}


def _services(  # noqa: PLR0913, PLR0917 - what `create_app` is given
    settings: Settings,
    forms: Mapping[str, Form],
    database: Database | None,
    on_kept: Callable[[], None] | None,
    metrics: Metrics,
    memory: Counts,
) -> Services:
    files = {name: form.definition for name, form in forms.items()}
    if faults := settings_faults(settings, files):
        raise SettingsError(faults)
    if unknown := site_faults(settings.project, files):
        raise FormFilesError(unknown)
    token = settings.metrics_token
    database = database or Database(settings.database_url, must_exist=True)
    keys = settings.keys
    sign = Keyring(keys, COUNTED).sign
    return Services(
        forms=forms,
        signer=TokenSigner(keys),
        links=LinkSigner(keys),
        database=database,
        intake=GroupCommit(database),
        refused_origins=RefusedOrigins(database, memory),
        visits=Visits(database),
        api_tokens=tuple(token.get_secret_value() for token in settings.api_token),
        challenges=Challenges(keys),
        sign=sign,
        files=_file_intake(settings, database, sign),
        kept_signer=Signer(keys, salt=KEPT_SALT),
        file_links=FileLinkSigner(keys),
        site_key=settings.challenge_site_key,
        limits=_limits(settings, memory, database, sign),
        base_url=settings.base_url,
        default_site=settings.default_site,
        sites=tuple(site.name for site in settings.sites),
        on_kept=on_kept,
        metrics_token=token.get_secret_value() if token else None,
        metrics=metrics,
    )


def _file_intake(settings: Settings, database: Database, sign: Callable[[str], str]) -> FileIntake:
    return FileIntake(
        open_store(settings.files, settings.s3_access, database),
        database,
        sign,
        per_address=settings.files_per_address,
        per_form=settings.files_per_form,
        scans=settings.clamd is not None,
    )


def _limits(
    settings: Settings, memory: Counts, database: Database, sign: Callable[[str], str]
) -> Limits:
    storage = settings.limit_storage.get_secret_value()
    return Limits(
        settings.limit_per_address,
        settings.limit_per_form,
        counts_in(storage, memory, database, sign),
        # Only this server reads its memory, and the database's counts sign their keys.
        sign=str if storage in {MEMORY, DATABASE} else sign,
        waits=storage != MEMORY,
    )


def _trusted_hosts(settings: Settings) -> tuple[str, ...]:
    if settings.trusted_hosts:
        return settings.trusted_hosts
    if settings.base_url:
        # As browsers write it in the Host header: ASCII, without the scheme's own port.
        host = urlsplit(origin_of(settings.base_url) or settings.base_url).hostname or ""
        return (f"[{host}]" if ":" in host else host,)
    return _THIS_MACHINE
