"""Settings: every fault named at once, in words, and no secret in any of them."""

import logging
from pathlib import Path
from typing import Any

import pytest

from formapp.config.settings import Settings, SettingsError
from formapp.resources import BUNDLED_FORMS

SECRET = "a secret that is long enough"
API_KEY = {"WIX_API_KEY": "IST.secret-of-wix", "WIX_SITE_ID": "site"}
APP = {"WIX_APP_ID": "app", "WIX_APP_SECRET": "secret-of-app", "WIX_INSTANCE_ID": "instance"}


def read(given: dict[str, str], *, web: bool = False, wix: bool = False) -> Settings:
    named = {f"FORMAPP_{name}": value for name, value in given.items()}
    return Settings.read(named, web=web, wix=wix)


def faults(given: dict[str, str], **wanted: bool) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(given, **wanted)
    assert str(caught.value) == "\n".join(caught.value.faults)
    return caught.value.faults


ADDRESS = "is no web address; write it like https://forms.example.com"
HOST = "takes host names without scheme and port, such as forms.example.com"
DATABASE = "is no database address; write sqlite:///formapp.db"
LIMIT = "is no limit; write it like 30/minute, or off"
FAULTS = [
    ("DATABASE_URL", "formapp.db", DATABASE),
    ("DATABASE_URL", "postgresql://user:pass@host:port/name", DATABASE),
    ("DATABASE_URL", "mysql://host/name", "names an engine that formapp doesn't know"),
    ("DATABASE_URL", "sqlite+aiosqlite:///x.db", "names an engine that formapp doesn't know"),
    ("DATABASE_URL", "sqlite://", "names no file"),
    ("DATABASE_URL", "sqlite:///:memory:", "names no file"),
    ("DATABASE_URL", "sqlite:///file:x?mode=memory&uri=true", "names no file"),
    ("DATABASE_URL", "sqlite:////no/such/folder/x.db", "is in a folder that doesn't exist"),
    ("FORMS", "/no/such/folder", "is no folder: /no/such/folder"),
    ("FORMS", __file__, "is no folder"),
    ("SECRET_KEY", "short", "is too short to be a secret: use at least 16 random characters"),
    ("SECRET_KEY", f"{SECRET},short", "is too short to be a secret"),
    ("METRICS_TOKEN", "fifteen-letters", "is too short to be a secret: use at least 16 random"),
    ("METRICS_TOKEN", "a-t\u00f6ken-of-letters", "has a character that a header can't have"),
    ("METRICS_TOKEN", "x" * 1025, "is too long"),
    ("API_TOKEN", "fifteen-letters", "is too short to be a secret: use at least 16 random"),
    ("API_TOKEN", f"{SECRET.replace(' ', '-')},short", "is too short to be a secret"),
    ("API_TOKEN", "a token of 16 or more", "has a space or a character that no key has"),
    ("WEBHOOK_SECRET", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "is no secret of Standard Webhooks"),
    ("WEBHOOK_SECRET", "whsec_dG9vIHNob3J0", "is no secret of Standard Webhooks"),
    ("WEBHOOK_SECRET", "whsec_!", "is no secret of Standard Webhooks"),
    ("NOTIFY_CHAT", "sales", "takes addresses of Apprise with names of your own"),
    ("NOTIFY_CHAT", "Sales=slack://x", "takes addresses of Apprise with names of your own"),
    ("NOTIFY_CHAT", "slack://x slack://y", "has two entries called slack; name them"),
    ("BASE_URL", "forms.example.com", ADDRESS),
    ("BASE_URL", "ftp://forms.example.com", ADDRESS),
    ("BASE_URL", "https://", ADDRESS),
    ("BASE_URL", "https://[bad", ADDRESS),
    ("BASE_URL", "https://forms.example.com:99999", ADDRESS),
    ("BASE_URL", "https://forms.example.com:0", ADDRESS),
    ("BASE_URL", "https://forms example.com", ADDRESS),
    ("BASE_URL", "https://*.example.com", ADDRESS),
    ("BASE_URL", "https://user:password@forms.example.com", "has more than an address"),
    ("BASE_URL", "https://forms.example.com/?a=b", "has more than an address"),
    ("BASE_URL", "https://forms.example.com/#a", "has more than an address"),
    ("BASE_URL", "https://example.com/forms", "has a path; forms need a host of their own"),
    ("TRUSTED_HOSTS", "https://forms.example.com", HOST),
    ("TRUSTED_HOSTS", "forms.example.com:8000", HOST),
    ("TRUSTED_HOSTS", "forms.example.com/", HOST),
    ("TRUSTED_HOSTS", "good.example, *.example.com", HOST),
    ("TRUSTED_HOSTS", ".", HOST),
    ("TRUSTED_HOSTS", "::1", HOST),
    ("PROXY_HOPS", "one", "is wrong: input should be a valid integer"),
    ("PROXY_HOPS", "-1", "is wrong: input should be greater than or equal to 0"),
    ("PROXY_HOPS", "11", "is wrong: input should be less than or equal to 10"),
    ("WIX_API_URL", "wixapis.com", ADDRESS),
    ("LIMIT_PER_ADDRESS", "many", LIMIT),
    ("LIMIT_PER_ADDRESS", "30", LIMIT),
    ("LIMIT_PER_FORM", "0/minute", LIMIT),
    ("LIMIT_PER_FORM", "30/fortnight", LIMIT),
    ("WIX_RATE_LIMIT", "1", "is wrong: input should be greater than or equal to 2"),
    ("WIX_RATE_LIMIT", "200.5", "is wrong: input should be a valid integer"),
    ("CREATE_GRACE", "-1", "is wrong: input should be greater than or equal to 0"),
    ("CREATE_GRACE", "nan", "is wrong: input should be"),
    ("CREATE_GRACE", "1e9", "is wrong: input should be less than or equal to 86400"),
    ("SECRET_KEY_FILE", "/no/such/file", "names a file that can't be read: No such file"),
    ("FORMS_FILE", "/", "names a file that can't be read: Is a directory"),
]


