"""E-mail addresses and web addresses."""

import time
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formapp.forms.reading.contact import read_email, read_url
from formapp.mail.message import mailbox


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("ann@example.com", "ann@example.com"),
        (" Ann@Example.COM ", "ann@example.com"),
        ("ann+tag@example.com", "ann+tag@example.com"),
        ("ann@example.test", "ann@example.test"),
        ("ann@exämple.com", "ann@xn--exmple-cua.com"),
        ("ann@例え.jp", "ann@xn--r8jz45g.jp"),
        ("Ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ann@example.com"),
        ("ann＠example.com", "ann@example.com"),
        ("ann@example。com", "ann@example.com"),
        ("ann@example｡com", "ann@example.com"),
        ("ann１２@example.com", "ann12@example.com"),
        ("ann\u2011lee@example.com", "ann-lee@example.com"),
        ("ann\u200b@example.com\ufeff", "ann@example.com"),
        ("\u202aann@example.com\u202c", "ann@example.com"),
        ("ann@example.com\u3000", "ann@example.com"),
        ("ann\u00ad@example.com", "ann@example.com"),
        # Carriers
        ("a..x@docomo.ne.jp", "a..x@docomo.ne.jp"),
        ("A...X@DOCOMO.NE.JP", "a...x@docomo.ne.jp"),
        ("a.@docomo.ne.jp", "a.@docomo.ne.jp"),
        ("a.@ezweb.ne.jp", "a.@ezweb.ne.jp"),
        ("a..x.@ezweb.ne.jp", "a..x.@ezweb.ne.jp"),
        ("a..x@au.com", "a..x@au.com"),
        ("ａ．．ｘ＠docomo.ne.jp", "a..x@docomo.ne.jp"),
        ("ann.lee@docomo.ne.jp", "ann.lee@docomo.ne.jp"),
        (".a@docomo.ne.jp", None),
        ("...@docomo.ne.jp", None),
        (".@docomo.ne.jp", None),
        ("@docomo.ne.jp", None),
        ("a..x y@docomo.ne.jp", None),
        ("a@b..x@docomo.ne.jp", None),
        ("a..x@docomo.ne..jp", None),
        ("a..x@evil-docomo.ne.jp", None),
        ("a..x@softbank.ne.jp", None),
        ("a..x@example.com", None),
        ("a.@example.com", None),
        # Encoded words
        ("=?x?q?one?=@example.com", None),
        ("=?utf-8?q?one?=@example.com", None),
        ("=?UTF-8?B?b25l?=@example.com", None),
        ("a=?utf-8?q?one?=@example.com", None),
        ("＝？x？q？one？＝@example.com", None),
        ("=?x?q?a..b?=@docomo.ne.jp", None),
        ("=?\u200bx?q?one?=@example.com", None),
        ("a=b?c@example.com", "a=b?c@example.com"),
        # Refused
        ("", None),
        ("ann", None),
        ("ann@", None),
        ("@example.com", None),
        ("ann@localhost", None),
        ("ann@example", None),
        ("ann@@example.com", None),
        ("ann@[127.0.0.1]", None),
        ("ann lee@example.com", None),
        ("Ann <ann@example.com>", None),
        ("mailto:ann@example.com", None),
        ("änn@example.com", None),
        ('"ann lee"@example.com', None),
        ("ann@example.com,bob@example.com", None),
        ("ann@example.com\r\nBcc: bob@example.com", None),
        ("ann@" + "\u0345" * 300, None),
        ("a" * 400 + "@example.com", None),
    ],
)
def test_an_email_address_is_read(typed: str, address: str | None) -> None:
    assert read_email(typed) == address


LOCAL = st.text("abz09.!#$%&'*+-/=?^_`{|}~\"\\ (),:;<>@[]é\u200b", max_size=20)
PIECES = st.lists(st.sampled_from(["=?", "?=", "utf-8", "?q?", "?B?", "one", "."]), max_size=8)
DOMAINS = st.sampled_from(["example.com", "docomo.ne.jp", "ezweb.ne.jp", "exämple.de"])


