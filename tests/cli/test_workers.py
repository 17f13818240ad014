"""The workers of a process: who runs which kind of job, and none waits for another."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from formapp import http
from formapp.cli import worker as workers
from formapp.cli.worker import JOB_DELAY_SECONDS, make_worker_group
from formapp.config.settings import Settings
from formapp.confirmation.store import CONFIRMATION_MAIL, REQUEST
from formapp.db.database import Database
from formapp.db.tables import jobs
from formapp.delivery import claims
from formapp.jobs import queue
from formapp.jobs.queue import Job
from formapp.jobs.worker import WorkerGroup
from formapp.leads.accept import Status, keep
from formapp.leads.report import show_submission
from formapp.monitoring.metrics import Metrics
from formapp.sandbox import SandboxServer, create_sandbox
from formapp.spam.providers import CHALLENGE_CHECK as CHALLENGE
from tests.support import formfiles
from tests.support.leads import WORDING, lead, submission
from tests.support.ledger import failed
from tests.support.processes import SITE, Commands, eventually, free_port
from tests.support.verifier import GOOD_TOKEN, SECRET, verifier


def settings(**more: str) -> Settings:
    """With a site at which nobody answers."""
    given = {
        "WIX_API_URL": f"http://127.0.0.1:{free_port()}",
        "WIX_API_KEY": "IST.example",
        "WIX_SITE_ID": SITE,
        "SECRET_KEY": "a key that is long enough",
        "BASE_URL": "https://forms.example.com",
        **more,
    }
    return Settings.read({f"FORMAPP_{name}": value for name, value in given.items()})


def mail(database: Database, number: int = 0) -> str:
    """Keep what has to be confirmed."""
    given = submission(
        lead(f"person{number}@example.com"),
        datetime.now(UTC),
        status=Status.UNCONFIRMED,
        meta={REQUEST: WORDING | {"sender": "news@example.com"}},
        jobs=(Job(CONFIRMATION_MAIL),),
    )
    return keep(database, given).id


def challenge(database: Database) -> str:
    """Keep what a service is to be asked about."""
    content = {"provider": "turnstile", "token": GOOD_TOKEN}
    given = submission(
        lead("challenged@example.com"),
        datetime.now(UTC),
        status=Status.QUARANTINED,
        meta={},
        jobs=(Job(CHALLENGE, content),),
    )
    return keep(database, given).id


def attempts(database: Database) -> dict[str, int]:
    """Kind to the number of tries, of what is left."""
    with database.read() as connection:
        rows = connection.execute(select(jobs.c.kind, jobs.c.attempts))
        return {row.kind: row.attempts for row in rows}


@contextmanager
def black_hole() -> Iterator[socket.socket]:
    """A mail server that takes connections and says nothing, until it is closed."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener


def url_of(server: socket.socket) -> str:
    return f"smtp://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def running(crew: WorkerGroup) -> Iterator[None]:
    thread = threading.Thread(target=crew.run)
    thread.start()
    try:
        yield
    finally:
        crew.stop()
        thread.join()


def test_what_wakes_all_workers_has_deliveries_look_at_once_and_jobs_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[str, float]] = []

    def noting(name: str, look: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **options: Any) -> Any:
            looks.append((name, time.monotonic()))
            return look(*args, **options)

        return noted

    monkeypatch.setattr(
        "formapp.delivery.deliver.claim_many", noting("delivery", claims.claim_many)
    )
    monkeypatch.setattr(queue, "claim_job", noting("job", queue.claim_job))
    late = 0
    crew = make_worker_group(settings(), database, Metrics())
    with running(crew):
        eventually(lambda: {"delivery", "job"} <= {name for name, _ in looks})
        for _ in range(5):
            time.sleep(0.1)
            looks.clear()
            woken = time.monotonic()
            crew.wake()
            eventually(lambda: {"delivery", "job"} <= {name for name, _ in looks})
            first = {name: at - woken for name, at in reversed(looks)}
            late += first["delivery"] < JOB_DELAY_SECONDS <= first["job"]
    # Each may also have looked by itself, as it does once a second.
    assert late >= 3


def test_a_mail_server_that_says_nothing_keeps_no_challenge_waiting(database: Database) -> None:
    """Each mail takes 10 s, and they were there first; a token is worthless after minutes."""
    for number in range(3):
        mail(database, number)
    with verifier() as service, black_hole() as server:
        submission_id = challenge(database)
        more = {"CHALLENGE_SECRET": SECRET, "CHALLENGE_VERIFY_URL": service.url}
        given = settings(SMTP_URL=url_of(server), **more)
        with running(make_worker_group(given, database, Metrics())):
            eventually(lambda: len(service.asked) == 1, 15)
            eventually(lambda: CHALLENGE not in attempts(database))
            server.close()
    assert len(service.asked) == 1
    assert show_submission(database, submission_id)["state"] == "pending"


