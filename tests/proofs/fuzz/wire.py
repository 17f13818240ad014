"""Bytes on a connection: requests that are broken before any app sees them."""

from hypothesis import strategies as st

from tests.proofs.fuzz.inputs import BODIES, HEADERS, METHODS, Input, Strategy

_TARGETS = st.sampled_from(
    [b"/f/lead", b"//f/lead", b"/f/%ff", b"*", b"http://[", b"/f/lead?\xff", b"", b"/f/le ad"]
)
_VERSIONS = st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/9.9", b"HTTP/1.1 ", b""])
_LENGTHS = st.sampled_from(
    [b"", b"Content-Length: 0", b"Content-Length: -1", b"Content-Length: 5\r\nContent-Length: 6",
     b"Content-Length: 99999999999", b"Transfer-Encoding: chunked", b"Transfer-Encoding: x",
     b"Content-Length: 3\r\nTransfer-Encoding: chunked", b"Expect: 100-continue"]
)  # fmt: skip
_ODD_LINES = st.lists(
    st.sampled_from([b"no colon", b": no name", b" folded", b"X\0: y", b"X: \0", b"Host: a..b"])
    | st.binary(max_size=12),
    max_size=2,
)
_CHUNKS = st.sampled_from([b"", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"5\r\nhel", b"-1\r\n"])


def _request(  # noqa: PLR0917 - the parts of a request, in their order
    method: str,
    target: bytes,
    version: bytes,
    lines: dict[str, str],
    length: bytes,
    odd: list[bytes],
    body: bytes,
) -> Input:
    head = [
        b" ".join([method.encode(), target, version]),
        b"Host: localhost",
        b"Connection: close",
        *(f"{name}: {text}".encode("latin-1") for name, text in lines.items() if name != "Host"),
        *odd,
        *([length] if length else []),
    ]
    return Input(method, wire=b"\r\n".join(head) + b"\r\n\r\n" + body)


wire: Strategy = st.builds(
    _request, METHODS, _TARGETS, _VERSIONS, HEADERS, _LENGTHS, _ODD_LINES, BODIES | _CHUNKS
) | st.binary(max_size=100).map(lambda some: Input("?", wire=some))
