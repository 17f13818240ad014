"""Fixtures for the client: mocked answers, and a real server that misbehaves on demand."""

import contextlib
import copy
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses

from formapp.wix import ApiKey, WixContacts

KEY = "IST.example-key"
SITE = "5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11"

CONTACT: dict[str, Any] = {
    "id": "2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21",
    "revision": 4,
    "source": {"sourceType": "WIX_APP", "appId": "b4d0c1de-7a3f-4f0b-8a66-2c1d9a2f7e50"},
    "createdDate": "2025-03-04T09:15:30.123Z",
    "updatedDate": "2025-05-12T16:40:02.871Z",
    "lastActivity": {
        "activityDate": "2025-05-12T16:40:02.871Z",
        "activityType": "FORM_SUBMITTED",
    },
    "primaryInfo": {"email": "ines.okafor@example.com", "phone": "912 000 111"},
    "primaryEmail": {
        "email": "ines.okafor@example.com",
        "subscriptionStatus": "NOT_SET",
        "deliverabilityStatus": "NOT_SET",
    },
    "primaryPhone": {
        "phone": "912 000 111",
        "countryCode": "PT",
        "e164Phone": "+351912000111",
        "formattedPhone": "+351 912 000 111",
        "subscriptionStatus": "A_STATUS_NOBODY_KNOWS",
    },
    "info": {
        "name": {"first": "Ines", "last": "Okafor"},
        "emails": {
            "items": [
                {
                    "id": "0b3a54d6-8f2e-4f7a-9a60-0d8f1d7b4c01",
                    "tag": "WORK",
                    "email": "ines.okafor@example.com",
                    "primary": True,
                }
            ]
        },
        "phones": {
            "items": [
                {
                    "id": "6d7f3c88-2f5b-4c07-9d4e-7f0a9b1c2d02",
                    "tag": "MOBILE",
                    "countryCode": "PT",
                    "phone": "912 000 111",
                    "e164Phone": "+351912000111",
                    "primary": True,
                }
            ]
        },
        "addresses": {
            "items": [
                {
                    "id": "9a1e0f4c-3b6d-4a8f-8c2b-5e4d3c2b1a03",
                    "tag": "HOME",
                    "address": {
                        "country": "PT",
                        "subdivision": "PT-11",
                        "city": "Lisboa",
                        "postalCode": "1100-148",
                        "addressLine": "Rua dos Exemplos 12",
                    },
                }
            ]
        },
        "company": "Barco Lento Lda",
        "jobTitle": "Buyer",
        "birthdate": "1990-02-28",
        "locale": "pt-PT",
        "labelKeys": {"items": ["contacts.contacted-me", "custom.newsletter"]},
        "extendedFields": {
            "items": {
                "custom.boat-length": 8.5,
                "custom.preferred-visit": "2025-06-01",
                "emailSubscriptions.subscriptionStatus": "NOT_SET",
                "emailSubscriptions.effectiveEmail": "ines.okafor@example.com",
            }
        },
    },
}

Behave = Callable[[socket.socket, int], bool]
Serve = Callable[[Behave], tuple[str, list[bytes]]]


@pytest.fixture
def contact_json() -> dict[str, Any]:
    """The full example of CONTRACT.md section 5.5, to change at will."""
    return copy.deepcopy(CONTACT)


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    """Mocked answers; every one that is declared must be asked for."""
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def auth() -> ApiKey:
    return ApiKey(KEY, site_id=SITE)


@pytest.fixture
def wix(auth: ApiKey) -> Iterator[WixContacts]:
    with WixContacts(auth) as client:
        yield client


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server; `behave(connection, number)` answers request `number`, counted from 1.

    It returns whether the connection stays open. Address and raw requests are handed back.
    """
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(behave: Behave) -> tuple[str, list[bytes]]:
        listener = socket.create_server(("127.0.0.1", 0))
        received: list[bytes] = []
        thread = threading.Thread(target=_accept, args=(listener, behave, received, sockets))
        sockets.append(listener)
        threads.append(thread)
        thread.start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}", received

    yield start
    # Shutting down wakes a thread that waits in accept or recv; closing alone does not.
    for opened in sockets:
        with contextlib.suppress(OSError):
            opened.shutdown(socket.SHUT_RDWR)
        opened.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def _accept(
    listener: socket.socket, behave: Behave, received: list[bytes], sockets: list[socket.socket]
) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        sockets.append(connection)
        with connection:
            while request := _request(connection):
                received.append(request)
                if not behave(connection, len(received)):
                    break


def _request(connection: socket.socket) -> bytes:
    """One whole request, or nothing when the other side has gone."""
    read = b""
    try:
        while b"\r\n\r\n" not in read:
            piece = connection.recv(65536)
            if not piece:
                return b""
            read += piece
        head, _, body = read.partition(b"\r\n\r\n")
        lengths = [
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        while len(body) < sum(lengths):
            body += connection.recv(65536)
    except OSError:
        return b""
    return head + b"\r\n\r\n" + body