@pytest.mark.parametrize(("name", "value", "fault"), FAULTS)
def test_a_fault_is_named_with_what_would_be_right(name: str, value: str, fault: str) -> None:
    [line] = faults({name: value})
    assert line.startswith(f"FORMAPP_{name}: {fault}")


def test_all_faults_are_told_at_once_in_order() -> None:
    lines = faults(
        {
            "SECRET_KEY_FILE": "/no/such/file",
            "BASE_URL": "nonsense",
            "PROXY_HOPS": "x",
            "LIMIT_PER_FORM": "x",
            "CREATE_GRACE": "x",
        },
        web=True,
        wix=True,
    )
    assert [line.partition(":")[0].removeprefix("FORMAPP_") for line in lines] == [
        "BASE_URL",
        "CREATE_GRACE",
        "LIMIT_PER_FORM",
        "PROXY_HOPS",
        "SECRET_KEY",
        "SECRET_KEY_FILE",
        "WIX_API_KEY",
        "WIX_SITE_ID",
    ]


@pytest.mark.parametrize("value", [None, "", "  ", ",", " , ,"])
def test_the_web_server_needs_a_key(value: str | None) -> None:
    given = {} if value is None else {"SECRET_KEY": value}
    [line] = faults(given, web=True)
    assert line == "FORMAPP_SECRET_KEY: is missing; it signs the tokens of form pages"
    read(given)  # other commands don't


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, ["WIX_API_KEY", "WIX_SITE_ID"]),
        ({"WIX_API_KEY": "k"}, ["WIX_SITE_ID"]),
        ({"WIX_SITE_ID": "s"}, ["WIX_API_KEY"]),
        ({"WIX_APP_ID": "a"}, ["WIX_APP_SECRET", "WIX_INSTANCE_ID"]),
        ({"WIX_INSTANCE_ID": "i", "WIX_APP_SECRET": "s"}, ["WIX_APP_ID"]),
        (API_KEY | {"WIX_APP_ID": "a"}, ["WIX_API_KEY"]),
    ],
)
def test_deliveries_need_one_complete_set_of_credentials(
    given: dict[str, str], missing: list[str]
) -> None:
    lines = faults(given, wix=True)
    assert [line.partition(":")[0].removeprefix("FORMAPP_") for line in lines] == missing


@pytest.mark.parametrize("given", [API_KEY, APP, API_KEY | {"WIX_ACCOUNT_ID": "account"}])
def test_a_complete_set_is_enough(given: dict[str, str]) -> None:
    (site,) = read(given, wix=True).sites
    assert (site.name, site.faults()) == ("main", [])


