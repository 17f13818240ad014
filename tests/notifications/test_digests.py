"""Digests: one mail for the leads of an hour or a day."""

from datetime import timedelta

from formapp.leads.anonymize import anonymize
from formapp.monitoring.incidents import find_incidents
from formapp.notifications.plan import MORNING
from tests.support.office import Office

OWNER, OTHER = "owner@example.com", "second@example.com"


def test_a_digest_is_one_mail_for_the_leads_of_a_day(office: Office) -> None:
    office.have(f'[notify]\nemail = ["{OWNER}", "{OTHER}"]\nevery = "day"')
    for number in range(3):
        office.keep(address=f"person{number}@example.com")
        office.clock.turn(hours=1)
    office.run()
    assert office.mails.taken == []
    found = find_incidents(office.database, office.clock(), backlog=timedelta(minutes=15))
    assert [each.kind for each in found] == ["backlog"]  # of deliveries: nobody delivers here
    office.clock.turn(hours=12)
    assert office.run() == 0
    # Noon and 15 hours: the next morning is 3 hours later.
    office.clock.turn(hours=MORNING - 3)
    office.keep(address="late@example.com")
    office.run()
    assert sorted(mail.to for mail in office.mails.taken) == [OWNER, OTHER]
    for mail in office.mails.taken:
        assert mail.message["Subject"] == "New leads (3): Ask us"
        assert "late@example.com" not in mail.part("plain")
    assert office.waiting() == ["notify.day"] * 2


def test_a_digest_that_can_not_be_sent_waits_as_one(office: Office) -> None:
    office.have(f'[notify]\nemail = "{OWNER}"\nevery = "hour"')
    first, second = office.keep(), office.keep(address="other@example.com")
    office.run()
    office.clock.turn(hours=1)
    office.mails.answers = {"RCPT": "450 not now"}
    assert office.run() == 1
    office.clock.turn(60)
    office.mails.answers = {}
    assert office.run() == 1
    assert len(office.mails.taken) == 1
    assert office.shown(first) == office.shown(second) == []
    assert office.mails.taken[0].message["Subject"] == "New leads (2): Ask us"


def test_an_erased_lead_leaves_a_digest(office: Office) -> None:
    office.have(f'[notify]\nemail = "{OWNER}"\nevery = "hour"')
    gone = office.keep(address="gone@example.com")
    office.keep()
    office.run()
    with office.database.write() as connection:
        anonymize(connection, [gone], office.clock())
    office.clock.turn(hours=1)
    office.run()
    (mail,) = office.mails.taken
    assert "gone@example.com" not in mail.part("plain")


def test_of_a_digest_only_what_was_tried_for_long_enough_is_given_up(office: Office) -> None:
    office.have(f'[notify]\nemail = "{OWNER}"\nevery = "hour"')
    office.mails.answers = {"RCPT": "450 not now"}
    old = office.keep()
    office.run()
    office.clock.turn(hours=48)
    young = office.keep()
    office.run()
    assert office.shown(old)[0]["state"] == "waiting"
    office.clock.turn(hours=1)
    office.run()
    assert office.shown(old)[0]["state"] == "failed"
    assert office.shown(young)[0]["state"] == "waiting"
