"""The parts that only `formapp demo` needs.

The example page has another origin than the forms, like a customer's site: the sandbox's server
serves it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, render_template, url_for

from formapp.forms.form import Form, compile_form
from formapp.resources import STATIC, TEMPLATES

EXAMPLE_FORM = "contact"


@dataclass(frozen=True)
class Addresses:
    """The base URLs of the demo's parts, without trailing slashes."""

    web: str
    sandbox: str

    @property
    def form(self) -> str:
        """The hosted form."""
        return f"{self.web}/f/{EXAMPLE_FORM}"

    @property
    def share(self) -> str:
        """The owner's page with snippets for a website."""
        return f"{self.form}/share"

    @property
    def example(self) -> str:
        """The example page that embeds the form."""
        return f"{self.sandbox}/example/"

    @property
    def contacts(self) -> str:
        """The sandbox's contact list."""
        return f"{self.sandbox}/"


def allow_origins(forms: Mapping[str, Form], origins: tuple[str, ...]) -> dict[str, Form]:
    """Return the forms with these origins, whose pages may embed them and post to them."""
    return {
        name: compile_form(name, form.definition.model_copy(update={"origins": origins}))
        for name, form in forms.items()
    }


def create_example(addresses: Addresses) -> Flask:
    """Return an app with the example page of an invented business at `/`."""
    app = Flask("formapp.demo", static_folder=str(STATIC), template_folder=str(TEMPLATES))

    @app.get("/")
    def page() -> str:
        return render_template(
            "demo/embedding.html",
            form_name=EXAMPLE_FORM,
            form_url=addresses.form,
            embed_js_url=f"{addresses.web}/embed.js",
            embed_url=f"{addresses.form}/embed",
            contacts_url=addresses.contacts,
            css_url=url_for("static", filename="demo.css"),
        )

    return app
