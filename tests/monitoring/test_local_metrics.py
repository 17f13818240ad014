"""The metrics of a worker: for this machine alone."""

import pytest
import requests

from formapp.monitoring.local_metrics import serve_metrics
from formapp.monitoring.metrics import Metrics
from tests.support.processes import free_port


@pytest.fixture(scope="module")
def url() -> str:
    port = free_port()
    serve_metrics(Metrics().registry, port)
    return f"http://127.0.0.1:{port}/metrics"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9100", "[::1]:9100", "LOCALHOST:1"])
def test_a_program_of_this_machine_reads_them(url: str, host: str) -> None:
    answer = requests.get(url, headers={"Host": host}, timeout=5)
    assert answer.status_code == 200
    assert "formapp_" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:9100"},
        {"Forwarded": "for=203.0.113.9"},
        {"Via": "1.1 proxy"},
        {"X-Real-IP": "203.0.113.9"},
        {"X-Forwarded-Host": "forms.example.com"},
    ],
    ids=str,
)
def test_nobody_else_does(url: str, headers: dict[str, str]) -> None:
    answer = requests.get(url, headers=headers, timeout=5)
    assert answer.status_code == 403
    assert "formapp_" not in answer.text
