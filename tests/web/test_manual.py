"""The manual's pages, as the demo shows them."""

import re

import pytest
from flask import Flask

from formapp import manual
from formapp.web.manual import init_app, render
from tests.web.support import Site


@pytest.fixture
def pages(site: Site) -> Flask:
    """An app with the manual, as the demo's."""
    init_app(site.app)
    return site.app


def test_the_list_leads_to_every_topic(pages: Flask) -> None:
    client = pages.test_client()
    listed = client.get("/manual/").text
    for topic, title in manual.topics().items():
        assert f'<a href="/manual/{topic}">{title}</a>' in listed
        assert "<h1 id=" in client.get(f"/manual/{topic}").text


def test_links_between_topics_lead_to_pages_and_their_headings(pages: Flask) -> None:
    client = pages.test_client()
    shown = {topic: client.get(f"/manual/{topic}").text for topic in manual.topics()}
    links = [
        link for text in shown.values() for link in re.findall(r'href="/manual/([^"]+)"', text)
    ]
    assert any("#" in link for link in links)
    for link in links:
        topic, _, anchor = link.partition("#")
        assert not anchor or f'id="{anchor}"' in shown[topic]


def test_another_topic_isnt_found(pages: Flask) -> None:
    assert pages.test_client().get("/manual/nothing").status_code == 404


def test_an_app_has_no_manual_unless_it_is_the_demos(site: Site) -> None:
    assert site.app.test_client().get("/manual/").status_code == 404


def test_markup_in_a_topic_is_shown_and_not_run(pages: Flask) -> None:
    with pages.test_request_context():
        assert "<script>" not in render("A <script>alert(1)</script>")
