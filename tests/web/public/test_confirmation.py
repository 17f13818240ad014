"""Double opt-in on the web side: what waits, what the link shows, and what its button does."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from formapp.app import create_app
from formapp.config.settings import Settings, SettingsError
from formapp.confirmation.links import Link, LinkSigner, address_hash
from formapp.db.database import Database
from formapp.db.tables import deliveries, jobs
from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from formapp.leads.accept import Status
from formapp.leads.anonymize import anonymize
from formapp.leads.confirm import confirm
from formapp.leads.held import release_held
from formapp.leads.report import show_submission
from tests.support import formfiles
from tests.web.pages import Page
from tests.web.support import FROM_OUR_PAGE, JSON, KEY, OWN, Site, SiteMaker, assert_refused, locked

NEWS = """
title = "Newsletter"
origins = ["https://www.example.com"]
labels = ["Reader"]

[thanks]
title = "Welcome"
%s

[confirm]
%s

"""
MAIL = {"SMTP_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "news@example.com"}
ADA = {"email": "Ada@Example.com", "news": "yes"}


def news(thanks: str = "", confirm: str = "") -> Form:
    return compile_form("news", parse_form("news.toml", NEWS % (thanks, confirm) + formfiles.NEWS))


MakeNews = Callable[..., Site]


@pytest.fixture
def make_news(make_site: SiteMaker) -> MakeNews:
    def make(*texts: str, **settings: Any) -> Site:
        return make_site(forms={"news": news(*texts)}, **MAIL, **settings)

    return make


@pytest.fixture
def site(make_news: MakeNews) -> Site:
    return make_news()


def sign_up(site: Site, **more: Any) -> str:
    """Fill in the form; the id of the submission."""
    assert site.post(ADA | more, form="news").status_code == 303
    return str(site.rows()[-1].id)


def link(
    submission_id: str,
    *,
    address: str = "ada@example.com",
    days: float = 7,
    keys: tuple[str, ...] = (KEY,),
) -> str:
    until = datetime.now(UTC) + timedelta(days=days)
    token = LinkSigner(keys).issue(Link(submission_id, address_hash(address), until))
    return f"/f/news/confirm?t={token}"


def press(site: Site, path: str, **headers: str) -> TestResponse:
    return site.open("POST", path, headers=FROM_OUR_PAGE | headers)


def waiting(site: Site) -> list[str]:
    with site.database.read() as connection:
        return list(connection.execute(select(jobs.c.kind)).scalars())


def test_a_submission_waits_with_its_mail_and_without_a_delivery(site: Site) -> None:
    answer = site.post(ADA, form="news")
    assert answer.headers["Location"] == "/f/news/thanks?_step=confirm"
    row = site.row()
    assert row.status == "unconfirmed"
    assert waiting(site) == ["confirm"]
    assert site.pending() == 0
    assert len(site.kept) == 1
    page = site.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Check your e-mail" in page
    assert "ada" not in page.lower()
    asked = show_submission(site.database, row.id)["confirmation"]
    assert "“Newsletter”" in asked["text"]
    assert asked["page"] == f"{OWN}/f/news"
    assert 'result="unconfirmed"} 1' in site.get("/metrics").get_data(as_text=True)


def test_the_mail_repeats_nothing_that_the_visitor_typed(site: Site) -> None:
    site.post(ADA | {"email": "canary@example.com"}, form="news", query="?utm_source=canary")
    assert "canary" not in str(site.row().meta["confirmation"])


def test_everybody_gets_the_same_answer_whatever_was_sent_before(site: Site) -> None:
    first, again, other = (
        site.post({"email": address}, form="news", json=True).json
        for address in ("a@example.com", "a@example.com", "b@example.com")
    )
    spam = site.post({"email": "a@example.com", "_gotcha": "x"}, form="news", json=True).json
    assert first == again == other == spam
    assert first == {"ok": True, "next": f"{OWN}/f/news/thanks?_step=confirm"}


def test_a_repeated_post_asks_once(site: Site) -> None:
    token = site.token("news")
    for _ in range(2):
        site.post(ADA | {"_token": token}, form="news")
    assert waiting(site) == ["confirm"]


def test_the_form_files_own_texts_are_used(make_news: MakeNews) -> None:
    texts = (
        'subject = "S"\ntext = "T"\nbutton = "B"\ntitle = "Mailbox!"\nnotice = "Look."\ndays = 3'
    )
    site = make_news("", texts)
    submission_id = sign_up(site)
    page = site.get("/f/news/thanks?_step=confirm").get_data(as_text=True)
    assert "<h1>Mailbox!</h1>" in page
    assert "Look." in page
    asked = site.row().meta["confirmation"]
    assert (asked["subject"], asked["text"], asked["button"], asked["days"]) == ("S", "T", "B", 3)
    assert '<button type="submit">B</button>' in site.get(link(submission_id)).get_data(
        as_text=True
    )


def test_looking_at_the_link_confirms_nothing(site: Site) -> None:
    submission_id = sign_up(site)
    for method in ("GET", "HEAD", "OPTIONS"):
        for _ in range(2):
            assert site.open(method, link(submission_id)).status_code == 200
    assert site.row().status == "unconfirmed"
    assert site.pending() == 0
    page = Page(site.get(link(submission_id)))
    forms = [attrs for tag, attrs in page.tags if tag == "form"]
    assert [(form["method"], form["action"]) for form in forms] == [("post", forms[0]["action"])]
    assert (forms[0]["action"] or "").startswith("/f/news/confirm?t=")
    assert "Send me the newsletter." in site.get(link(submission_id)).get_data(as_text=True)


def test_the_button_lets_it_through_and_keeps_when_and_where(site: Site) -> None:
    site.post(ADA, form="news", query="?utm_source=x")
    submission_id = site.row().id
    before = len(site.kept)
    answer = press(site, link(submission_id))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/f/news/thanks")
    assert "Welcome" in site.get("/f/news/thanks").get_data(as_text=True)
    assert len(site.kept) == before + 1
    row = site.row()
    assert row.status == "accepted"
    assert site.pending() == 1
    assert waiting(site) == []
    (consent,) = row.consents
    assert consent["text"] == "Send me the newsletter."
    assert consent["page"] == f"{OWN}/f/news"
    assert consent["confirmed_at"] == row.meta["confirmed"]["at"] >= consent["at"]
    assert "ada" not in str(row.meta["confirmed"]).lower()
    with site.database.read() as connection:
        delivery = connection.execute(select(deliveries)).one()
    assert (delivery.email, delivery.state) == ("ada@example.com", "pending")
    assert row.lead["labels"] == ["Reader", "Newsletter"]
    # The record of the consent outlives the answers.
    with site.database.write() as connection:
        anonymize(connection, [submission_id], datetime.now(UTC))
    (left,) = site.row().consents
    assert left["confirmed_at"] == consent["confirmed_at"]
    assert 'result="confirmed"} 1' in site.get("/metrics").get_data(as_text=True)


def test_the_owners_own_page_comes_after_the_confirmation(make_news: MakeNews) -> None:
    site = make_news('redirect = "https://www.example.com/thanks"')
    answer = site.post(ADA, form="news")
    assert answer.headers["Location"] == "/f/news/thanks?_step=confirm"
    path = link(site.row().id)
    policy = site.get(path).headers["Content-Security-Policy"]
    assert "https://www.example.com" in re.findall(r"form-action ([^;]+)", policy)[0]
    assert press(site, path).headers["Location"] == "https://www.example.com/thanks"


def test_a_second_click_hears_that_it_is_done(site: Site) -> None:
    path = link(sign_up(site))
    press(site, path)
    for answer in (press(site, path), site.get(path), site.get(path.replace("t=", "x=1&t="))):
        assert answer.status_code == 200
        text = answer.get_data(as_text=True)
        assert "already confirmed this" in text
        assert "<button" not in text
    assert site.pending() == 1


def test_whoever_has_confirmed_hears_so_though_the_link_is_old(site: Site) -> None:
    submission_id = sign_up(site)
    press(site, link(submission_id))
    assert "already confirmed this" in site.get(link(submission_id, days=-1)).get_data(as_text=True)


def test_two_clicks_at_once_make_one_delivery(site: Site) -> None:
    path = link(sign_up(site))
    barrier, answers = threading.Barrier(4), list[int]()

    def click() -> None:
        barrier.wait(10)
        answers.append(press(site, path).status_code)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 200, 200, 303]
    assert site.pending() == 1


def wrong_links(site: Site) -> Iterator[tuple[str, int, str]]:
    submission_id = sign_up(site)
    good = link(submission_id)
    yield link(submission_id, keys=("somebody else's key",)), 400, "LINK_INVALID"
    yield good[:-3], 400, "LINK_INVALID"
    yield "/f/news/confirm", 400, "LINK_INVALID"
    yield "/f/news/confirm?t=ä", 400, "LINK_INVALID"
    yield f"/f/news/confirm?t={site.token('news')}", 400, "LINK_INVALID"
    yield link(submission_id, days=-0.01), 410, "LINK_EXPIRED"
    yield link(submission_id, address="eve@example.com"), 404, "LINK_GONE"
    yield link("00000000-0000-7000-8000-000000000000"), 404, "LINK_GONE"


def test_a_wrong_link_says_what_to_do_and_nothing_else(site: Site) -> None:
    for path, status, code in wrong_links(site):
        for method in ("GET", "POST"):
            page = site.open(method, path, headers=FROM_OUR_PAGE)
            assert page.status_code == status, path
            text = page.get_data(as_text=True)
            assert 'href="/f/news"' in text
            assert "fill in the form again" in text
            assert "example.com" not in text
            answer = site.open(method, path, headers=FROM_OUR_PAGE | JSON)
            assert_refused(answer, status, code)
    assert {row.status for row in site.rows()} == {"unconfirmed"}
    assert site.pending() == 0


def test_what_was_erased_meanwhile_is_gone(site: Site) -> None:
    submission_id = sign_up(site)
    with site.database.write() as connection:
        anonymize(connection, [submission_id], datetime.now(UTC))
    assert site.get(link(submission_id)).status_code == 404
    assert press(site, link(submission_id)).status_code == 404
    assert site.pending() == 0


def test_what_is_erased_between_looking_and_pressing_is_gone(site: Site) -> None:
    submission_id = sign_up(site)

    def too_late(database: Database, submission_id: str, now: datetime) -> bool:
        with database.write() as connection:
            anonymize(connection, [submission_id], now)
        return confirm(database, submission_id, now)

    with patch("formapp.web.public.confirmation.confirm", too_late):
        assert press(site, link(submission_id)).status_code == 404
    assert site.pending() == 0


def test_a_press_and_an_erasure_at_once_leave_no_delivery_of_an_erased_person(
    site: Site,
) -> None:
    for _ in range(10):
        submission_id = sign_up(site)
        path, barrier = link(submission_id), threading.Barrier(2)

        def click(path: str = path, barrier: threading.Barrier = barrier) -> None:
            barrier.wait(10)
            press(site, path)

        thread = threading.Thread(target=click)
        thread.start()
        barrier.wait(10)
        with site.database.write() as connection:
            anonymize(connection, [submission_id], datetime.now(UTC))
        thread.join()
        with site.database.read() as connection:
            mine = select(deliveries).where(deliveries.c.submission_id == submission_id)
            left = connection.execute(mine).first()
        assert left is None or (left.email, left.state) == (None, "failed")


def test_keys_can_change_while_a_link_is_on_its_way(make_news: MakeNews) -> None:
    site = make_news(SECRET_KEY=f"the new key that signs,{KEY}")
    submission_id = sign_up(site, _token=site.token("news"))
    assert press(site, link(submission_id)).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://www.example.com"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    ],
)
def test_no_other_page_presses_the_button(site: Site, headers: dict[str, str]) -> None:
    path = link(sign_up(site))
    assert press(site, path, **headers).status_code == 403
    assert_refused(press(site, path, **headers, **JSON), 403, "BLOCKED")
    assert site.row().status == "unconfirmed"


def test_the_page_stands_in_no_frame_whatever_its_query_says(site: Site) -> None:
    answer = site.get(link(sign_up(site)) + "&_use=embed")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_database_that_is_away_is_told_and_nothing_is_lost(make_news: MakeNews) -> None:
    site = make_news(busy_seconds=0.1)
    path = link(sign_up(site))
    with locked(site):
        answer = press(site, path)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
    assert press(site, path).status_code == 303


def test_what_its_owner_releases_from_quarantine_is_asked_for_first(site: Site) -> None:
    submission_id = sign_up(site)
    now = datetime.now(UTC)
    with site.database.write() as connection:
        from_quarantine = {Status.QUARANTINED}
        assert release_held(connection, submission_id, from_quarantine, now) is None
        connection.exec_driver_sql("UPDATE submissions SET status = 'quarantined'")
        connection.exec_driver_sql("DELETE FROM jobs")
    assert site.get(link(submission_id)).status_code == 404
    with site.database.write() as connection:
        assert release_held(connection, submission_id, from_quarantine, now) is Status.UNCONFIRMED
    assert waiting(site) == ["confirm"]
    assert site.pending() == 0
    assert press(site, link(submission_id)).status_code == 303
    with site.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM deliveries")
        connection.exec_driver_sql("UPDATE submissions SET status = 'quarantined'")
        # Confirmed once is confirmed.
        assert release_held(connection, submission_id, from_quarantine, now) is Status.ACCEPTED
    assert site.pending() == 1


def test_settings_that_a_confirmation_needs_are_named_at_start() -> None:
    def faults(form: Form, **given: str) -> list[str]:
        read = Settings.read({"FORMAPP_SECRET_KEY": KEY} | given, web=True)
        with pytest.raises(SettingsError) as caught:
            create_app(read, forms={"news": form})
        return caught.value.faults

    all_ = faults(news())
    assert [line.partition(":")[0] for line in all_] == [
        "FORMAPP_SMTP_URL",
        "FORMAPP_BASE_URL",
        "FORMAPP_MAIL_FROM",
    ]
    assert all("news.toml" in line for line in all_)
    mail = {"FORMAPP_SMTP_URL": "smtp://127.0.0.1:9", "FORMAPP_BASE_URL": OWN}
    assert len(faults(news(), **mail)) == 1
    own_sender = news("", 'sender = "News <news@example.com>"')
    (short,) = faults(own_sender, **mail, FORMAPP_KEEP_DAYS="3")
    assert short.startswith("FORMAPP_KEEP_DAYS")
    create_app(
        Settings.read({"FORMAPP_SECRET_KEY": KEY, **mail}, web=True), forms={"news": own_sender}
    )
    create_app(
        Settings.read(
            {"FORMAPP_SECRET_KEY": KEY, "FORMAPP_ALERT_FROM": "a@example.com", **mail}, web=True
        ),
        forms={"news": news()},
    )
