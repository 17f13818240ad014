"""The project file: found in three places, and every fault of it reported at once with its line."""

from pathlib import Path

import pytest

from formapp.config.project import Project, load_project, parse_project
from formapp.forms.definition.parse import FormFilesError

SITES = """
[sites.berlin]
site_id = "5c1f7e0a"
rate_limit = 100
api_url = "http://127.0.0.1:8001/"

[sites.new-york]
app_id = "app"
instance_id = "instance"
"""


def faults(text: str) -> list[str]:
    with pytest.raises(FormFilesError) as caught:
        parse_project("formapp.toml", text)
    return [str(fault) for fault in caught.value.faults]


def test_a_file_describes_its_sites() -> None:
    sites = parse_project("formapp.toml", SITES).sites
    assert list(sites) == ["berlin", "new-york"]
    assert sites["berlin"].api_url == "http://127.0.0.1:8001"
    assert (sites["berlin"].rate_limit, sites["new-york"].rate_limit) == (100, None)
    assert sites["new-york"].instance_id == "instance"


def test_all_faults_are_reported_at_once_in_the_order_of_their_lines() -> None:
    text = """\
site = "main"
[sites.berlin]
site-id = "x"
rate_limit = "100"
[sites.Paris]
site_id = "two words"
[sites.rome]
app_id = "a"
api_url = "wix"
[sites.oslo]
site_id = "x"
instance_id = "y"
"""
    assert faults(text) == [
        'formapp.toml:1: site: is not a known key; did you mean "sites"?',
        (
            "formapp.toml:2: sites.berlin.site_id: is missing; an app has app_id and instance_id "
            "instead"
        ),
        'formapp.toml:3: sites.berlin.site-id: is not a known key; did you mean "site_id"?',
        (
            "formapp.toml:4: sites.berlin.rate_limit: should be a whole number, without quotes, "
            "not text"
        ),
        (
            "formapp.toml:5: sites.Paris: \"Paris\" can't be a site's name; use lower-case "
            'letters, digits and "-", 40 characters at most'
        ),
        (
            "formapp.toml:6: sites.Paris.site_id: has a space or a character that no key has; copy "
            "all of it again"
        ),
        "formapp.toml:7: sites.rome.instance_id: is missing; an app needs both ids",
        (
            "formapp.toml:9: sites.rome.api_url: is no web address; write it like "
            "https://forms.example.com"
        ),
        "formapp.toml:11: sites.oslo.site_id: is set beside instance_id; use an API key or an app",
    ]


@pytest.mark.parametrize("name", ["a_b", "all", "file", "new-file", "-a", "a-", "x" * 41, "é"])
def test_a_name_that_could_mean_something_else_is_refused(name: str) -> None:
    (fault,) = faults(f'[sites."{name}"]\nsite_id = "x"')
    assert f'"{name}"' in fault


def test_a_secret_has_no_place_in_the_file() -> None:
    (fault,) = faults('[sites.berlin]\nsite_id = "x"\napi_key = "canary"')
    assert fault.startswith("formapp.toml:3: sites.berlin.api_key: is not a known key")
    assert "canary" not in fault


@pytest.mark.parametrize("text", ["sites = 3", "[[sites]]", "sites.berlin = 1", "[sites"])
def test_another_shape_is_a_fault_and_nothing_more(text: str) -> None:
    assert len(faults(text)) == 1


def test_it_is_found_by_the_setting_beside_the_forms_or_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here", "there", "given"):
        (tmp_path / name / "forms").mkdir(parents=True)
        text = f'[sites.{name}]\nsite_id = "x"'
        (tmp_path / name / "formapp.toml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path / "here")
    beside = {"FORMAPP_FORMS": str(tmp_path / "there" / "forms")}
    given = {"FORMAPP_CONFIG": str(tmp_path / "given" / "formapp.toml")}
    for environ, found in (({}, "here"), (beside, "there"), (beside | given, "given")):
        assert list(load_project(environ).project.sites) == [found]
    assert list(load_project({}, tmp_path / "there" / "forms").project.sites) == ["there"]
    (tmp_path / "there" / "formapp.toml").unlink()
    assert list(load_project(beside).project.sites) == ["here"]
    (tmp_path / "here" / "formapp.toml").unlink()
    assert load_project(beside).project == Project()


def test_a_setting_that_names_no_file_is_a_fault(tmp_path: Path) -> None:
    file = load_project({"FORMAPP_CONFIG": str(tmp_path / "none.toml")})
    assert file.faults == (f"FORMAPP_CONFIG: is no file: {tmp_path / 'none.toml'}",)


def test_a_file_of_bytes_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "formapp.toml").write_bytes(b"\xff")
    file = load_project({"FORMAPP_CONFIG": str(tmp_path / "formapp.toml")})
    assert file.faults == ("formapp.toml: is not UTF-8 text (byte 0)",)
