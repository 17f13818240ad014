"""The main job over processes: a lead comes in by HTTP and is a contact; its owner can see it."""

import csv
import io
import json
from typing import Any

import pytest
import requests

from tests.support.processes import Installation, end, eventually, send

pytestmark = pytest.mark.slow

ADA = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "message": "=1+1 is two",
    "privacy": "yes",
}


def _leads(installation: Installation) -> list[dict[str, Any]]:
    done = installation.run("leads", "list", "--json")
    assert done.returncode == 0, done.stderr
    entries: list[dict[str, Any]] = json.loads(done.stdout)
    return entries


def test_a_lead_becomes_a_contact_and_the_next_one_completes_it(installation: Installation) -> None:
    assert send(installation.web, "contact", **ADA).status_code == 303
    eventually(lambda: len(installation.contacts()) == 1)
    assert send(installation.web, "contact", **ADA, company="Engines Ltd").status_code == 303
    eventually(lambda: installation.contacts()[0]["info"].get("company") == "Engines Ltd")
    assert len(installation.contacts()) == 1

    eventually(lambda: all(lead["state"] == "delivered" for lead in _leads(installation)))
    first, second = _leads(installation)
    assert (first["outcome"], second["outcome"]) == ("created", "updated")
    assert first["contact_id"] == second["contact_id"] == installation.contacts()[0]["id"]
    assert (first["form"], first["attempts"]) == ("contact", 1)

    shown = json.loads(installation.run("leads", "show", first["id"], "--json").stdout)
    assert shown["answers"]["email"] == "ada@example.com"
    assert shown["consents"][0]["field"] == "privacy"
    assert shown["meta"]["page"] == f"{installation.web}/f/contact"
    assert shown["deliveries"][0]["attempts"][0]["result"] == "delivered"
    told = installation.run("leads", "show", first["id"]).stdout
    assert "Ada Lovelace" in told
    assert "created contact" in told

    exported = installation.run("leads", "export").stdout
    rows = list(csv.DictReader(io.StringIO(exported)))
    assert [row["email"] for row in rows] == ["ada@example.com"] * 2
    assert rows[0]["message"] == "'=1+1 is two"

    for process in (installation.serve_process, installation.sandbox_process):
        assert end(process) == 0


def test_what_wix_refuses_is_failed_until_the_owner_retries(installation: Installation) -> None:
    fault = {"kind": "status", "operation": "createContact", "status": 400, "times": 1}
    requests.post(f"{installation.sandbox}/_sandbox/faults", json=fault, timeout=10)
    assert send(installation.web, "contact", **ADA).status_code == 303
    eventually(lambda: _leads(installation)[0]["state"] == "failed")
    lead = _leads(installation)[0]
    assert "400" in lead["reason"]
    assert installation.contacts() == []

    assert installation.run("leads", "retry", "--failed").returncode == 0
    eventually(lambda: _leads(installation)[0]["state"] == "delivered")
    assert len(installation.contacts()) == 1
    done = installation.run("leads", "retry", lead["id"])
    assert done.returncode == 1
    assert "nothing to retry" in done.stderr


def test_leads_wait_while_no_worker_runs_and_a_worker_drains_them(
    installation: Installation,
) -> None:
    assert end(installation.serve_process) == 0
    web_only = installation.serve("--no-worker")
    for number in range(3):
        answers = ADA | {"email": f"visitor{number}@example.com"}
        assert send(installation.web, "contact", **answers).status_code == 303
    assert {lead["state"] for lead in _leads(installation)} == {"pending"}
    done = installation.run("worker", "--once")
    assert done.returncode == 0, done.stderr
    assert "tried 3 deliveries, 0 mails, challenges and notifications" in done.stderr
    assert {lead["state"] for lead in _leads(installation)} == {"delivered"}
    assert len(installation.contacts()) == 3
    assert end(web_only) == 0
    assert "visitor0" not in done.stderr


def test_an_outage_of_wix_loses_nothing(installation: Installation) -> None:
    assert end(installation.sandbox_process) == 0
    assert send(installation.web, "contact", **ADA).status_code == 303
    eventually(lambda: _leads(installation)[0]["attempts"] >= 1)
    lead = _leads(installation)[0]
    assert lead["state"] == "pending"
    assert "no connection" in lead["reason"]
