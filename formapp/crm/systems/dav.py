"""WebDAV's XML: requests of an address book, and the answers to them (RFC 4918, 6352, 6578)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from formapp.crm.system import UnavailableError

DAV, CARD = "{DAV:}", "{urn:ietf:params:xml:ns:carddav}"
_NAMESPACES = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"'
_DATA = "<prop><getetag/><C:address-data/></prop>"
CUT_SHORT = 507


def properties(*names: str) -> bytes:
    """A PROPFIND for these properties of DAV."""
    inner = "".join(f"<{name}/>" for name in names)
    return _body(f"<propfind {_NAMESPACES}><prop>{inner}</prop></propfind>")


def changes_since(token: str) -> bytes:
    """A sync-collection; without a token all cards. No limit: some servers misread it."""
    inner = "<sync-level>1</sync-level><prop><getetag/></prop>"
    token = f"<sync-token>{escape(token)}</sync-token>"
    return _body(f"<sync-collection {_NAMESPACES}>{token}{inner}</sync-collection>")


def cards(paths: Sequence[str]) -> bytes:
    """An addressbook-multiget."""
    hrefs = "".join(f"<href>{escape(path)}</href>" for path in paths)
    return _body(f"<C:addressbook-multiget {_NAMESPACES}>{_DATA}{hrefs}</C:addressbook-multiget>")


def search(line: str, text: str, match: str) -> bytes:
    """An addressbook-query for cards with a line whose value `equals` or `contains` a text."""
    found = f'<C:text-match collation="i;unicode-casemap" match-type={quoteattr(match)}>'
    condition = f"{found}{escape(text)}</C:text-match>"
    return _body(
        f"<C:addressbook-query {_NAMESPACES}>{_DATA}"
        f"<C:filter><C:prop-filter name={quoteattr(line)}>{condition}</C:prop-filter></C:filter>"
        "</C:addressbook-query>"
    )


def _body(text: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode()


@dataclass(frozen=True, slots=True, repr=False)
class Member:
    """One resource of an answer.

    Attributes:
        path: as the server writes it, decoded.
        status: 200 where the server says nothing else.
        etag, card: empty where they are absent.
        kinds: names of its resource types, such as `{DAV:}collection`.
    """

    path: str
    status: int
    etag: str = ""
    card: str = ""
    kinds: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.path.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True, repr=False)
class Multistatus:
    """The answer about several resources, and the sync token if there is one."""

    members: tuple[Member, ...]
    token: str

    def cards(self, folder: str) -> Iterator[Member]:
        """Those directly in a folder, which is a decoded path with a slash at the end."""
        for member in self.members:
            if member.path.rpartition("/")[0] + "/" == folder and member.name:
                yield member

    @property
    def is_cut_short(self) -> bool:
        """Whether the server has more (RFC 6578 section 3.6)."""
        return any(member.status == CUT_SHORT for member in self.members)


def parse(content: bytes) -> Multistatus:
    """Read a multistatus; UnavailableError if it is something else, such as a proxy's page."""
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise UnavailableError("the address book's answer can't be read") from None
    if root.tag != f"{DAV}multistatus":
        raise UnavailableError("the address book's answer can't be read")
    members = tuple(_member(each) for each in root.findall(f"{DAV}response"))
    # That of a report; or a property of the one resource that was asked for.
    token = next(root.iter(f"{DAV}sync-token"), None)
    return Multistatus(members, ((token is not None and token.text) or "").strip())


def _member(response: Element) -> Member:
    found: Element | None = None
    for propstat in response.findall(f"{DAV}propstat"):
        if _status(propstat.findtext(f"{DAV}status")) == 200:  # noqa: PLR2004
            found = propstat.find(f"{DAV}prop")
    kinds = found.find(f"{DAV}resourcetype") if found is not None else None
    return Member(
        unquote(urlsplit(response.findtext(f"{DAV}href", "").strip()).path),
        _status(response.findtext(f"{DAV}status")),
        _text(found, f"{DAV}getetag"),
        _text(found, f"{CARD}address-data"),
        frozenset(kind.tag for kind in kinds) if kinds is not None else frozenset(),
    )


def _text(parent: Element | None, tag: str) -> str:
    return "" if parent is None else parent.findtext(tag, "").strip("\r\n\t ")


def _status(line: str | None) -> int:
    """Return the code of a status line, 200 if there is none."""
    parts = (line or "").split()
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 200
