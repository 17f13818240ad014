"""Servers and a browser for the look: real forms and templates behind the strictest policy."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, Response, redirect, render_template, request
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server
from werkzeug.wrappers import Response as AnyResponse

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form, load_forms
from formapp.forms.tokens import TokenContext, TokenSigner
from formapp.resources import BUNDLED_FORMS, STATIC, TEMPLATES
from formapp.web import brand, i18n
from formapp.web.i18n import set_language
from formapp.web.public import layout
from tests.look.forms import AROUND, STEPS, VISIT

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
FOREIGN_POLICY = (
    "default-src 'none'; script-src {origin}; frame-src {origin}; "
    "style-src 'self' 'unsafe-inline'; img-src data:"
)
NOTICE = "We could not save your answers. They are still here: please try again in a minute."
SIGNER = TokenSigner(["the look"])

RIGHT_TO_LEFT = """
title = "طلب عرض"
submit = "إرسال"
language = "ar"
[thanks]
title = "شكرا"
text = "سنتواصل معك."
[[fields]]
name = "email"
type = "email"
label = "البريد الإلكتروني"
help = "يصل العرض إلى هذا العنوان."
required = true
to = "email"
[[fields]]
name = "phone"
type = "tel"
label = "الهاتف"
[[fields]]
name = "size"
type = "number"
label = "الكمية"
min = 2
[[fields]]
name = "day"
type = "date"
label = "الموعد"
[[fields]]
name = "web"
type = "url"
label = "الموقع"
[[fields]]
name = "name"
type = "text"
label = "الاسم"
[[fields]]
name = "topic"
type = "select"
label = "ما الموضوع؟"
options = ["أ", "ب"]
[[fields]]
name = "colour"
type = "radio"
label = "اللون"
required = true
options = ["أحمر", "أزرق"]
"""


def _show(form: Form, use: str) -> str:
    """Render a form: as it is first seen, or as it comes back after a post that had faults."""
    set_language(form.language)
    token = TokenContext(SIGNER, form.name, form.version, "embed" if use == "embed" else "page")
    posted = None
    if request.method == "POST":
        posted = form.reader.sort(request.form.items(multi=True))
    bound = form.bind(posted, token=token)
    if posted is not None:
        bound.validate()
    return render_template(
        "form.html",
        form=form,
        bound=bound,
        faults=bound.faults() if posted is not None else [],
        notice=NOTICE if "notice" in request.args else None,
        use=use,
        action=request.full_path,
    )


def _add_pages(app: Flask, forms: dict[str, Form]) -> None:
    @app.route(
        "/f/<name>", endpoint="forms.show", methods=["GET", "POST"], defaults={"use": "page"}
    )
    @app.route(
        "/f/<name>/embed",
        endpoint="forms.embed",
        methods=["GET", "POST"],
        defaults={"use": "embed"},
    )
    def show(name: str, use: str) -> str | AnyResponse:
        shown = _show(forms[name], use)
        if request.method == "POST" and 'class="summary"' not in shown:
            query = request.query_string.decode()
            return redirect(f"/f/{name}/thanks?use={use}&{query}", 303)
        return shown

    @app.get("/f/<name>/thanks")
    def thanks(name: str) -> str:
        set_language(forms[name].language)
        return render_template("thanks.html", form=forms[name], use=request.args.get("use", "page"))

    @app.get("/f/<name>/started", endpoint="forms.started")
    def started(name: str) -> tuple[str, int]:
        return name, 204

    @app.get("/error")
    def error() -> str:
        set_language("en")
        return render_template(
            "error.html",
            status=404,
            title="There is no such form",
            text="The address may be mistyped, or the form may have been taken down.",
            back="/f/contact",
        )

    @app.get("/embed.js")
    def embed() -> Response:
        return app.send_static_file("embed.js")


@pytest.fixture(scope="session")
def look_forms() -> dict[str, Form]:
    definition = parse_form("arabic.toml", RIGHT_TO_LEFT)
    persian = parse_form("persian.toml", RIGHT_TO_LEFT.replace('"ar"', '"fa"'))
    bundled = load_forms(BUNDLED_FORMS)
    own = {"visit": VISIT, "steps": VISIT + STEPS}
    return {
        **bundled,
        "hebrew": bundled["newsletter"].localized["he"],
        "arabic": compile_form("arabic", definition),
        "persian": compile_form("persian", persian),
        **{name: compile_form(name, parse_form(f"{name}.toml", own[name])) for name in own},
    }


@pytest.fixture(scope="session")
def look_app(look_forms: dict[str, Form]) -> Flask:
    """An app that shows every template; it knows neither the views nor the database."""
    app = Flask("look", template_folder=str(TEMPLATES), static_folder=str(STATIC))
    i18n.init_app(app)
    brand.init_app(app)
    layout.init_app(app)
    _add_pages(app, look_forms)

    @app.after_request
    def strict(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app


@contextmanager
def _serve(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def origin(look_app: Flask) -> Iterator[str]:
    """The origin of formapp's own pages."""
    with _serve(look_app) as address:
        yield address


@pytest.fixture(scope="session")
def foreign(origin: str) -> Iterator[str]:
    """The origin of another site, whose pages embed forms of `origin`."""
    app = Flask("foreign", template_folder=str(TEMPLATES), static_folder=str(STATIC))
    policy = FOREIGN_POLICY.format(origin=origin)

    @app.get("/demo/<form_name>")
    def demo(form_name: str) -> str:
        return render_template(
            "demo/embedding.html",
            form_url=f"{origin}/f/{form_name}",
            embed_url=f"{origin}/f/{form_name}/embed",
            embed_js_url=f"{origin}/embed.js",
            contacts_url=f"{origin}/contacts",
            form_name=form_name,
            css_url="/static/demo.css",
        )

    @app.get("/plain")
    def plain() -> str:
        names = request.args.getlist("form")
        scripts = (
            f'<script src="{origin}/embed.js" data-form="{name}" async></script><p>after</p>'
            for name in names
        )
        return f"<!doctype html><title>Plain</title><main>{''.join(scripts)}</main>"

    @app.get("/around")
    def around() -> str:
        return AROUND.format(origin=origin, **request.args)

    @app.after_request
    def strict(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        return response

    with _serve(app) as address:
        # Another host name, so that the two are different sites and not only different ports.
        yield address.replace("127.0.0.1", "localhost")


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open addresses in a browser of a given width, scheme and so on.

    Whatever a page says on its console, such as a violated policy or a failed script, fails the
    test, but for the status that a page of errors has anyway.
    """
    contexts, said = [], []

    def open_one(url: str, *, width: int = 1280, **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)  # type: ignore[arg-type] # any of Playwright's
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert said == []
