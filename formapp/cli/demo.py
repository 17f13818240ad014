"""`formapp demo`: the main job with no account and no set-up."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import click
from flask import Flask, render_template, url_for
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from formapp.cli.demo_crm import check_installed, create_page, running_address_book, start_book
from formapp.cli.output import echo
from formapp.cli.reload import reload_on_change
from formapp.cli.sandbox import open_sandbox
from formapp.cli.serve import serve
from formapp.cli.wiring import exit_on_signals, listening_on, one_line_errors
from formapp.config.project import ProjectFile, load_project
from formapp.config.settings import Settings, SettingsError
from formapp.forms.definition.model import FormDefinition
from formapp.forms.form import Form, compile_form, load_forms
from formapp.resources import STATIC, TEMPLATES
from formapp.sandbox import SandboxOptions, SandboxServer
from formapp.server import listen
from formapp.spam.providers import PROVIDERS
from formapp.web import manual
from formapp.web.owner import share
from formapp.web.owner.sign_in import Owner, sign_in_of

_HOST = "127.0.0.1"
_DATABASE = "formapp.db"
_SITE = "00000000-0000-4000-8000-00000000de40"
_FORM = "contact"


@click.command("demo")
@click.option("--port", default=8000, show_default=True, help="Port of the forms.")
@click.option("--sandbox-port", default=8001, show_default=True, help="Port of the sandbox.")
@click.option(
    "--data",
    default="formapp-demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the demo's database and contacts.",
)
@click.option(
    "--forms",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Your form files instead of the bundled ones; read again when one changes.",
)
@click.option("--crm", is_flag=True, help="Keep the contacts equal with an address book, too.")
@click.option("--crm-port", default=8002, show_default=True, help="Port of the address book.")
def command(  # noqa: PLR0913 - one for each option
    port: int, sandbox_port: int, data: Path, folder: Path | None, *, crm: bool, crm_port: int
) -> None:
    """Try everything at once: sandbox, forms and deliveries, with no account."""
    exit_on_signals()
    with one_line_errors(), ExitStack() as running:
        if crm:
            check_installed()
        _make_folder(data)
        with listening_on(_HOST, port):
            listener = listen(_HOST, port)
        web = f"http://{_HOST}:{listener.getsockname()[1]}"
        options = SandboxOptions(state_file=data / "contacts.json")
        contacts = open_sandbox(options)
        sandbox_app = DispatcherMiddleware(contacts)
        with listening_on(_HOST, sandbox_port):
            sandbox = SandboxServer(sandbox_app, _HOST, sandbox_port)
        address_book = crm and _start_address_book(running, data, crm_port)
        settings = _settings(web, sandbox.url, data, folder, crm=crm)
        origins = tuple(f"http://{host}:{sandbox.port}" for host in (_HOST, "localhost"))
        forms = allow_origins(load_forms(settings.forms), origins)
        # The one that is best known first, else in alphabetical order.
        names = sorted(forms, key=lambda name: (name != _FORM, name != "quote", name))
        sandbox_app.mounts = {"/example": _create_example(names[0], web, sandbox.url)}

        def ready(app: Flask) -> None:
            # Only this machine reaches it.
            share.init_app(app, Owner(everybody=True))
            sign_in_of(app).everybody = True
            manual.init_app(app)
            if folder:
                reload_on_change(app, folder, lambda: allow_origins(load_forms(folder), origins))
            echo(_greeting(names, web, sandbox.url, data, address_book or None))

        running.enter_context(sandbox)
        if crm:
            book, kept = start_book(settings), contacts.extensions["sandbox"]
            sandbox_app.mounts["/crm"] = create_page(book, kept, _SITE, f"{web}/f/{names[0]}")
        serve(settings, forms, listener, ready)


def _start_address_book(running: ExitStack, data: Path, port: int) -> str:
    with listening_on(_HOST, port):
        listen(_HOST, port).close()
    return running.enter_context(running_address_book(data, _HOST, port))


def _make_folder(data: Path) -> None:
    try:
        is_ours = not data.exists() or (data / _DATABASE).exists()
        data.mkdir(parents=True, exist_ok=True)
        if is_ours:
            data.chmod(0o700)  # whatever the umask says
    except OSError as error:
        reason = f"the folder {data} can't be created: {error.strerror}; choose another with --data"
        raise click.ClickException(reason) from error


def _secret(data: Path) -> str:
    """The demo's key, which stays the same: values of the other side are known by it."""
    file = data / "secret.key"
    if not file.exists():
        file.touch(0o600)
        file.write_text(secrets.token_hex(), "ascii")
    return file.read_text("ascii")