def test_nothing_set_is_right_too() -> None:
    settings = read({})
    assert settings.database_url == "sqlite:///formapp.db"
    assert settings.forms == BUNDLED_FORMS
    assert settings.wix_api_url == "https://www.wixapis.com"
    assert (settings.wix_rate_limit, settings.create_grace, settings.proxy_hops) == (200, 60, 0)
    assert (settings.base_url, settings.trusted_hosts) == (None, ())


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("BASE_URL", "https://forms.example.com/", "base_url", "https://forms.example.com"),
        (
            "BASE_URL",
            "HTTPS://Forms.Example.com:8443",
            "base_url",
            "https://forms.example.com:8443",
        ),
        ("BASE_URL", "http://[::1]:8000", "base_url", "http://[::1]:8000"),
        ("WIX_API_URL", "http://127.0.0.1:8001/x/", "wix_api_url", "http://127.0.0.1:8001/x"),
        ("TRUSTED_HOSTS", " A.example , b.example,, ", "trusted_hosts", ("a.example", "b.example")),
        ("TRUSTED_HOSTS", "[::1],.example.com", "trusted_hosts", ("[::1]", ".example.com")),
        ("TRUSTED_HOSTS", "münchen.example", "trusted_hosts", ("xn--mnchen-3ya.example",)),
        ("LIMIT_PER_ADDRESS", "off", "limit_per_address", None),
        ("LIMIT_PER_ADDRESS", " OFF ", "limit_per_address", None),
        ("LIMIT_PER_FORM", "30/minute; 500/day", "limit_per_form", "30/minute; 500/day"),
        ("PROXY_HOPS", " 2 ", "proxy_hops", 2),
        ("CREATE_GRACE", "0.5", "create_grace", 0.5),
        ("DATABASE_URL", "postgres://u:p@h/n", "database_url", "postgresql+psycopg://u:p@h/n"),
        ("DATABASE_URL", "postgresql://u:p@h/n", "database_url", "postgresql+psycopg://u:p@h/n"),
    ],
)
def test_what_is_right_is_read(name: str, value: str, field: str, expected: Any) -> None:
    assert getattr(read({name: value}), field) == expected


def test_keys_come_in_the_order_in_which_they_are_written() -> None:
    keys = read({"SECRET_KEY": f"first of the two keys, {SECRET}"}, web=True).secret_key
    assert [key.get_secret_value() for key in keys] == ["first of the two keys", SECRET]


def test_any_setting_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n", "utf-8")
    (tmp_path / "hops").write_text(" 3 \n", "utf-8")
    settings = read(
        {"SECRET_KEY_FILE": f" {tmp_path / 'key'} ", "PROXY_HOPS_FILE": str(tmp_path / "hops")},
        web=True,
    )
    assert [key.get_secret_value() for key in settings.secret_key] == [SECRET]
    assert settings.proxy_hops == 3


def test_a_value_and_a_file_for_the_same_is_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET, "utf-8")
    [line] = faults({"SECRET_KEY": SECRET, "SECRET_KEY_FILE": str(tmp_path / "key")}, web=True)
    assert line == "FORMAPP_SECRET_KEY_FILE: is set beside the value itself; use one of them"


def test_a_blank_value_beside_a_file_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET, "utf-8")
    given = {"SECRET_KEY": " ", "SECRET_KEY_FILE": str(tmp_path / "key")}
    assert read(given, web=True).secret_key


def test_a_file_that_is_empty_or_no_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    [line] = faults({"SECRET_KEY_FILE": str(tmp_path / "empty")}, web=True)
    assert "is missing" in line
    [line] = faults({"WIX_API_KEY_FILE": str(tmp_path / "bytes")})
    assert line.endswith("names a file that can't be read: it is not UTF-8 text")


SECRETS = {
    "SECRET_KEY": f"canary-one-long-enough,{SECRET}",
    "DATABASE_URL": "postgresql://user:canary-two@host/name",
    "METRICS_TOKEN": "canary-three-long-enough",
    "WIX_API_KEY": "canary-four",
    "WIX_APP_SECRET": "canary-five",
}


def test_no_text_form_shows_a_secret() -> None:
    settings = read(SECRETS)
    for text in (repr(settings), str(settings), f"{settings}", f"{settings!r}"):
        assert "canary" not in text
        assert SECRET not in text
    assert settings.secret_key[0].get_secret_value() == "canary-one-long-enough"


