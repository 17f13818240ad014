"""The inbox with few and with many leads: each page is about as quick at a million."""

import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial

from flask.testing import FlaskClient

from formapp.app import create_app
from formapp.config.settings import Settings
from formapp.db.database import Database
from formapp.db.upgrade import upgrade
from formapp.leads import totals
from formapp.resources import BUNDLED_FORMS
from formapp.web.owner.sign_in import sign_in_of
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import play, ratios, spread, tell
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.stage import KINDS, NotHereError, Stage
from tests.support.many_leads import Crowd, fill_leads

FEW, MANY = 1_000, 1_000_000
GROWTH = 1.5
"""So much longer a page may take with many leads than with few."""

CROWD_GROWTH = 1.2
"""The same where all further leads have something in common that the page may not show."""

OTHERS = 1_000
"""So many older leads, in every mix: more than a page of each state, outcome and form."""

CROWDS = {
    "waiting": partial(Crowd, state="pending"),
    "delivered": partial(Crowd, state="delivered"),
    "delivered in a form of their own": partial(
        Crowd, state="delivered", form="crowd", site="north"
    ),
    "waiting in one form": partial(Crowd, state="pending", form="form3"),
    "caught by the honeypot": partial(Crowd, state="spam", form="form3"),
}
CROWD_PAGES = {
    "list": "/inbox/leads",
    "form": "/inbox/leads?form=form3",
    "site": "/inbox/leads?site=main",
    "failed": "/inbox/leads?state=failed",
    "delivered": "/inbox/leads?state=delivered",
    "failed, form": "/inbox/leads?state=failed&form=form3",
    "delivered, form": "/inbox/leads?state=delivered&form=form4",
    "created": "/inbox/leads?outcome=created",
    "created, form": "/inbox/leads?outcome=created&form=form2",
    "overview": "/inbox/overview",
}

PAGES = {
    "list": "/inbox/leads",
    "form": "/inbox/leads?form=form3",
    "state": "/inbox/leads?state=failed",
    "site": "/inbox/leads?site=main",
    "delivered": "/inbox/leads?state=delivered",
    "two filters": "/inbox/leads?state=failed&form=form3",
    "outcome": "/inbox/leads?outcome=created&form=form3",
    "days": "/inbox/leads?until={past}",
    "name": "/inbox/leads?search=given3",
    "two words": "/inbox/leads?search=given3+fam",
    "two names without a lead": "/inbox/leads?search=given3+given4",
    "name, failed": "/inbox/leads?search=given3&state=failed",
    "name, form": "/inbox/leads?search=given3&form=form3",
    "beginning, form": "/inbox/leads?search=given&form=form3",
    "beginning, failed": "/inbox/leads?search=given&state=failed",
    "beginning": "/inbox/leads?search=given1",
    "e-mail": "/inbox/leads?search=person77@example.com",
    "phone": "/inbox/leads?search=%2B7944607",
    "overview": "/inbox/overview",
}


FINDS_NOTHING = {PAGES["two names without a lead"]}


def run(setting: Setting) -> Report:
    """Play and judge."""
    report = Report(
        "The inbox with many leads",
        ("page", "few ms", "many ms", "by few"),
        notes=[
            "Leads of a year; each figure is the best of five requests in a round.",
            "A page shows 50 leads of either, but for an address and a number: those are one's.",
            "A search of which each part has many is answered with what the newest leads show.",
            f"`most …`: the newest are all alike; {OTHERS:,} older ones are the same in either.",
        ],
    )
    many = setting.part(MANY, FEW)
    for kind in setting.kinds:
        with Stage() as stage, suppress(NotHereError):
            few, large = (_client(stage, kind, number) for number in (FEW, many))
            for page, address in PAGES.items():
                _compare(report, f"{KINDS[kind]}: {page}", address, few, large, setting.rounds)
        for mix, crowd in CROWDS.items():
            with Stage() as stage, suppress(NotHereError):
                few, large = (
                    _client(stage, kind, number + OTHERS, crowd(number)) for number in (FEW, many)
                )
                for page, address in CROWD_PAGES.items():
                    name = f"{KINDS[kind]}, most {mix}: {page}"
                    _compare(report, name, address, few, large, setting.rounds, CROWD_GROWTH)
    return report


def _compare(  # noqa: PLR0917 - a row's parts
    report: Report,
    name: str,
    address: str,
    few: FlaskClient,
    many: FlaskClient,
    rounds: int,
    growth: float = GROWTH,
) -> None:
    """Add a row for a page, and what must hold."""
    turns = {
        "few": partial(seconds_of, few, address),
        "many": partial(seconds_of, many, address),
    }
    seen = play(turns, rounds)
    grown = ratios(seen["many"], seen["few"])
    times = [spread(seen[each]).said(1, 1000) for each in ("few", "many")]
    report.rows.append((name, *times, grown.said(2)))
    report.at_most(name, growth, grown)


def _client(stage: Stage, kind: str, number: int, crowd: Crowd | None = None) -> FlaskClient:
    """Return a browser of the inbox of an installation with so many leads."""
    url = stage.database(kind)
    tell(f"  filling {KINDS[kind]} with {number:,} leads")
    with closing(Database(url)) as database:
        upgrade(database)
        # No page of a crowd searches.
        fill_leads(database, number, crowd=crowd, found=0 if crowd else None)
        # As a worker does once a minute.
        totals.refresh(database, datetime.now(UTC))
    return client_of(url)


def client_of(url: str) -> FlaskClient:
    """Return a browser of the inbox on this database."""
    given = {"SECRET_KEY": "x" * 32, "DATABASE_URL": url, "FORMS": str(BUNDLED_FORMS)}
    settings = Settings.read({f"FORMAPP_{name}": text for name, text in given.items()}, web=True)
    app = create_app(settings)
    sign_in_of(app).everybody = True
    return app.test_client()


def seconds_of(client: FlaskClient, address: str) -> float:
    """Return how long the page takes at best."""
    past = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 200 * 86_400))
    times = []
    for _ in range(5):
        started = time.perf_counter()
        answer = client.get(address.format(past=past))
        times.append(time.perf_counter() - started)
        is_vain = b"No lead fits" in answer.data and address not in FINDS_NOTHING
        if answer.status_code != 200 or is_vain:
            raise RuntimeError(f"{address} answered {answer.status_code}, or nothing")
    return min(times)
