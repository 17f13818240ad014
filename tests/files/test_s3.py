"""An S3-compatible store, by a real server: moto's, which answers boto3 over HTTP in this process.

MinIO is no package of the registries, and moto implements uploads in parts, listings in pages and
the error codes that the store depends on.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import IncompleteReadError
from botocore.response import StreamingBody
from moto.server import ThreadedMotoServer

from formapp.files.s3 import S3Access, S3Store
from formapp.files.store import ContentMissingError, FileStoreError

BUCKET = "leads"
ACCESS = {"region": "eu-central-1", "key_id": "key", "secret": "secret"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def access(endpoint: str) -> S3Access:
    access = S3Access(endpoint, **ACCESS)
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=access.region,
        aws_access_key_id=access.key_id,
        aws_secret_access_key=access.secret,
    )
    client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": access.region}
    )
    return access


def put(store: S3Store, content: bytes) -> str:
    with store.spool() as spool:
        spool.write(content)
        return store.put(spool)


def test_contents_are_put_read_listed_and_deleted(access: S3Access) -> None:
    store = S3Store(f"s3://{BUCKET}/formapp/files", access)
    other = S3Store(f"s3://{BUCKET}/other", access)
    key = put(store, b"content")
    with store.open(key) as content:
        assert content.read(3) == b"con"
        assert content.read() == b"tent"
    assert store.has(key)
    now = datetime.now(UTC)
    later = now + timedelta(minutes=1)
    assert list(store.keys(now - timedelta(minutes=1))) == []
    assert list(store.keys(later)) == [key]
    assert list(other.keys(later)) == []
    assert store.sweep_spools(later) == 0
    store.delete(key)
    store.delete(key)
    assert not store.has(key)
    with pytest.raises(ContentMissingError):
        store.open(key)


def test_a_large_content_is_sent_in_parts(access: S3Access) -> None:
    store = S3Store(f"s3://{BUCKET}", access)
    content = bytes(range(256)) * 4096 * 10
    key = put(store, content)
    with store.open(key) as stored:
        assert stored.read() == content


def test_what_is_no_key_is_never_asked_for(access: S3Access) -> None:
    store = S3Store(f"s3://{BUCKET}", access)
    with pytest.raises(ContentMissingError):
        store.open("../secret")
    with pytest.raises(ContentMissingError):
        store.delete("formapp.db")


def test_a_store_that_refuses_is_an_error_without_its_address(endpoint: str) -> None:
    missing = S3Store("s3://no-such-bucket", S3Access(endpoint, **ACCESS))
    with pytest.raises(FileStoreError) as refused:
        put(missing, b"x")
    assert "no-such-bucket" not in str(refused.value)
    away = S3Store("s3://leads", S3Access("http://127.0.0.1:9", **ACCESS))
    with pytest.raises(FileStoreError, match=r"refused \(EndpointConnectionError\)"):
        away.has(f"aa/{'a' * 64}-{'0' * 16}")


def test_a_connection_that_breaks_while_reading_is_an_error_of_the_store(access: S3Access) -> None:
    store = S3Store(f"s3://{BUCKET}", access)
    content = store.open(put(store, b"x" * 1000))
    with (
        content,
        patch.object(
            StreamingBody,
            "read",
            side_effect=IncompleteReadError(actual_bytes=1, expected_bytes=1000),
        ),
        pytest.raises(FileStoreError, match=r"refused \(IncompleteReadError\)"),
    ):
        content.read()
