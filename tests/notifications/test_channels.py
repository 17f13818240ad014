"""Replies within the limits of mail to strangers, and chats that hang or refuse."""

import subprocess
import sys

import pytest

from formapp.cli.channels import Channels
from formapp.mail.limit import APART, MAILBOX_SLOTS
from formapp.notifications.chat import ChatChannel
from tests.support.leads import EMAIL
from tests.support.office import Office

# Apprise imports a module of Python's that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def test_a_reply_keeps_to_the_limits_of_mail_to_strangers(office: Office) -> None:
    office.have("[reply]")
    office.keep()
    second = office.keep()
    office.run()
    assert len(office.mails.taken) == 1
    assert office.shown(second)[0]["state"] == "waiting"
    for _ in range(MAILBOX_SLOTS):
        office.clock.turn(APART.total_seconds())
        office.run()
        office.keep()
    office.run()
    office.clock.turn(APART.total_seconds())
    office.run()
    assert len(office.mails.taken) == MAILBOX_SLOTS
    assert office.counted("reply", "withheld") >= 1


def test_a_reply_that_is_refused_takes_no_slot_and_fails(office: Office) -> None:
    office.have("[reply]")
    submission_id = office.keep()
    office.mails.answers = {"RCPT": f"550 no {EMAIL} here"}
    office.run()
    (failed,) = office.shown(submission_id)
    assert failed["reason"] == "the mail server answered 550 to the address"
    assert office.limit.refusal("contact", EMAIL, office.clock()) is None


def test_a_chat_that_hangs_is_given_up_and_does_not_pile_up(office: Office) -> None:
    office.have("[notify]\nchat = true")
    submission_id = office.keep()
    office.hooks.hold.clear()
    urls = {"sales": f"json://127.0.0.1:{office.hooks.port}/sales"}
    office.channels = Channels(None, None, None, ChatChannel(urls, seconds=0.2))
    office.run()
    office.hooks.hold.set()
    (waiting,) = office.shown(submission_id)
    assert (waiting["channel"], waiting["to"]) == ("chat", "sales")
    assert office.counted("chat", "failed") == 1


def test_a_chat_that_refuses_is_tried_again_without_its_address_in_the_log(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.have('[notify]\nchat = "sales"')
    office.keep()
    office.hooks.status = 403
    office.run()
    assert "sales" not in caplog.text.replace("form contact", "")
    assert str(office.hooks.port) not in caplog.text
    office.hooks.status = 200
    office.clock.turn(60)
    office.run()
    assert office.counted("chat", "sent") == 1


@pytest.mark.slow
def test_without_the_extra_formapp_works_and_chats_wait(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = "import sys; sys.modules['apprise'] = None; import formapp.notifications.chat as chat"
    subprocess.run(
        [sys.executable, "-c", f"{blocked}; assert not chat.is_address('json://x')"], check=True
    )
    monkeypatch.setattr("formapp.notifications.chat._apprise", None)
    office.have("[notify]\nchat = true")
    submission_id = office.keep()
    office.run()
    assert office.shown(submission_id)[0]["state"] == "waiting"
