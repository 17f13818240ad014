"""Host names and proxies: who we are is for the owner to say."""

from pathlib import Path

import pytest

from formapp.app import create_app
from tests.web.pages import Page
from tests.web.support import GOOD, JSON, KEY, Site, SiteMaker


@pytest.mark.parametrize(
    ("host", "trusted", "expected"),
    [
        ("forms.example.com", "forms.example.com", True),
        ("forms.example.com:8443", "forms.example.com", True),
        ("forms.example.com:", "forms.example.com", True),
        ("FORMS.Example.Com", "forms.example.com", True),
        ("[::1]", "[::1]", True),
        ("[::1]:8000", "[::1]", True),
        ("a.example.com", ".example.com", True),
        ("example.com", ".example.com", True),
        ("evilexample.com", ".example.com", False),
        ("a.forms.example.com", "forms.example.com", False),
        ("forms.example.com.", "forms.example.com", False),
        ("forms.example.com.evil.example", "forms.example.com", False),
        ("forms.example.com:99999", "forms.example.com", False),
        ("forms.example.com:x", "forms.example.com", False),
        ("forms.example.com@evil.example", "forms.example.com", False),
        ("evil.example@forms.example.com", "forms.example.com", False),
        ("forms.example.com/", "forms.example.com", False),
        ("forms example com", "forms.example.com", False),
        ("a..b", "forms.example.com", False),
        ("x" * 300, "forms.example.com", False),
        ("", "forms.example.com", False),
        ("[::1", "[::1]", False),
        ("[::2]:8000", "[::1]", False),
        ("forms_web:8000", "forms_web", True),
        ("other_web:8000", "forms_web", False),
    ],
)
def test_a_host_is_trusted_by_its_name_alone(
    make_site: SiteMaker, host: str, trusted: str, *, expected: bool
) -> None:
    site = make_site(TRUSTED_HOSTS=trusted)
    assert site.get("/f/other", Host=host).status_code == (200 if expected else 400)


@pytest.mark.parametrize(
    "host", ["evil.example", "a..b", "bad host", "é.example", "x" * 300, "[", ":"]
)
@pytest.mark.parametrize("path", ["/f/lead", "/f/lead/thanks", "/nothing", "/static/formapp.css"])
def test_a_strange_host_is_refused(site: Site, host: str, path: str) -> None:
    answer = site.get(path, Host=host)
    assert answer.status_code == 400
    assert host not in answer.get_data(as_text=True) or len(host) == 1
    answer = site.get(path, Host=host, **JSON)
    assert answer.json
    assert answer.json["errors"][0]["code"] == "HOST"


