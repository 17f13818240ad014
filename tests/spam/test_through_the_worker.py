"""From a post to Wix, a service's challenge in between: server, worker and service for real."""

import json
from pathlib import Path

import pytest
import requests

from tests.support import formfiles
from tests.support.processes import Commands, Installation, eventually
from tests.support.verifier import GOOD_TOKEN, SECRET, verifier

FORM = f"""
title = "Contact"
origins = ["https://www.example.com"]
[spam]
challenge = "turnstile"
{formfiles.EMAIL}"""

TOKEN = f"{GOOD_TOKEN}-and-whole"


def post(installation: Installation, address: str, token: str) -> int:
    answer = requests.post(
        f"{installation.web}/f/contact",
        data={"email": address, "cf-turnstile-response": token},
        headers={"Origin": "https://www.example.com"},
        allow_redirects=False,
        timeout=10,
    )
    return answer.status_code


@pytest.mark.slow
def test_who_passes_reaches_wix_and_who_does_not_waits_for_the_owner(
    commands: Commands, tmp_path: Path
) -> None:
    forms = tmp_path / "forms"
    forms.mkdir()
    (forms / "contact.toml").write_text(FORM, "utf-8")
    with verifier() as service:
        installation = Installation(
            commands,
            f"sqlite:///{tmp_path / 'formapp.db'}",
            FORMS=str(forms),
            CHALLENGE_SITE_KEY="1x00AA",
            CHALLENGE_SECRET=SECRET,
            CHALLENGE_VERIFY_URL=service.url,
        )
        assert post(installation, "ada@example.com", TOKEN) == 303
        assert post(installation, "bot@example.com", "invented") == 303
        eventually(lambda: len(installation.contacts()) == 1)
        eventually(lambda: len(service.asked) == 2)
        assert all("example.com" not in str(asked) for asked in service.asked)

        def reasons() -> list[str]:
            listed = installation.run("leads", "list", "--state", "quarantined", "--json").stdout
            [entry] = json.loads(listed)
            shown = json.loads(installation.run("leads", "show", entry["id"], "--json").stdout)
            found: list[str] = shown["meta"]["suspect"]
            return found

        told = "Cloudflare Turnstile rejects the token (invalid-input-response)"
        eventually(lambda: told in reasons(), 30)
    [contact] = installation.contacts()
    assert contact["primaryInfo"]["email"] == "ada@example.com"
    log = (tmp_path / "serve.log").read_text()
    for secret in (TOKEN, "invented", SECRET):
        assert secret not in log
