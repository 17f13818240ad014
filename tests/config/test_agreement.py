"""What the settings and the form files must agree on."""

import pytest

from formapp.config.agreement import challenge_faults, confirm_faults, notify_faults, site_faults
from formapp.config.project import Project, parse_project
from formapp.config.settings import Settings
from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.parse import parse_form
from tests.support.formfiles import EMAIL

MAIL = {"SMTP_URL": "smtp://mail.example.com", "BASE_URL": "https://forms.example.com"}
KEY = {"SECRET_KEY": "a secret that is long enough", "MAIL_FROM": "owner@example.com"}


def settings(**given: str) -> Settings:
    return Settings.read({f"FORMAPP_{name}": value for name, value in given.items()})


def forms(**tops: str) -> dict[str, FormDefinition]:
    return {
        name: parse_form(f"{name}.toml", f'title = "T"\n{top}\n{EMAIL}')
        for name, top in tops.items()
    }


def names(faults: list[str]) -> list[str]:
    return [fault.partition(":")[0].removeprefix("FORMAPP_") for fault in faults]


def test_forms_that_need_nothing_fit_empty_settings() -> None:
    plain = forms(contact="", quote='[spam]\nchallenge = "altcha"')
    assert challenge_faults(settings(), plain) == confirm_faults(settings(), plain) == []
    assert site_faults(Project(), plain) == []


PARIS, BERLIN = '[sites.paris]\nsite_id = "p"\n', '[sites.berlin]\nsite_id = "b"\n'


@pytest.mark.parametrize(
    ("project", "site", "problem"),
    [
        ("", None, None),
        ("", "main", None),
        ("", "branch", '"branch" is not known; write "main" or leave it out'),
        (PARIS, None, None),
        (PARIS, "paris", None),
        (PARIS, "main", '"main" is not known; the sites are paris'),
        (PARIS + BERLIN, "berlin", None),
        (PARIS + BERLIN, "berln", '"berln" is not known; did you mean "berlin"?'),
        (PARIS + BERLIN, None, "is missing; the sites are berlin and paris"),
        (PARIS + '[sites.main]\nsite_id = "m"', None, None),
    ],
)
def test_a_form_names_a_site_that_exists_or_leaves_it_to_the_only_one_or_main(
    project: str, site: str | None, problem: str | None
) -> None:
    form = forms(a=f'site = "{site}"' if site else "")
    found = site_faults(parse_project("formapp.toml", project), form)
    assert [str(fault) for fault in found] == ([f"a.toml: site: {problem}"] if problem else [])


def test_a_service_needs_both_of_its_keys() -> None:
    guarded = forms(a='[spam]\nchallenge = "turnstile"', b="")
    assert names(challenge_faults(settings(), guarded)) == [
        "CHALLENGE_SITE_KEY",
        "CHALLENGE_SECRET",
    ]
    assert names(challenge_faults(settings(CHALLENGE_SECRET="x"), guarded)) == [
        "CHALLENGE_SITE_KEY"
    ]
    assert challenge_faults(settings(CHALLENGE_SECRET="x", CHALLENGE_SITE_KEY="y"), guarded) == []


def test_forms_use_one_service() -> None:
    [fault] = challenge_faults(
        settings(), forms(a='[spam]\nchallenge = "turnstile"', b='[spam]\nchallenge = "hcaptcha"')
    )
    assert fault == (
        "the challenges of a, b are of hcaptcha and turnstile; one service serves all forms"
    )


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, ["SMTP_URL", "BASE_URL", "SECRET_KEY", "MAIL_FROM"]),
        (MAIL, ["SECRET_KEY", "MAIL_FROM"]),
        (MAIL | KEY, []),
        (MAIL | KEY | {"KEEP_DAYS": "3"}, ["KEEP_DAYS"]),
    ],
)
def test_a_confirmation_needs_what_sends_mail(given: dict[str, str], missing: list[str]) -> None:
    assert names(confirm_faults(settings(**given), forms(news="[confirm]"))) == missing


def test_a_form_with_its_own_sender_and_days_needs_no_others() -> None:
    top = 'keep_days = 9\n[confirm]\nsender = "news@example.com"'
    given = MAIL | {"SECRET_KEY": KEY["SECRET_KEY"], "KEEP_DAYS": "3"}
    assert confirm_faults(settings(**given), forms(news=top)) == []


SENDS = {"SMTP_URL": MAIL["SMTP_URL"], "MAIL_FROM": KEY["MAIL_FROM"]}
HOOK = {"WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


@pytest.mark.parametrize(
    ("top", "given", "missing"),
    [
        ('[notify]\nemail = "owner@example.com"', {}, ["SMTP_URL", "MAIL_FROM"]),
        ('[notify]\nemail = "owner@example.com"', SENDS, []),
        ('[notify]\nwebhook = "https://example.com/"', {}, ["WEBHOOK_SECRET"]),
        ('[notify]\nwebhook = "https://example.com/"', HOOK, []),
        ("[notify]\nchat = true", {}, ["NOTIFY_CHAT"]),
        ("[notify]\nchat = true", {"NOTIFY_CHAT": "a=slack://x"}, []),
        ('[notify]\nchat = ["a", "b"]', {"NOTIFY_CHAT": "a=slack://x"}, ["NOTIFY_CHAT"]),
        ("[reply]", {}, ["SMTP_URL", "SECRET_KEY", "MAIL_FROM"]),
        ("[reply]", MAIL | KEY, []),
        ('[reply]\nsender = "a@example.com"', MAIL, ["SECRET_KEY"]),
        ("", {}, []),
    ],
)
def test_notifications_need_what_sends_them(
    top: str, given: dict[str, str], missing: list[str]
) -> None:
    assert names(notify_faults(settings(**given), forms(a=top))) == missing
