"""Failures of `requests` to typed errors: was the call sent, and may it have been applied?"""

import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from formapp.wix import errors
from formapp.wix.operations import Operation

# Raised while the connection, the proxy or the TLS session is set up, or before that. Not
# InvalidHeader: a wrong header of an answer raises it too.
_BEFORE_SENDING = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)
# A read time-out inside the body arrives as a plain ConnectionError around urllib3's own.
_TIMED_OUT = (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError)


def failure_for(operation: Operation, error: Exception) -> errors.WixError:
    """The typed error for what `requests` raised.

    Whatever is not known to have happened before sending counts as sent.
    """
    chain = tuple(_chain(error))
    if any(isinstance(link, _BEFORE_SENDING) for link in chain):
        return errors.ConnectFailed(operation.name)
    timed_out = any(isinstance(link, _TIMED_OUT) for link in chain)
    kind = errors.Timeout if timed_out else errors.ConnectionCut
    return kind(operation.name, maybe_applied=operation.writes)


def _chain(error: BaseException, depth: int = 8) -> Iterator[BaseException]:
    """The error and what it wraps: urllib3 uses `reason`, requests its arguments.

    Not `__context__`: that leads to whatever the caller was handling when it made this call, which
    may be an earlier failure to connect.
    """
    yield error
    if depth:
        for link in (getattr(error, "reason", None), error.__cause__, *error.args):
            if isinstance(link, BaseException):
                yield from _chain(link, depth - 1)
