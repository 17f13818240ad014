"""Other leads of a person, however many there are."""

from datetime import timedelta

from formapp.db.database import Database
from formapp.leads.same_person import ids_of_person, list_others, list_own
from tests.support.clock import NOON
from tests.support.leads import EMAIL, lead, submission
from tests.support.ledger import kept


def test_a_page_reads_few_of_the_many_leads_of_one_address(sqlite: Database) -> None:
    ids = [
        kept(sqlite, submission(lead(EMAIL), NOON + timedelta(seconds=number)))
        for number in range(520)
    ]
    others, searches = list_others(sqlite, ids[-1], None)
    assert searches == [EMAIL]
    assert [each.id for each in others] == ids[-2:-22:-1]
    with sqlite.read() as connection:
        assert ids_of_person(connection, EMAIL, 3) == ids[-1:-4:-1]
    listed, in_all = list_own(sqlite, ids[-1])
    assert [each.id for each in listed] == ids[-2:-102:-1]
    assert in_all == 519
