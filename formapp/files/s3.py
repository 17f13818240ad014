"""Contents in an S3-compatible store, such as Amazon's, MinIO, Ceph, R2 or Hetzner's.

By boto3, Amazon's own client, which signs, retries, and sends large contents in parts. It is
optional: `pip install 'formapp[s3]'`.
"""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any
from urllib.parse import urlsplit

from formapp.files.store import (
    ContentMissingError,
    FileStoreError,
    Spool,
    as_store_errors,
    is_key,
    new_key,
)

try:
    import boto3
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    boto3 = None

SCHEME = "s3://"
_MISSING = {"404", "NoSuchKey", "NotFound"}
_SECONDS = 10
"""How long a connection or a pause between bytes may take: a visitor waits meanwhile."""


@dataclass(frozen=True, slots=True)
class S3Access:
    """How to reach a store; what is None comes from where boto3 looks (environment, role)."""

    endpoint: str | None = None
    region: str | None = None
    key_id: str | None = None
    secret: str | None = field(default=None, repr=False)


class S3Store:
    """Contents as objects of a bucket, below a prefix, by `s3://bucket/prefix`.

    A store answers only once a content is safe, so that `put` needs no more than its answer.
    """

    def __init__(self, place: str, access: S3Access) -> None:
        parts = urlsplit(place)
        self._bucket = parts.netloc
        prefix = parts.path.strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=access.endpoint,
            region_name=access.region,
            aws_access_key_id=access.key_id,
            aws_secret_access_key=access.secret,
            config=Config(
                connect_timeout=_SECONDS,
                read_timeout=_SECONDS,
                retries={"total_max_attempts": 3, "mode": "standard"},
                # Several stores know none of Amazon's newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        # A thread of its own for each part would multiply the memory.
        self._transfer = TransferConfig(use_threads=False)

    def spool(self) -> Spool:
        """Return a temporary file of this machine: the key is known once the content is whole."""
        with as_store_errors():
            return Spool(tempfile.TemporaryFile())

    def put(self, spool: Spool, key: str | None = None) -> str:
        key = key or new_key(spool.sha256)
        spool.file.seek(0)
        with _as_store_errors():
            self._client.upload_fileobj(
                spool.file, self._bucket, self._prefix + key, Config=self._transfer
            )
        return key

    def open(self, key: str) -> IO[bytes]:
        """Open a content as a stream, which can't go back; raises ContentMissingError."""
        with _as_store_errors():
            found = self._client.get_object(Bucket=self._bucket, Key=self._path(key))
        return io.BufferedReader(_Body(found["Body"]))

    def has(self, key: str) -> bool:
        path = self._path(key)
        try:
            with _as_store_errors():
                self._client.head_object(Bucket=self._bucket, Key=path)
        except ContentMissingError:
            return False
        return True

    def delete(self, key: str) -> None:
        with _as_store_errors():
            self._client.delete_object(Bucket=self._bucket, Key=self._path(key))

    def keys(self, before: datetime) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2")
        with _as_store_errors():
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for each in page.get("Contents", ()):
                    key = each["Key"].removeprefix(self._prefix)
                    if is_key(key) and each["LastModified"] <= before:
                        yield key

    def sweep_spools(self, before: datetime) -> int:  # noqa: ARG002 - a store's interface
        """Return 0: a temporary file without a name ends with its process."""
        return 0

    def _path(self, key: str) -> str:
        if not is_key(key):
            raise ContentMissingError("has no content of this key")
        return self._prefix + key


class _Body(io.RawIOBase):
    """A content as it comes; a broken connection is a FileStoreError."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with _as_store_errors():
            data: bytes = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._body.close()
        super().close()


@contextmanager
def _as_store_errors() -> Iterator[None]:
    """Raise FileStoreError, or ContentMissingError, for whatever boto3 raises."""
    try:
        yield
    except FileStoreError:
        raise
    except Exception as error:  # boto3 wraps some errors, and not others
        # The code alone: the text may have the address with its bucket and key.
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        if code in _MISSING:
            raise ContentMissingError("has no content of this key") from None
        raise FileStoreError(f"refused ({code or type(error).__name__})") from error