def _settings(
    web: str, sandbox: str, data: Path, folder: Path | None, *, crm: bool = False
) -> Settings:
    # No project file of the current folder; the sandbox replaces all sites.
    file = load_project({}, folder) if folder else ProjectFile()
    if file.faults:
        raise SettingsError(list(file.faults))
    return Settings.read(
        {
            "FORMAPP_FORMS": str(folder or ""),
            "FORMAPP_DATABASE_URL": f"sqlite:///{data.absolute() / _DATABASE}",
            "FORMAPP_SECRET_KEY": _secret(data),
            **({"FORMAPP_CRM": str(data / "crm")} if crm else {}),
            "FORMAPP_BASE_URL": web,
            "FORMAPP_TRUSTED_HOSTS": "127.0.0.1,localhost",
            "FORMAPP_WIX_API_URL": sandbox,
            "FORMAPP_WIX_API_KEY": "any-key-is-accepted-by-the-sandbox",
            "FORMAPP_WIX_SITE_ID": _SITE,
            # All visitors of the demo have the same address.
            "FORMAPP_LIMIT_PER_ADDRESS": "off",
        },
        web=True,
        wix=True,
        project=file.project.model_copy(update={"sites": {}}),
    )


def allow_origins(forms: Mapping[str, Form], origins: tuple[str, ...]) -> dict[str, Form]:
    """Return the forms for pages of these origins, without what needs an account elsewhere."""
    return {
        name: compile_form(name, _for_demo(form.definition, origins))
        for name, form in forms.items()
    }


def _for_demo(definition: FormDefinition, origins: tuple[str, ...]) -> FormDefinition:
    spam = definition.spam
    if spam.challenge in PROVIDERS:
        spam = spam.model_copy(update={"challenge": None})
    without = {"site": None, "confirm": None, "notify": None, "reply": None}
    return definition.model_copy(update={"origins": origins, "spam": spam, **without})


def _create_example(form: str, web: str, sandbox: str) -> Flask:
    """Return an app with a page that embeds a form.

    The sandbox's server serves it: it has another origin than the forms, like a customer's site.
    """
    app = Flask(__name__, static_folder=str(STATIC), template_folder=str(TEMPLATES))

    @app.get("/")
    def page() -> str:
        return render_template(
            "demo/embedding.html",
            form_name=form,
            form_url=f"{web}/f/{form}",
            embed_js_url=f"{web}/embed.js",
            embed_url=f"{web}/f/{form}/embed",
            contacts_url=f"{sandbox}/",
            css_url=url_for("static", filename="demo.css"),
        )

    return app


def _greeting(
    forms: Sequence[str], web: str, sandbox: str, data: Path, address_book: str | None
) -> str:
    first, *others = forms
    more = f"\n{' ' * 32}".join(f"{web}/f/{name}" for name in others)
    another = f"     or another one:            {more}\n" if others else ""
    both = ""
    if address_book:
        both = f"\n  6. Both sides, kept equal:    {sandbox}/crm/"
        both += f"\n     for a CardDAV program:     {address_book}"
    return f"""formapp demo is running.

  1. Fill in a form:            {web}/f/{first}
{another}  2. See the contact it made:   {sandbox}/
  3. A form on another site:    {sandbox}/example/
  4. What to paste into yours:  {web}/f/{first}/share
  5. Read more:                 {web}/manual/{both}

The contacts are in a sandbox that stands in for Wix; nothing leaves this machine.
What visitors sent is kept in {data / _DATABASE}. Ctrl+C ends the demo."""
