"""Two sites in one installation, from the form to each site's contact, by processes as they run."""

from pathlib import Path

import pytest
import requests

from tests.support.formfiles import EMAIL
from tests.support.processes import Commands, Installation, eventually, send
from tests.support.wixsite import OTHER_ID, SITE_ID, WixSite

SITES = {"berlin": SITE_ID, "paris": OTHER_ID}


@pytest.fixture
def agency(commands: Commands, tmp_path: Path) -> Installation:
    """A server with two sites and a form of each."""
    (tmp_path / "forms").mkdir()
    for name in SITES:
        form = f'title = "T"\nsite = "{name}"\nlabels = ["{name}"]\n{EMAIL}'
        (tmp_path / "forms" / f"{name}.toml").write_text(form, "utf-8")
    tables = (f'[sites.{name}]\nsite_id = "{site_id}"\n' for name, site_id in SITES.items())
    (tmp_path / "formapp.toml").write_text("".join(tables), "utf-8")
    return Installation(
        commands,
        f"sqlite:///{tmp_path / 'formapp.db'}",
        FORMS=str(tmp_path / "forms"),
        WIX_API_KEY="",
        WIX_SITE_ID="",
        WIX_API_KEY_BERLIN="IST.berlin",
        WIX_API_KEY_PARIS="IST.paris",
    )


@pytest.mark.slow
def test_one_site_is_refused_while_the_other_s_leads_become_contacts(agency: Installation) -> None:
    berlin, paris = (WixSite(agency.sandbox, site_id) for site_id in SITES.values())
    berlin.fault("status", site=SITE_ID, status=401)
    for name in SITES:
        assert send(agency.web, name, email="ines@example.com").status_code == 303
    eventually(lambda: len(paris.contacts()) == 1)

    def metrics() -> str:
        return requests.get(f"{agency.web}/metrics", timeout=10).text

    eventually(lambda: 'formapp_lane_paused{site="berlin"} 1.0' in metrics())
    text = metrics()
    assert 'formapp_deliveries{site="berlin",state="pending"} 1.0' in text
    assert 'formapp_deliveries{site="paris",state="pending"} 0.0' in text
    assert 'formapp_lane_paused{site="paris"} 1.0' not in text
    assert berlin.contacts() == []
    listed = agency.run("leads", "list", "--json").stdout
    assert listed.count('"site": "berlin"') == listed.count('"site": "paris"') == 1
    for site in (berlin, paris):
        site.close()
