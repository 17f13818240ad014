"""Whose pages these are: the brand of the form file, else that of the project file."""

from flask import Flask, current_app

from formapp.forms.definition.links import linked
from formapp.forms.definition.model import Brand
from formapp.forms.form import Form
from formapp.forms.origins import origin_of

_EXTENSION = "formapp.brand"


def init_app(app: Flask, brand: Brand | None = None) -> None:
    """Add the brand and links in texts to templates.

    `brand` is that of the project file, for pages whose form has none of its own.
    """
    app.extensions[_EXTENSION] = brand
    app.jinja_env.globals["brand_of"] = brand_of
    app.jinja_env.filters["linked"] = linked


def brand_of(form: Form | None) -> Brand | None:
    """Return the brand of a form's pages; without a form, of all other pages."""
    found: Brand | None = form.definition.brand if form else None
    return found or current_app.extensions[_EXTENSION]


def image_sources(form: Form | None) -> tuple[str, ...]:
    """Return the origin of the logo, for a page's policy."""
    brand = brand_of(form)
    origin = origin_of(brand.logo) if brand and brand.logo else None
    return (origin,) if origin else ()