@pytest.mark.parametrize(
    "wrong",
    [
        {"SECRET_KEY": "canary"},
        {"SECRET_KEY_FILE": "canary-put-here-by-mistake"},
        {"WIX_API_KEY_FILE": "canary-put-here-by-mistake"},
        {"DATABASE_URL": "postgresql://user@canary:canary@host/name"},
        {"DATABASE_URL": "postgresql://user:pass@host:canary/name"},
        {"DATABASE_URL": "canary"},
        {"DATABASE_URL": "oracle://user:canary@host/name"},
        {"DATABASE_URL": "sqlite://user:canary@host/"},
        {"BASE_URL": "https://user:canary@forms.example.com"},
        {"WIX_API_URL": "https://user:canary@forms.example.com"},
        {"PROXY_HOPS": "canary"},
        {"LIMIT_PER_FORM": "canary"},
    ],
    ids=lambda wrong: f"{next(iter(wrong))}",
)
def test_no_fault_quotes_a_secret(wrong: dict[str, str]) -> None:
    secrets = {name: value for name, value in SECRETS.items() if f"{name}_FILE" not in wrong}
    with pytest.raises(SettingsError) as caught:
        read(secrets | wrong, web=True, wix=True)
    error = caught.value
    assert "canary" not in str(error)
    assert "canary" not in repr(error)
    assert "canary" not in repr(error.__cause__)
    assert SECRET not in str(error)


def test_an_unknown_name_is_told_without_its_value_and_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        read({"SECRET_KYE": "canary", "SECRET_KEY": SECRET}, web=True)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "FORMAPP_SECRET_KYE is no setting of formapp and was ignored" in caplog.text
    assert "canary" not in caplog.text


def test_names_of_other_programs_are_none_of_our_business(caplog: pytest.LogCaptureFixture) -> None:
    Settings.read({"PATH": "/bin", "SECRET_KEY": "x", "FORM_APP": "y"})
    assert caplog.text == ""


def test_settings_cannot_be_changed() -> None:
    settings = read({})
    with pytest.raises(ValueError, match="frozen"):
        settings.proxy_hops = 1


def test_alerts_take_a_webhook_with_a_query_and_need_a_server_for_mail() -> None:
    settings = Settings.read({"FORMAPP_ALERT_WEBHOOK": "https://hooks.example.com/x?key=canary"})
    assert settings.alert_webhook
    assert settings.alert_webhook.get_secret_value().endswith("?key=canary")
    assert "canary" not in repr(settings)
    wrong = {
        "FORMAPP_ALERT_WEBHOOK": "nowhere",
        "FORMAPP_ALERT_EMAIL": "owner@example.com,nobody",
        "FORMAPP_SMTP_URL": "mail.example.com",
        "FORMAPP_LOG_FORMAT": "xml",
    }
    with pytest.raises(SettingsError) as caught:
        Settings.read(wrong)
    assert [fault.split(":")[0] for fault in caught.value.faults] == sorted(wrong)
    with pytest.raises(SettingsError, match="SMTP_URL: is missing"):
        Settings.read({"FORMAPP_ALERT_EMAIL": "owner@example.com"})


@pytest.mark.parametrize("name", ["WIX_API_KEY", "WIX_SITE_ID", "WIX_APP_SECRET"])
@pytest.mark.parametrize("value", ["IST.two words", "IST.caf\u00e9", "line\nbreak"])
def test_what_goes_into_a_header_holds_no_blank_and_is_not_quoted(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({f"FORMAPP_{name}": value})
    assert caught.value.faults[0].startswith(f"FORMAPP_{name}: has a space")
    assert value not in str(caught.value)


def test_chats_have_names_of_the_owners_or_are_called_by_their_scheme() -> None:
    given = {"NOTIFY_CHAT": "sales=slack://token/#leads\n  tgram://bot/1"}
    settings = read(given)
    assert settings.chats == {"sales": "slack://token/#leads", "tgram": "tgram://bot/1"}
    assert "#leads" not in repr(settings)
    assert read({}).chats == {}


def test_chats_need_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("formapp.config.checks.find_spec", lambda _name: None)
    (fault,) = faults({"NOTIFY_CHAT": "slack://x"})
    assert fault == "FORMAPP_NOTIFY_CHAT: needs the package apprise: pip install 'formapp[chat]'"
