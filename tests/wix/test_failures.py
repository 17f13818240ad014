"""Failures of the connection: was the call sent, and may it have been applied?"""

import ssl

import pytest
import requests
import urllib3
from responses import RequestsMock
from urllib3.exceptions import (
    IncompleteRead,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from formapp.wix import (
    ConnectError,
    ConnectionLostError,
    OutcomeUnknownError,
    RequestTimeoutError,
    WixContacts,
    WixError,
)

URL = "https://www.wixapis.com/contacts/v4/contacts"
POOL = urllib3.HTTPSConnectionPool("www.wixapis.com")
LINE = urllib3.connection.HTTPConnection("www.wixapis.com")


def max_retry(reason: Exception) -> MaxRetryError:
    return MaxRetryError(POOL, "/contacts/v4/contacts", reason)


NOT_SENT: dict[str, Exception] = {
    "connect time-out": requests.ConnectTimeout(max_retry(TimeoutError())),
    "refused": requests.ConnectionError(max_retry(NewConnectionError(LINE, "refused"))),
    "proxy": requests.exceptions.ProxyError(max_retry(OSError("tunnel"))),
    "certificate": requests.exceptions.SSLError(
        max_retry(urllib3.exceptions.SSLError(ssl.SSLCertVerificationError("self-signed")))
    ),
    "address": requests.exceptions.InvalidURL("no host"),
}
SENT: dict[str, tuple[Exception, type[WixError]]] = {
    "read time-out": (requests.ReadTimeout(), RequestTimeoutError),
    "time-out inside the body": (
        requests.ConnectionError(ReadTimeoutError(POOL, "/", "slow")),
        RequestTimeoutError,
    ),
    "reset": (
        requests.ConnectionError(ProtocolError("aborted", ConnectionResetError(104, "reset"))),
        ConnectionLostError,
    ),
    "cut body": (
        requests.exceptions.ChunkedEncodingError(ProtocolError(IncompleteRead(3, 4))),
        ConnectionLostError,
    ),
    "bad gzip": (requests.exceptions.ContentDecodingError(), ConnectionLostError),
    "TLS broken off": (
        requests.exceptions.SSLError(max_retry(urllib3.exceptions.SSLError("EOF"))),
        ConnectionLostError,
    ),
    "unknown": (requests.RequestException("?"), ConnectionLostError),
    "unknown to requests": (urllib3.exceptions.HTTPError("?"), ConnectionLostError),
    "unreadable CA file": (OSError("no CA bundle"), ConnectionLostError),
}


@pytest.mark.parametrize("failure", NOT_SENT)
def test_a_call_that_never_left_cannot_have_been_applied(
    api: RequestsMock, wix: WixContacts, failure: str
) -> None:
    api.post(URL, body=NOT_SENT[failure])
    with pytest.raises(ConnectError) as caught:
        wix.contacts.create({})
    assert caught.value.retryable
    assert not caught.value.maybe_applied
    assert caught.value.__cause__ is NOT_SENT[failure]


@pytest.mark.parametrize("failure", SENT)
def test_a_write_without_a_whole_answer_may_have_been_applied(
    api: RequestsMock, wix: WixContacts, failure: str
) -> None:
    raised, kind = SENT[failure]
    api.post(URL, body=raised)
    with pytest.raises(OutcomeUnknownError) as caught:
        wix.contacts.create({})
    assert type(caught.value) is kind
    assert caught.value.retryable
    assert caught.value.maybe_applied
    assert len(api.calls) == 1


@pytest.mark.parametrize("failure", SENT)
def test_a_read_without_a_whole_answer_has_changed_nothing(
    api: RequestsMock, wix: WixContacts, failure: str
) -> None:
    api.post(f"{URL}/query", body=SENT[failure][0])
    with pytest.raises(OutcomeUnknownError) as caught:
        wix.contacts.query()
    assert not caught.value.maybe_applied


def test_a_failure_met_while_handling_an_earlier_one_is_judged_by_itself(
    api: RequestsMock, wix: WixContacts
) -> None:
    api.get(f"{URL}/a", body=NOT_SENT["refused"])
    api.post(URL, body=requests.ConnectionError(ProtocolError("aborted")))
    try:
        wix.contacts.get("a")
    except ConnectError:
        with pytest.raises(ConnectionLostError) as caught:
            wix.contacts.create({})
    assert caught.value.maybe_applied