@pytest.mark.parametrize("host", ["evil.example", "10.0.0.7:8000", "a..b", "bad host"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_come_by_any_address(site: Site, host: str, path: str) -> None:
    assert site.get(path, Host=host).status_code == 200


def test_the_host_of_the_base_url_is_trusted_unless_others_are_listed(make_site: SiteMaker) -> None:
    by_base = make_site(BASE_URL="https://forms.example.com:8443")
    assert by_base.get("/f/lead", Host="forms.example.com").status_code == 200
    assert by_base.get("/f/lead", Host="localhost").status_code == 400
    listed = make_site(
        BASE_URL="https://forms.example.com", TRUSTED_HOSTS="one.example, Two.Example"
    )
    assert listed.get("/f/lead", Host="two.example").status_code == 200
    assert listed.get("/f/lead", Host="forms.example.com").status_code == 400


@pytest.mark.parametrize("base", ["http://[::1]:8000", "https://münchen.example"])
def test_any_kind_of_base_url_is_reached(make_site: SiteMaker, base: str) -> None:
    site = make_site(BASE_URL=base)
    host = {"http://[::1]:8000": "[::1]:8000"}.get(base, "xn--mnchen-3ya.example")
    assert site.get("/f/lead", Host=host).status_code == 200


def test_without_a_base_url_this_machine_is_meant_and_links_follow_the_request(
    make_site: SiteMaker,
) -> None:
    site = make_site(BASE_URL="")
    assert site.get("/f/lead", Host="127.0.0.1:9000").status_code == 200
    assert site.get("/f/lead", Host="forms.example.com").status_code == 400
    answer = site.foreign(GOOD, json=True, Host="127.0.0.1:9000")
    assert answer.json
    assert answer.json["next"] == "http://127.0.0.1:9000/f/lead/thanks"


def test_links_are_built_from_the_base_url(make_site: SiteMaker) -> None:
    site = make_site(BASE_URL="https://forms.example.com/", TRUSTED_HOSTS="localhost")
    answer = site.foreign(GOOD, json=True)
    assert answer.json
    assert answer.json["next"] == "https://forms.example.com/f/lead/thanks"


FORWARDED = {
    "X-Forwarded-For": "203.0.113.9, 198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "forms.example.com",
}


def test_a_proxy_is_believed_as_many_hops_as_are_set(make_site: SiteMaker) -> None:
    site = make_site(PROXY_HOPS="1", BASE_URL="https://forms.example.com")
    posted = GOOD | {"_token": site.token()}
    headers = FORWARDED | {"Origin": "https://forms.example.com"}
    answer = site.open("POST", "/f/lead", data=posted, headers=headers)
    assert answer.status_code == 303
    assert site.get("/f/lead", **FORWARDED).status_code == 200
    assert site.get("/f/lead", **FORWARDED | {"X-Forwarded-Host": "evil"}).status_code == 400


def test_without_hops_nobody_is_believed(make_site: SiteMaker) -> None:
    site = make_site(BASE_URL="https://forms.example.com")
    assert site.get("/f/lead", **FORWARDED).status_code == 400
    shown = site.get("/f/lead", **FORWARDED, Host="forms.example.com")
    assert shown.status_code == 200


@pytest.mark.parametrize(
    ("hops", "addresses", "statuses"),
    [
        # The nearest proxy wrote the last address; a visitor may have invented those before.
        ("1", ["1.1.1.1, 9.9.9.9", "2.2.2.2, 9.9.9.9"], [303, 429]),
        ("1", ["1.1.1.1, 8.8.8.8", "1.1.1.1, 9.9.9.9"], [303, 303]),
        ("2", ["1.1.1.1, 9.9.9.9", "2.2.2.2, 9.9.9.9"], [303, 303]),
        ("0", ["1.1.1.1", "2.2.2.2"], [303, 429]),
    ],
)
def test_a_visitors_address_is_what_the_nearest_proxies_say(
    make_site: SiteMaker, hops: str, addresses: list[str], statuses: list[int]
) -> None:
    site = make_site(PROXY_HOPS=hops, LIMIT_PER_ADDRESS="1/hour")
    answers = [site.post(GOOD, **{"X-Forwarded-For": address}) for address in addresses]
    assert [answer.status_code for answer in answers] == statuses


def test_metrics_are_for_this_machine_unless_a_token_is_set(make_site: SiteMaker) -> None:
    site = make_site()
    assert site.get("/metrics").status_code == 200
    assert site.get("/metrics", **{"X-Forwarded-For": "127.0.0.1"}).status_code == 403
    away = {"REMOTE_ADDR": "203.0.113.9"}
    assert site.open("GET", "/metrics", environ_overrides=away).status_code == 403
    guarded = make_site(METRICS_TOKEN="a secret of the monitoring")
    assert guarded.get("/metrics").status_code == 403
    assert guarded.get("/metrics", Authorization="Bearer wrong").status_code == 403
    right = {"Authorization": "Bearer a secret of the monitoring"}
    answer = guarded.open("GET", "/metrics", environ_overrides=away, headers=right)
    assert answer.status_code == 200


def test_the_app_of_another_wsgi_server_reads_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORMAPP_SECRET_KEY", KEY)
    monkeypatch.setenv("FORMAPP_DATABASE_URL", f"sqlite:///{tmp_path / 'x.db'}")
    with create_app().test_client(use_cookies=False) as client:
        page = client.get("/f/contact", buffered=True)
    assert Page(page).sent["_token"]
