"""A site per test, and forms compiled once."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import werkzeug.test

from formapp.forms.form import Form
from tests.web.forms import load
from tests.web.running import Running
from tests.web.support import Site, SiteMaker


@pytest.fixture(autouse=True, scope="session")
def _boundary() -> Iterator[None]:
    """Werkzeug's own boundary is of random length, now and then of more than the 70 allowed."""
    encode = partial(werkzeug.test.stream_encode_multipart, boundary="boundary-of-a-test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(werkzeug.test, "stream_encode_multipart", encode)
        yield


@pytest.fixture(scope="session")
def forms() -> dict[str, Form]:
    return load()


# What is about the database runs on both kinds of it; the rest needn't.
ON_BOTH = {
    "test_at_once",
    "test_confirmation",
    "test_honeypot",
    "test_idempotency",
    "test_rate_limit_counts",
    "test_privacy",
    "test_challenge",
    "test_spam",
    "test_submitting",
    "test_unavailable",
    "test_visit",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    named = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    if "site_kind" in metafunc.fixturenames and "site_kind" not in named:
        both = metafunc.module.__name__.rpartition(".")[2] in ON_BOTH
        metafunc.parametrize("site_kind", ["sqlite", "postgresql"] if both else ["sqlite"])


@pytest.fixture
def make_site(
    tmp_path: Path, forms: dict[str, Form], site_kind: str, request: pytest.FixtureRequest
) -> Iterator[SiteMaker]:
    """Open sites, each on a database of its own; settings go without their prefix."""
    sites: list[Site] = []
    beside = ExitStack()

    def make(**options: Any) -> Site:
        folder = tmp_path / str(len(sites))
        folder.mkdir()
        if site_kind == "postgresql":
            server = request.getfixturevalue("postgres")
            options["url"] = beside.enter_context(server.database())
        sites.append(Site.build(folder, **{"forms": forms, **options}))
        return sites[-1]

    yield make
    for site in sites:
        site.database.close()
    beside.close()


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site()


@pytest.fixture
def running(make_site: SiteMaker) -> Iterator[Running]:
    running = Running(make_site())
    yield running
    running.stop()
