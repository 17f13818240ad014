"""The manual as pages, for the demo: `/manual` and `/manual/<topic>`."""

import re
from itertools import chain, pairwise

from flask import Blueprint, Flask, Response, abort, render_template, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup

from formapp import manual
from formapp.web.headers import page_headers
from formapp.web.responses import html_answer
from formapp.web.services import services

blueprint = Blueprint("manual", __name__, url_prefix="/manual")
_LINK = re.compile(r"(?P<topic>[a-z-]+)\.md(?P<anchor>#.*)?")


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


@blueprint.get("/", defaults={"topic": None})
@blueprint.get("/<topic>")
def show(topic: str | None) -> Response:
    titles = manual.topics()
    if topic is not None and topic not in titles:
        abort(404)
    text = render(manual.read(topic)) if topic else ""
    page = render_template("manual.html", topics=titles, topic=topic, text=text)
    return html_answer(page, policy=page_headers(services().origin))


def render(markdown: str) -> Markup:
    """HTML of a topic: headings get anchors as on GitHub, links lead to the topics' pages."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", _anchor(inline.content))
        elif opening.type == "fence":
            # A reader without a mouse must be able to scroll it.
            opening.attrSet("tabindex", "0")
    for token in chain.from_iterable(each.children or () for each in tokens):
        if found := _LINK.fullmatch(str(token.attrGet("href") or "")):
            page = url_for("manual.show", topic=found["topic"])
            token.attrSet("href", page + (found["anchor"] or ""))
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 - it escapes


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
