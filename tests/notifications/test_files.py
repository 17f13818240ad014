"""Files in notifications: links to them, and attachments by choice, but never what may harm."""

from pathlib import Path
from typing import Any

import pytest

from formapp.files.links import FileAddresses, FileLinkSigner
from formapp.files.records import FileState
from formapp.files.store import FolderStore
from formapp.mail.smtp import SmtpMailer
from formapp.notifications.chat import chat_text
from formapp.notifications.mail import OwnerMail
from formapp.notifications.message import Envelope, write_digest, write_lead
from formapp.notifications.webhook import body_of
from tests.support.clock import NOON
from tests.support.files import attach_file, file_record, put_file
from tests.support.notifying import accepted, form_of
from tests.support.office import Office

MOST = 5000
ADDRESSES = FileAddresses(FileLinkSigner(["a secret key"]), "https://forms.example.com", 90)
ENVELOPE = Envelope("forms@example.com", files=ADDRESSES)
TO = "owner@example.com"
NOTIFY = f'[notify]\nemail = "{TO}"'
HOSTILE = '<b>\u202e"\r\nBcc: x@example.org.jpg'


def with_files(*names: str, **values: Any) -> Any:
    return accepted(files=tuple(file_record(name=each, **values) for each in names))


def test_a_mail_links_to_each_file_but_quarantined_ones() -> None:
    bad = file_record(name="bad.jpg", state=FileState.QUARANTINED)
    good = file_record(name=HOSTILE, size=1_500_000)
    lead = accepted(files=(good, bad))
    for message in (
        write_lead(lead, form_of(NOTIFY), TO, ENVELOPE),
        write_digest([lead], form_of(NOTIFY), TO, ENVELOPE),
    ):
        assert message.attachments == ()
        assert f"/{good.id}" in message.text
        assert "(1.5 MB): https://forms.example.com/files/" in message.text
        assert message.html
        assert f'/{good.id}">' in message.html
        for text in (message.text, message.html):
            assert bad.id not in text
            assert "\u202e" not in text
        assert "<b>" not in message.html


def test_links_last_as_long_as_the_answers() -> None:
    lead = with_files("a.jpg")
    for top, days in (("", 90), ("keep_days = 7\n", 7)):
        text = write_lead(lead, form_of(top + NOTIFY), TO, ENVELOPE).text
        token = text.partition("/files/")[2].partition("/")[0]
        assert (ADDRESSES.signer.read(token).until - NOON).days == days


def test_a_chat_gets_one_link_to_all_files() -> None:
    _, text = chat_text(with_files("a.jpg", "b.jpg"), form_of(NOTIFY), None, ADDRESSES)
    assert "\nFiles (2): https://forms.example.com/files/" in text
    _, text = chat_text(accepted(), form_of(NOTIFY), None, ADDRESSES)
    assert "Files" not in text


def test_a_webhook_gets_each_file_and_the_same_body_each_time() -> None:
    lead = with_files("a.jpg")
    body = body_of(lead, form_of(NOTIFY), addresses=ADDRESSES)
    assert body == body_of(lead, form_of(NOTIFY), addresses=ADDRESSES)
    assert b'"name":"a.jpg","type":"image/jpeg","size":7' in body
    assert f'/{lead.files[0].id}"'.encode() in body
    assert b'"url":null' in body_of(lead, form_of(NOTIFY))
    assert b'"files"' not in body_of(accepted(), form_of(NOTIFY))


def test_without_an_address_of_ours_there_are_no_links() -> None:
    message = write_lead(with_files("a.jpg"), form_of(NOTIFY), TO, Envelope("forms@example.com"))
    assert "/files/" not in message.text


@pytest.mark.parametrize(
    ("attach", "sizes", "names"),
    [
        ("false", [10, 20], []),
        ("true", [10, 20], ["0.jpg", "1.jpg"]),
        ("true", [MOST], ["0.jpg"]),
        ("true", [MOST - 5, 10], []),
        ("true", [], []),
    ],
)
def test_files_are_attached_by_choice_if_they_are_small(
    office: Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    attach: str,
    sizes: list[int],
    names: list[str],
) -> None:
    monkeypatch.setattr("formapp.notifications.attached.MOST_ATTACHED", MOST)
    store = FolderStore(tmp_path)
    bad, new = (
        put_file(store, name=state, state=state)
        for state in (FileState.QUARANTINED, FileState.WAITING)
    )
    files = [put_file(store, bytes(n), name=f"{i}.jpg", size=n) for i, n in enumerate(sizes)]
    if len(sizes) > 1 and names:
        files += [bad, new]
    mailer = SmtpMailer(office.mails.url, step_seconds=10, total_seconds=20)
    form = form_of(f"{NOTIFY}\nattach = {attach}")
    OwnerMail(mailer, ENVELOPE, store).send(accepted(files=tuple(files)), form, TO)
    mail = office.mails.wait()
    found = list(mail.message.iter_attachments())
    assert [each.get_filename() for each in found] == names
    assert [len(each.get_content()) for each in found] == sizes[: len(names)]


def test_a_lead_is_read_with_its_files(office: Office, tmp_path: Path) -> None:
    office.have(NOTIFY)
    sent = office.keep()
    attach_file(office.database, FolderStore(tmp_path), sent, name="roof.jpg")
    mail = office.channels.mail
    assert mail
    office.channels = type(office.channels)(OwnerMail(mail.mailer, ENVELOPE), None, None, None)
    office.run()
    received = office.mails.wait()
    assert "roof.jpg (7 B): https://forms.example.com/files/" in received.part("plain")
