"""What a post to a form that notifies stores, and that other forms store nothing of it."""

import pytest
from sqlalchemy import select

from formapp.config.settings import SettingsError
from formapp.db.tables import jobs
from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from formapp.leads.release import release, reread_by
from formapp.notifications.plan import NOTIFY
from tests.support.clock import NOON
from tests.support.formfiles import EMAIL
from tests.web.guarded import SPAM
from tests.web.support import Site, SiteMaker

SETTINGS = {"SMTP_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "forms@example.com"}
NAME = '[[fields]]\nname = "message"\ntype = "text"\nlabel = "Message"\n'


def form(top: str) -> Form:
    text = f'title = "T"\norigins = ["https://www.example.com"]\n{top}\n{EMAIL}{NAME}'
    return compile_form("lead", parse_form("lead.toml", text))


def kinds(site: Site) -> list[str]:
    with site.database.read() as connection:
        return [*connection.scalars(select(jobs.c.kind))]


ADA = {"email": "ada@example.com"}
TABLES = ['[notify]\nemail = "owner@example.com"', "[reply]"]


@pytest.mark.parametrize("table", TABLES)
def test_an_accepted_post_leaves_one_job_for_its_notifications(
    make_site: SiteMaker, table: str
) -> None:
    site = make_site(forms={"lead": form(table)}, **SETTINGS)
    site.post(ADA)
    assert kinds(site) == [NOTIFY]
    assert len(site.kept) == 1


def test_a_form_without_the_tables_stores_nothing_of_them(make_site: SiteMaker) -> None:
    site = make_site(forms={"lead": form("")})
    site.post(ADA)
    assert kinds(site) == []
    assert NOTIFY not in site.row().meta


@pytest.mark.parametrize("sent", [{"message": SPAM["message"]}, {"_gotcha": "x"}])
def test_what_is_held_back_notifies_when_it_is_released(
    make_site: SiteMaker, sent: dict[str, str]
) -> None:
    forms = {"lead": form(TABLES[0])}
    site = make_site(forms=forms, **SETTINGS)
    site.post(ADA | sent)
    assert kinds(site) == []
    release(site.database, site.row().id, reread_by(lambda: forms, "main"), NOON)
    assert kinds(site) == [NOTIFY]


def test_a_post_beyond_the_quota_notifies_nobody(make_site: SiteMaker) -> None:
    site = make_site(forms={"lead": form(f'{TABLES[0]}\n[spam]\nquota = "1/day"')}, **SETTINGS)
    site.post(ADA)
    site.post(ADA)
    assert [row.status for row in site.rows()] == ["accepted", "quarantined"]
    assert kinds(site) == [NOTIFY]


def test_a_repeated_post_notifies_once(make_site: SiteMaker) -> None:
    site = make_site(forms={"lead": form(TABLES[0])}, **SETTINGS)
    token = site.token()
    for _ in range(2):
        site.post(ADA | {"_token": token})
    assert kinds(site) == [NOTIFY]


def test_a_form_does_not_start_without_what_its_notifications_need(make_site: SiteMaker) -> None:
    with pytest.raises(SettingsError, match="FORMAPP_SMTP_URL: is missing"):
        make_site(forms={"lead": form(TABLES[0])})
