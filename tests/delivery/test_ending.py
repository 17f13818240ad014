"""A worker that is asked to end does so after the call in flight, and loses nothing."""

import pytest

from formapp.monitoring.metrics import Metrics
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


def test_measures_tell_of_outcomes_calls_and_the_queue_without_an_answer() -> None:
    metrics = Metrics()
    metrics.submission("contact", "kept")
    metrics.attempt("main", "retry", 503, None)
    metrics.delivered("main", "created", calls=2, seconds=0.4)
    metrics.failed("main")
    metrics.call("createContact", None, 1.5)
    metrics.request("forms.submit", 303, 0.004)
    metrics.queue({"pending": 3, "failed": 1}, 12.5, {"main": True}, {("backlog", "main")})
    text = metrics.text().decode()
    for line in (
        'formapp_submissions_total{form="contact",result="kept"} 1.0',
        'formapp_attempts_total{code="",result="retry",site="main",status="503"} 1.0',
        'formapp_deliveries_done_total{outcome="created",site="main"} 1.0',
        'formapp_deliveries_done_total{outcome="failed",site="main"} 1.0',
        'formapp_calls_per_lead_bucket{le="2.0",site="main"} 1.0',
        'formapp_wix_call_seconds_count{operation="createContact",status="none"} 1.0',
        'formapp_request_seconds_count{endpoint="forms.submit",status="303"} 1.0',
        'formapp_deliveries{state="pending"} 3.0',
        "formapp_oldest_due_seconds 12.5",
        'formapp_lane_paused{site="main"} 1.0',
        'formapp_incident_open{kind="backlog",site="main"} 1.0',
    ):
        assert line in text
    metrics.queue({}, 0, {})
    assert "formapp_incident_open{" not in metrics.text().decode(), "it is over"
