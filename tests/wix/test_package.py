"""The package as a whole: its face, its documentation, its independence, its discretion."""

import ast
import doctest
import inspect
import re
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
import requests
from responses import RequestsMock

import formapp.wix
from formapp.wix import ApiKey, AppToken, Contact, InfoBody, Person, WixContacts, WixError

URL = "https://www.wixapis.com/contacts/v4/contacts"
TOKEN_URL = "https://www.wixapis.com/oauth2/token"
ROOM = Path(formapp.wix.__file__).parent
SECRETS = ["IST.example-key", "secret-of-the-app", "token-of-the-app"]
PERSONAL = [
    *["Ines", "Okafor", "ines.okafor", "912 000 111", "912000111", "Lisboa", "Exemplos"],
    *["1100-148", "Barco", "Buyer", "1990-02-28", "2025-06-01", "8.5", "pt-PT"],
]

# Apart, so that no line of a test that a traceback quotes holds what is looked for.
SENT: InfoBody = {"name": {"first": "Ines", "last": "Okafor"}}


def test_the_example_in_the_documentation_works(api: RequestsMock) -> None:
    api.post(f"{URL}/query", json={"contacts": [], "pagingMetadata": {"total": 0}})
    api.post(URL, json={"contact": {"id": "a", "revision": 1}})
    results = doctest.testmod(formapp.wix)
    assert results.attempted >= 5
    assert results.failed == 0


def test_every_public_name_is_there_and_documented() -> None:
    assert sorted(formapp.wix.__all__) == sorted(set(formapp.wix.__all__))
    for name in formapp.wix.__all__:
        thing = getattr(formapp.wix, name)
        assert not inspect.isclass(thing) or inspect.getdoc(thing)


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.name)
def test_no_module_imports_the_rest_of_formapp_or_flask(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = [
        *[a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names],
        *[node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)],
    ]
    roots = {name.split(".")[0] for name in names if not name.startswith("formapp.wix")}
    assert roots <= {"requests", "urllib3", "phonenumbers"} | sys.stdlib_module_names


def test_the_package_can_be_used_alone() -> None:
    code = (
        "import sys, formapp.wix\n"
        "rest = [m for m in sys.modules if m.startswith('formapp.') and '.wix' not in m]\n"
        "assert not rest and 'flask' not in sys.modules, rest\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], check=False)
    assert done.returncode == 0


def test_every_section_that_a_comment_cites_is_in_the_contract() -> None:
    headings = re.findall(
        r"^#+ (\w+(?:\.\d+)?)", (ROOM / "CONTRACT.md").read_text("utf-8"), re.MULTILINE
    )
    citation = r"CONTRACT\.md (?:sections? )?((?:\d+(?:\.\d+)?(?:, | and | to )?)+)"
    found = 0
    for path in ROOM.glob("*.py"):
        for group in re.findall(citation, path.read_text("utf-8")):
            found += 1
            cited = set(re.findall(r"\d+(?:\.\d+)?", group))
            assert cited <= set(headings), f"{path.name} cites {group}"
    assert found > 30


def everything(error: BaseException) -> str:
    """Text and repr of an error and its causes, as a log would show them."""
    return repr(error) + "".join(traceback.format_exception(error))


def shows(text: str, words: list[str]) -> list[str]:
    return [word for word in words if word.lower() in text.lower()]


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 418, 428, 429, 500, 503])
@pytest.mark.parametrize("shape", ["envelope", "echo", "text"])
def test_no_error_shows_an_answer_a_secret_or_a_person(
    api: RequestsMock,
    wix: WixContacts,
    contact_json: dict[str, Any],
    status: int,
    shape: str,
) -> None:
    person = " ".join(PERSONAL)
    violation = {"field": person, "description": person, "violatedRule": person, "data": person}
    body: Any = {
        "envelope": {
            "message": person,
            "details": {
                "applicationError": {"code": person, "description": person, "data": {"a": person}},
                "validationError": {"fieldViolations": [violation]},
            },
        },
        "echo": [contact_json],
        "text": person,
    }[shape]
    api.post(URL, status=status, json=body, headers={"X-Wix-Request-Id": person})
    with pytest.raises(WixError) as caught:
        wix.contacts.create(SENT)
    assert shows(everything(caught.value), PERSONAL + SECRETS) == []
    assert shows(repr(caught.value.details), PERSONAL) == []


def test_no_failed_connection_shows_what_was_sent(api: RequestsMock) -> None:
    auth = AppToken("app", "secret-of-the-app", "instance")
    api.post(TOKEN_URL, json={"access_token": "token-of-the-app", "expires_in": 14400})
    api.post(URL, body=requests.ConnectionError("aborted"))
    with WixContacts(auth) as wix, pytest.raises(WixError) as caught:
        wix.contacts.create(SENT)
    assert shows(everything(caught.value), PERSONAL + SECRETS) == []
    assert shows(repr(auth) + str(auth) + repr(wix), SECRETS) == []


def test_no_refused_token_shows_the_secret(api: RequestsMock) -> None:
    body = {"error": "invalid_client", "error_description": "secret-of-the-app is wrong"}
    api.post(TOKEN_URL, status=400, json=body)
    auth = AppToken("app", "secret-of-the-app", "instance")
    with WixContacts(auth) as wix, pytest.raises(WixError) as caught:
        wix.contacts.query()
    assert shows(everything(caught.value), SECRETS) == []


def test_a_key_shows_its_site_and_never_itself() -> None:
    key = ApiKey("IST.example-key", "site-1", "account-1")
    assert shows(repr(key) + str(key), SECRETS) == []
    assert "site-1" in repr(key)


def test_no_model_shows_a_person(api: RequestsMock, wix: WixContacts, contact_json: Any) -> None:
    api.post(f"{URL}/query", json={"contacts": [contact_json]})
    api.get(f"{URL}/a", json={"contact": contact_json})
    contact = Contact.parse(contact_json)
    texts = [
        repr(contact),
        str(contact),
        repr(contact.info),
        repr(contact.info.emails + contact.info.phones + contact.info.addresses),
        repr(wix.contacts.query()),
        repr(wix.contacts.get("a")),
        repr(wix.find_duplicate(Person(email="ines.okafor@example.com"))),
    ]
    assert shows("\n".join(texts), PERSONAL) == []
    assert contact.id in repr(contact)


def test_nothing_is_logged_that_a_visitor_sent(
    api: RequestsMock, wix: WixContacts, contact_json: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    api.post(f"{URL}/query", json={"contacts": [contact_json]})
    api.post(URL, status=409, json={"details": {"applicationError": {"code": "X", "data": {}}}})
    wix.find_duplicate(Person(email="ines.okafor@example.com"))
    with pytest.raises(WixError):
        wix.contacts.create(SENT)
    assert shows(caplog.text, PERSONAL + SECRETS) == []