@given(LOCAL | PIECES.map("".join), DOMAINS)
def test_every_accepted_address_goes_unchanged_through_a_mail_header(
    local: str, domain: str
) -> None:
    address = read_email(f"{local}@{domain}")
    if address is None:
        return
    message = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit"))
    message["To"] = (Address(addr_spec=mailbox(address)),)
    assert message.as_bytes()
    (mailed,) = message["To"].addresses
    assert f"{mailed.username}@{mailed.domain}" == address
    assert read_email(address) == address


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://example.com", "https://example.com"),
        ("http://example.com/a?b=c#d", "http://example.com/a?b=c#d"),
        ("HTTPS://Example.com", "HTTPS://Example.com"),
        ("example.com", "https://example.com"),
        ("www.example.com/a", "https://www.example.com/a"),
        ("example.com:8080/a", "https://example.com:8080/a"),
        ("https://exämple.com/ä", "https://exämple.com/ä"),
        ("https://例え.jp/道", "https://例え.jp/道"),
        ("https://example.com.", "https://example.com."),
        ("https://example.com\u200b/", "https://example.com/"),
        # Folded as far as the host, the path only with it
        ("ｈｔｔｐｓ：／／ｅｘａｍｐｌｅ．ｃｏｍ／ａ", "https://example.com/a"),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", "https://example.com"),
        ("https://example。com/", "https://example.com/"),
        ("https://ja.wikipedia.org/wiki/１。", "https://ja.wikipedia.org/wiki/１。"),
        ("https://example.com/–?q=１", "https://example.com/–?q=１"),
        ("\u3000https://example.com/１\u3000", "https://example.com/１"),
        # Left as it was offered
        ("", ""),
        (" ", ""),
        ("http://", ""),
        ("https://", ""),
        ("HTTP://", ""),
        (" https:// ", ""),
        ("ｈｔｔｐ：／／", ""),
        ("http:/", ""),
        ("http:", ""),
        ("https", ""),
        ("https://www.", ""),
        ("http://www", ""),
        ("www.", ""),
        ("WWW", ""),
        # Refused
        ("http:///", None),
        ("https://a", None),
        ("https://localhost", None),
        ("ftp://example.com", None),
        ("javascript:alert(1)", None),
        ("javascript://example.com/%0aalert(1)", None),
        ("mailto:ann@example.com", None),
        ("ann@example.com", None),
        ("https://ann:secret@example.com", None),
        ("https://example.com:0", None),
        ("https://example.com:99999", None),
        ("https://exa mple.com", None),
        ("https://example.com/a b", None),
        ("https://example.com/a\nb", None),
        ("https://[::1", None),
        ("https://.com", None),
        ("https://example..com", None),
        ("nothing", None),
        ("https://example.com/" + "\u0345" * 31, None),
        ("https://" + "\u0345" * 9_000 + ".com", None),
        ("https://example.com/" + "a" * 10_000, None),
    ],
)
def test_a_web_address_is_read(typed: str, url: str | None) -> None:
    assert read_url(typed) == url


@given(st.text() | st.text("htps:/.w@例。１ ?#[]").map(lambda text: f"http{text}"))
def test_any_text_gives_an_address_or_none(text: str) -> None:
    url = read_url(text)
    if url:
        assert read_url(url) == url


@pytest.mark.parametrize("unit", ["a", ".", "a.", "a@", "=?", "/", ":", "\u0345", "．", "[", "１"])
@pytest.mark.parametrize("prefix", ["", "https://example.com/", "ann@", "a..x@docomo.ne.jp"])
def test_the_longest_text_is_read_quickly(prefix: str, unit: str) -> None:
    started = time.process_time()
    for size in (300, 10_000):
        text = (prefix + unit * size)[:size]
        read_email(text)
        read_url(text)
    assert time.process_time() - started < 0.05
