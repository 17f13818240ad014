"""The process of `formapp worker` loads no web framework."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import environ, free_port

pytestmark = pytest.mark.slow

UNWANTED = {
    "flask",
    "flask_babel",
    "flask_wtf",
    "wtforms",
    "waitress",
    "formapp.web",
    "formapp.app",
}
SCRIPT = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, sep="\\n"))
from formapp.cli import main
sys.argv = ["formapp", "worker", "--once"]
main()
"""


def test_the_worker_loads_no_flask_no_wtforms_and_no_waitress(tmp_path: Path) -> None:
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'formapp.db'}",
        "WIX_API_URL": f"http://127.0.0.1:{free_port()}",
        "WIX_API_KEY": "IST.example",
        "WIX_SITE_ID": "5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11",
        # What it takes to run each kind of job.
        "BASE_URL": "https://forms.example.com",
        "SECRET_KEY": "a key that is long enough",
        "SMTP_URL": "smtp://127.0.0.1:2525",
        "MAIL_FROM": "forms@example.com",
        "CHALLENGE_SECRET": "a-secret",
        "CHALLENGE_SITE_KEY": "a-key",
        "ALERT_EMAIL": "owner@example.com",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environ(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.splitlines())
    assert "formapp.delivery.deliver" in loaded
    assert loaded & UNWANTED == set()
