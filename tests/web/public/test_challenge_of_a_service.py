"""A form with a service's challenge: its page names that service alone, and nobody waits for it."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from formapp.app import create_app
from formapp.config.settings import Settings, SettingsError
from formapp.db.tables import jobs
from formapp.jobs.queue import JobRunner
from formapp.leads.accept import Status
from formapp.leads.held import conclude_challenge
from formapp.leads.release import release
from formapp.spam.challenge_job import ChallengeChecks
from formapp.spam.providers import PROVIDERS
from tests.support.verifier import GOOD_TOKEN, SECRET, verifier
from tests.web.guarded import SPAM, guarded
from tests.web.pages import Page
from tests.web.support import GOOD, KEY, Site, SiteMaker

KEYS = {"CHALLENGE_SITE_KEY": "1x00AA", "CHALLENGE_SECRET": "the-secret-of-the-service"}


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site(forms=guarded('challenge = "turnstile"'), **KEYS)


def waiting(site: Site) -> list[tuple[str, dict[str, Any]]]:
    with site.database.read() as connection:
        return [(row.kind, row.content) for row in connection.execute(select(jobs))]


def directives(policy: str) -> dict[str, list[str]]:
    parts = [part.strip().split(" ") for part in policy.split(";")]
    return {name: hosts for name, *hosts in parts}


def test_what_was_answered_waits_in_quarantine_for_a_worker_that_asks(site: Site) -> None:
    answer = site.post(GOOD | {"cf-turnstile-response": "a token"})
    assert answer.status_code == 303
    row = site.row()
    assert row.status == "quarantined"
    assert row.meta["suspect"][-1] == "Cloudflare Turnstile has not been asked yet"
    assert waiting(site) == [("challenge", {"provider": "turnstile", "token": "a token"})]
    assert "a token" not in str(row)
    # A worker is woken: the visitor's lead shouldn't wait.
    assert len(site.kept) == 1
    metrics = site.get("/metrics").get_data(as_text=True)
    assert 'result="kept"} 1.0' in metrics
    assert "formapp_unknown_fields_total{" not in metrics


@pytest.mark.parametrize(
    "given", [{}, {"cf-turnstile-response": ""}, {"g-recaptcha-response": "x"}]
)
def test_what_was_not_answered_waits_for_its_owner(site: Site, given: dict[str, str]) -> None:
    assert site.foreign(GOOD | given).status_code == 303
    assert site.row().meta["suspect"] == ["the challenge was not solved"]
    assert (waiting(site), site.kept) == ([], [])


def test_what_is_held_back_anyway_is_told_to_nobody(site: Site) -> None:
    site.foreign(SPAM | {"cf-turnstile-response": "a token"})
    assert waiting(site) == []
    assert site.row().status == "quarantined"


@pytest.mark.parametrize("site_kind", ["sqlite", "postgresql"])
def test_a_quota_counts_what_the_service_lets_through_and_no_token_that_was_made_up(
    make_site: SiteMaker, site_kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site(forms=guarded('challenge = "turnstile"\nquota = "1/day"'), **KEYS)
    with verifier() as service:
        checks = ChallengeChecks(
            partial(conclude_challenge, site.database),
            SECRET,
            service.url,
            lambda: datetime.now(UTC),
        )
        worker = JobRunner(
            site.database, {"challenge": checks.run}, clock=lambda: datetime.now(UTC)
        )
        for token in ("made up", "made up, too", *(f"{GOOD_TOKEN}-{n}" for n in "123")):
            site.foreign(GOOD | {"cf-turnstile-response": token})
            assert worker.run_next()
    rows = site.rows()
    assert [row.status for row in rows] == ["quarantined"] * 2 + ["accepted"] + ["quarantined"] * 2
    assert site.pending() == 1
    reasons = [row.meta["suspect"] for row in rows]
    assert [each[-1] for each in reasons[3:]] == ["beyond the form's quota of 1/day"] * 2
    assert "quota" not in str(reasons[:3])
    assert caplog.text.count("the quota of the form lead is used up") == 1
    # The owner may let out whatever is held back, and takes nothing by it.
    for row in (rows[0], rows[3]):
        assert release(site.database, row.id, None, datetime.now(UTC)) is Status.ACCEPTED  # type: ignore[arg-type] # nothing is read again
    assert all("quota" not in row.meta for row in (site.rows()[0], *site.rows()[2:]))


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_page_loads_the_service_and_its_policy_names_it_and_nobody_else(
    make_site: SiteMaker, name: str
) -> None:
    site = make_site(forms=guarded(f'challenge = "{name}"'), **KEYS)
    provider = PROVIDERS[name]
    page = Page(answer := site.get("/f/lead"))
    assert provider.script in [attrs.get("src") for tag, attrs in page.tags if tag == "script"]
    [place] = [attrs for tag, attrs in page.tags if attrs.get("data-sitekey")]
    assert place["data-sitekey"] == "1x00AA"
    assert provider.css_class in (place["class"] or "").split()
    found = directives(answer.headers["Content-Security-Policy"])
    for directive, hosts in provider.policy.items():
        own = ["'self'"] if directive in {"script-src", "style-src"} else []
        assert found[directive] == [*own, *hosts.split()]
    named = {"script-src", "style-src", *provider.policy}
    others = [host for key, hosts in found.items() if key not in named for host in hosts]
    assert not [host for host in others if "google" in host or "captcha" in host or "cloud" in host]
    assert b"the-secret-of-the-service" not in answer.data
    # Only where the form is shown.
    thanks = site.get("/f/lead/thanks")
    assert "frame-src" not in thanks.headers["Content-Security-Policy"]
    assert provider.script.encode() not in thanks.data


def test_without_being_asked_for_no_page_knows_any_service(make_site: SiteMaker) -> None:
    answer = make_site(**KEYS).get("/f/lead")
    assert b"1x00AA" not in answer.data
    assert set(directives(answer.headers["Content-Security-Policy"])) == {
        "default-src",
        "style-src",
        "script-src",
        "img-src",
        "base-uri",
        "form-action",
        "frame-ancestors",
    }


@pytest.mark.parametrize("missing", KEYS)
def test_a_challenge_without_its_settings_is_a_fault_at_start(missing: str) -> None:
    given = {name: value for name, value in KEYS.items() if name != missing} | {"SECRET_KEY": KEY}
    settings = Settings.read({f"FORMAPP_{name}": text for name, text in given.items()}, web=True)
    with pytest.raises(SettingsError) as caught:
        create_app(settings, forms=guarded('challenge = "hcaptcha"'))
    assert caught.value.faults == [
        f"FORMAPP_{missing}: is missing; the challenge of lead, other needs it"
    ]


def test_two_services_at_once_are_a_fault(make_site: SiteMaker) -> None:
    forms = guarded('challenge = "hcaptcha"') | {
        "lead": guarded('challenge = "turnstile"')["lead"],
    }
    with pytest.raises(SettingsError, match="one service serves all forms"):
        make_site(forms=forms, **KEYS)


@pytest.mark.parametrize("url", ["verify", "ftp://a.example", "https://"])
def test_a_wrong_address_to_ask_at_is_a_fault(url: str) -> None:
    with pytest.raises(SettingsError, match="FORMAPP_CHALLENGE_VERIFY_URL: is no web address"):
        Settings.read({"FORMAPP_CHALLENGE_VERIFY_URL": url})
