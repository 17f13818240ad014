"""Which books take webhooks."""

from pathlib import Path

import pytest

from formapp.crm.inbound import read_verifiers

BOOK = """
system = "{system}"
url = "https://hooks.example.com/"
external_id_field = "id at {name}"
[[fields]]
wix = "phone"
crm = "phone"
"""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_webhook_books_with_a_secret_take_webhooks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("zapier", "none", "wrong", "empty"):
        (tmp_path / f"{name}.toml").write_text(BOOK.format(system="webhook", name=name))
    (tmp_path / "cloud.toml").write_text(BOOK.format(system="carddav", name="cloud"))
    environ = {
        "FORMAPP_CRM_ZAPIER_SECRET": SECRET,
        "FORMAPP_CRM_CLOUD_SECRET": SECRET,
        "FORMAPP_CRM_WRONG_SECRET": "whsec_a",
        "FORMAPP_CRM_EMPTY_SECRET": "whsec_",
    }
    assert [*read_verifiers(tmp_path, environ)] == ["zapier"]
    for name in ("NONE", "WRONG", "EMPTY"):
        assert f"FORMAPP_CRM_{name}_SECRET" in caplog.text


def test_a_faulty_book_file_is_logged_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "main.toml").write_text("system =")
    assert read_verifiers(tmp_path, {}) == {}
    assert "main.toml" in caplog.text