def test_without_the_secret_a_challenge_ends_when_nobody_can_ask_any_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission_id = challenge(database)
    monkeypatch.setattr(workers, "_now", lambda: datetime.now(UTC) + workers.LONGEST_LIFE)
    make_worker_group(settings(), database, Metrics()).drain()
    assert attempts(database) == {}
    shown = show_submission(database, submission_id)
    assert shown["state"] == "quarantined"
    assert shown["meta"]["suspect"] == ["Cloudflare Turnstile did not verify the token in time"]


FORM = f"""
title = "News"
[confirm]
[spam]
challenge = "turnstile"
{formfiles.EMAIL}"""


@pytest.mark.slow
def test_a_webhook_that_drips_keeps_no_lead_waiting_and_no_worker_from_ending(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "DEADLINE", 8.0)
    failed(database, submission(lead("first@example.com"), datetime.now(UTC)))
    with verifier() as hook, SandboxServer(create_sandbox()) as wix:
        hook.fault = "dripping body"
        more = {"ALERT_WEBHOOK": hook.url, "WIX_API_URL": wix.url}
        began = time.monotonic()
        with running(make_worker_group(settings(**more), database, Metrics())):
            eventually(lambda: len(hook.asked) == 1)
            submission_id = keep(database, submission(lead(), datetime.now(UTC))).id
            state = partial(show_submission, database, submission_id)
            eventually(lambda: state()["state"] == "delivered", 6)
        # Each call ends by its deadline; a process has twice as long to end.
        assert time.monotonic() - began < 2 * http.DEADLINE


SITES = """
[sites.mute]
site_id = "{mute_id}"
api_url = "http://127.0.0.1:{mute_port}"
[sites.quick]
site_id = "{quick_id}"
api_url = "{quick_url}"
"""


@pytest.mark.slow
def test_a_site_that_says_nothing_keeps_no_other_site_s_lead_waiting(
    database: Database, tmp_path: Path
) -> None:
    """Each of its calls takes 20 s, and its leads were there first."""
    with black_hole() as mute, SandboxServer(create_sandbox()) as wix:
        places = {"mute_id": SITE, "mute_port": mute.getsockname()[1]}
        text = SITES.format(**places, quick_id=SITE, quick_url=wix.url)
        (tmp_path / "formapp.toml").write_text(text, "utf-8")
        given = {
            "WIX_API_KEY": "",
            "WIX_SITE_ID": "",
            "WIX_API_KEY_MUTE": "IST.one",
            "WIX_API_KEY_QUICK": "IST.other",
            "CONFIG": str(tmp_path / "formapp.toml"),
        }
        kept = {
            site: keep(database, submission(lead(site=site), datetime.now(UTC))).id
            for site in ("mute", "quick")
        }
        with running(make_worker_group(settings(**given), database, Metrics())):
            quick = partial(show_submission, database, kept["quick"])
            eventually(lambda: quick()["state"] == "delivered")
            assert show_submission(database, kept["mute"])["deliveries"][0]["attempts"] == []
            # Only now does the mute one's call end.
            mute.close()


@pytest.mark.slow
def test_a_worker_tells_at_its_start_what_the_forms_need_and_it_lacks(tmp_path: Path) -> None:
    forms = tmp_path / "forms"
    forms.mkdir()
    (forms / "news.toml").write_text(FORM, "utf-8")
    commands = Commands(tmp_path)
    more = {"FORMS": str(forms), "WIX_API_KEY": "IST.example", "WIX_SITE_ID": SITE}
    done = commands.run("worker", "--once", **more)
    assert done.returncode == 0, done.stderr
    for name in ("SMTP_URL", "BASE_URL", "SECRET_KEY", "MAIL_FROM", "CHALLENGE_SECRET"):
        assert done.stderr.count(f"FORMAPP_{name}: is missing") == 1
    assert "SITE_KEY" not in done.stderr
    (forms / "news.toml").write_text("no form", "utf-8")
    assert commands.run("worker", "--once", **more).returncode == 0


@pytest.mark.parametrize("keep_one", [mail, challenge])
def test_a_worker_without_the_settings_leaves_errands_untouched(
    database: Database, keep_one: Callable[[Database], str]
) -> None:
    keep_one(database)
    make_worker_group(settings(), database, Metrics()).drain()
    assert set(attempts(database).values()) == {0}
