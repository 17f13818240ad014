"""A worker that is asked to end does so after the call in flight, and loses nothing."""

import pytest

from tests.support.leads import lead
from tests.support.world import World


@pytest.mark.parametrize("operation", ["queryContacts", "createContact"])
def test_a_worker_that_is_to_end_gives_its_claim_back_before_the_next_call(
    both_worlds: World, operation: str
) -> None:
    world = both_worlds
    submission_id = world.keep(lead())
    world.once(operation, world.deliverer.interrupt)
    world.deliver()
    row = world.row(submission_id)
    if operation == "createContact":
        # That call was in flight; the delivery ended with it.
        assert row["state"] == "delivered"
    else:
        assert (row["state"], row["lease_until"], row["attempts"]) == ("pending", None, 0)
        assert row["intent"] is None
    successor = world.new_deliverer()
    successor.deliver_next()
    assert world.row(submission_id)["state"] == "delivered"
    assert len(world.site.contacts()) == 1
