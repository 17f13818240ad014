"""`formapp demo`: the main job with no account and no set-up."""

import secrets
from collections.abc import Mapping
from pathlib import Path

import click
from flask import Flask, render_template, url_for
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from formapp.cli.output import echo
from formapp.cli.serve import serve
from formapp.cli.wiring import exit_on_signals, listening_on, one_line_errors
from formapp.config.project import Project
from formapp.config.settings import Settings
from formapp.forms.form import Form, compile_form, load_forms
from formapp.resources import STATIC, TEMPLATES
from formapp.sandbox import SandboxOptions, SandboxServer, create_sandbox
from formapp.server import listen
from formapp.web import manual
from formapp.web.owner import share
from formapp.web.owner.session import sign_in_of
from formapp.web.owner.sign_in import Owner

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
def command(port: int, sandbox_port: int, data: Path) -> None:
    """Try everything at once: sandbox, forms and deliveries, with no account."""
    exit_on_signals()
    with one_line_errors():
        _make_folder(data)
        with listening_on(_HOST, port):
            listener = listen(_HOST, port)
        web = f"http://{_HOST}:{listener.getsockname()[1]}"
        options = SandboxOptions(state_file=data / "contacts.json")
        sandbox_app = DispatcherMiddleware(create_sandbox(options))
        with listening_on(_HOST, sandbox_port):
            sandbox = SandboxServer(sandbox_app, _HOST, sandbox_port)
        sandbox_app.mounts = {"/example": _create_example(web, sandbox.url)}
        settings = _settings(web, sandbox.url, data)
        origins = tuple(f"http://{host}:{sandbox.port}" for host in (_HOST, "localhost"))
        forms = allow_origins(load_forms(settings.forms), origins)

        def ready(app: Flask) -> None:
            # Only this machine reaches it.
            share.init_app(app, Owner(everybody=True))
            sign_in_of(app).everybody = True
            manual.init_app(app)
            echo(_greeting(web, sandbox.url, data))

        with sandbox:
            serve(settings, forms, listener, ready)


def _make_folder(data: Path) -> None:
    try:
        is_ours = not data.exists() or (data / _DATABASE).exists()
        data.mkdir(parents=True, exist_ok=True)
        if is_ours:
            data.chmod(0o700)  # whatever the umask says
    except OSError as error:
        reason = f"the folder {data} can't be created: {error.strerror}; choose another with --data"
        raise click.ClickException(reason) from error


def _settings(web: str, sandbox: str, data: Path) -> Settings:
    return Settings.read(
        {
            "FORMAPP_DATABASE_URL": f"sqlite:///{data.absolute() / _DATABASE}",
            "FORMAPP_SECRET_KEY": secrets.token_hex(),
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
        # Whatever lies in the current folder.
        project=Project(),
    )


def allow_origins(forms: Mapping[str, Form], origins: tuple[str, ...]) -> dict[str, Form]:
    """Return the forms with these origins, whose pages may embed them and post to them."""
    return {
        name: compile_form(name, form.definition.model_copy(update={"origins": origins}))
        for name, form in forms.items()
    }


def _create_example(web: str, sandbox: str) -> Flask:
    """Return an app with a page that embeds a form.

    The sandbox's server serves it: it has another origin than the forms, like a customer's site.
    """
    app = Flask(__name__, static_folder=str(STATIC), template_folder=str(TEMPLATES))

    @app.get("/")
    def page() -> str:
        return render_template(
            "demo/embedding.html",
            form_name=_FORM,
            form_url=f"{web}/f/{_FORM}",
            embed_js_url=f"{web}/embed.js",
            embed_url=f"{web}/f/{_FORM}/embed",
            contacts_url=f"{sandbox}/",
            css_url=url_for("static", filename="demo.css"),
        )

    return app


def _greeting(web: str, sandbox: str, data: Path) -> str:
    return f"""formapp demo is running.

  1. Fill in a form:            {web}/f/{_FORM}
     or another one:            {web}/f/quote
                                {web}/f/newsletter
  2. See the contact it made:   {sandbox}/
  3. A form on another site:    {sandbox}/example/
  4. What to paste into yours:  {web}/f/{_FORM}/share
  5. Read more:                 {web}/manual/

The contacts are in a sandbox that stands in for Wix; nothing leaves this machine.
What visitors sent is kept in {data / _DATABASE}. Ctrl+C ends the demo."""
