"""Several Wix sites: their ids from the project file, their secrets from settings."""

import logging
from pathlib import Path

import pytest

from formapp.config.project import Project, parse_project
from formapp.config.settings import Settings, SettingsError

FILE = """
[sites.berlin]
site_id = "site-of-berlin"
rate_limit = 100

[sites.new-york]
app_id = "app"
instance_id = "instance"
api_url = "http://127.0.0.1:8001"
"""
SECRETS = {"WIX_API_KEY_BERLIN": "canary-key", "WIX_APP_SECRET_NEW_YORK": "canary-secret"}


def read(given: dict[str, str], text: str = FILE, *, wix: bool = True) -> Settings:
    project = parse_project("formapp.toml", text)
    named = {f"FORMAPP_{name}": value for name, value in given.items()}
    return Settings.read(named, wix=wix, project=project)


def faults(given: dict[str, str], text: str = FILE) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(given, text)
    assert "canary" not in str(caught.value)
    return caught.value.faults


def test_each_site_has_its_own_credentials_limit_and_address() -> None:
    settings = read({**SECRETS, "WIX_API_URL": "http://127.0.0.1:9", "WIX_RATE_LIMIT": "50"})
    berlin, york = settings.sites
    assert (berlin.name, berlin.site_id, york.name) == ("berlin", "site-of-berlin", "new-york")
    assert berlin.api_key
    assert berlin.api_key.get_secret_value() == "canary-key"
    assert york.app_secret
    assert york.app_secret.get_secret_value() == "canary-secret"
    assert (berlin.rate_limit, york.rate_limit) == (100, 50)
    assert (berlin.api_url, york.api_url) == ("http://127.0.0.1:9", "http://127.0.0.1:8001")
    assert "canary" not in repr(settings) + repr(settings.sites)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("canary-key\n", "utf-8")
    given = SECRETS | {"WIX_API_KEY_BERLIN": "", "WIX_API_KEY_BERLIN_FILE": str(tmp_path / "key")}
    key = read(given).sites[0].api_key
    assert key
    assert key.get_secret_value() == "canary-key"


def test_without_a_file_the_environment_describes_main() -> None:
    settings = read({"WIX_API_KEY": "canary-key", "WIX_SITE_ID": "site"}, "")
    assert [site.name for site in settings.sites] == [settings.default_site] == ["main"]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, ["WIX_API_KEY_BERLIN: is missing", "WIX_APP_SECRET_NEW_YORK: is missing"]),
        (
            SECRETS | {"WIX_APP_SECRET_BERLIN": "canary", "WIX_API_KEY_NEW_YORK": "canary"},
            ["WIX_API_KEY_NEW_YORK: isn't used", "WIX_APP_SECRET_BERLIN: isn't used"],
        ),
        (SECRETS | {"WIX_API_KEY_BERLIN": "a canary"}, ["WIX_API_KEY_BERLIN: has a space"]),
        (
            SECRETS | {"WIX_API_KEY": "canary", "WIX_SITE_ID": "s"},
            ["WIX_API_KEY: isn't used beside [sites]", "WIX_SITE_ID: isn't used beside [sites]"],
        ),
    ],
)
def test_what_is_missing_or_has_no_use_is_named(given: dict[str, str], wrong: list[str]) -> None:
    found = faults(given)
    assert len(found) == len(wrong)
    for line, beginning in zip(found, wrong, strict=True):
        assert line.startswith(f"FORMAPP_{beginning}")


def test_faults_of_the_file_come_behind_those_of_settings_in_the_order_of_lines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "formapp.toml"
    lines = [f"unknown{number} = 1" for number in range(1, 11)]
    file.write_text("\n".join([*lines, FILE]), "utf-8")
    given = {"FORMAPP_CONFIG": str(file), "FORMAPP_PROXY_HOPS": "x"}
    with caplog.at_level(logging.WARNING), pytest.raises(SettingsError) as caught:
        Settings.read(given | {f"FORMAPP_{name}": value for name, value in SECRETS.items()})
    places = [line.split(": ")[0] for line in caught.value.faults]
    assert places == ["FORMAPP_PROXY_HOPS", *(f"formapp.toml:{n}" for n in range(1, 11))]
    # Nothing says that the secrets of its sites have no use.
    assert caplog.text == ""


def test_a_web_process_needs_no_secret_to_know_the_sites() -> None:
    settings = read({}, wix=False)
    assert [site.name for site in settings.sites] == ["berlin", "new-york"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], "main"), (["a"], "a"), (["a", "main"], "main"), (["a", "b"], "main")],
)
def test_a_form_that_names_no_site_is_of_the_only_one_or_main(
    names: list[str], expected: str
) -> None:
    text = "\n".join(f'[sites.{name}]\nsite_id = "x"' for name in names)
    assert read({}, text, wix=False).default_site == expected


def test_a_project_that_is_given_replaces_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "formapp.toml").write_text(FILE, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert len(Settings.read({}).sites) == 2
    assert [site.name for site in Settings.read({}, project=Project()).sites] == ["main"]
