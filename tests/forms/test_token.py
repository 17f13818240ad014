"""The stateless token: what holds, what has expired, what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from formapp.forms.form import Form
from formapp.forms.lead_form import LeadForm
from formapp.forms.tokens import ExpiredTokenError, InvalidTokenError, TokenContext, TokenSigner
from tests.support.forms import posted

DAY = 24 * 3600


@pytest.fixture
def form(make_form: Callable[..., Form]) -> Form:
    return make_form()


def bind(form: Form, signer: TokenSigner, token: str | None = None, **answers: str) -> LeadForm:
    context = TokenContext(signer, form.name, form.version, "page")
    sent = {"_token": token, **answers} if token is not None else answers
    return form.bind(posted(form, sent), token=context)


def shown_token(bound: LeadForm) -> str:
    control: Any = next(field for field in bound.hidden() if field.name == "_token")
    return str(control.current_token)


def test_a_token_says_what_the_page_showed(form: Form, signer: TokenSigner, clock: Any) -> None:
    text = signer.issue_for(form.name, form.version, "embed")
    clock.now += 7
    token = signer.read(text, "contact")
    assert (token.form, token.version, token.use) == ("contact", form.version, "embed")
    assert token.issued_at == datetime.fromtimestamp(clock.now - 7, UTC)
    assert token.age == timedelta(seconds=7)


def test_every_token_has_a_nonce_of_its_own(form: Form, signer: TokenSigner) -> None:
    nonces = {
        signer.read(signer.issue_for(form.name, form.version, "page"), "contact").nonce
        for _ in range(50)
    }
    assert len(nonces) == 50
    assert min(map(len, nonces)) >= 22  # 128 bits


def test_a_token_holds_for_exactly_a_day(form: Form, signer: TokenSigner, clock: Any) -> None:
    text = signer.issue_for(form.name, form.version, "page")
    clock.now += DAY
    assert signer.read(text, "contact").age == timedelta(days=1)
    clock.now += 1
    with pytest.raises(ExpiredTokenError) as caught:
        signer.read(text, "contact")
    assert caught.value.token.age == timedelta(seconds=DAY + 1)


def test_clocks_of_two_hosts_may_differ_a_little(
    form: Form, signer: TokenSigner, clock: Any
) -> None:
    text = signer.issue_for(form.name, form.version, "page")
    clock.now -= 300
    assert signer.read(text, "contact").age == timedelta(0)
    clock.now -= 1
    with pytest.raises(InvalidTokenError):
        signer.read(text, "contact")


def test_a_token_of_another_form_is_invalid(form: Form, signer: TokenSigner) -> None:
    with pytest.raises(InvalidTokenError):
        signer.read(signer.issue_for(form.name, form.version, "page"), "quote")


def test_a_token_of_an_older_version_holds(form: Form, signer: TokenSigner) -> None:
    text = signer.issue_for("contact", "0" * 12, "page")
    assert signer.read(text, "contact").version == "0" * 12


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "ü", "\ud800", ".", "e30.aaaa.bbbb", "\x00"])
def test_nonsense_is_invalid(signer: TokenSigner, text: str) -> None:
    with pytest.raises(InvalidTokenError):
        signer.read(text, "contact")


def test_a_token_changed_in_any_place_is_invalid(form: Form, signer: TokenSigner) -> None:
    text = signer.issue_for(form.name, form.version, "page")
    body = text.rpartition(".")[0]
    for place in range(len(body)):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises(InvalidTokenError):
            signer.read(changed, "contact")


def test_keys_can_be_changed_without_losing_open_pages(form: Form, clock: Any) -> None:
    before = TokenSigner(["old"], clock=clock)
    during = TokenSigner(["new", "old"], clock=clock)
    after = TokenSigner(["new"], clock=clock)
    old, new = (
        before.issue_for(form.name, form.version, "page"),
        during.issue_for(form.name, form.version, "page"),
    )
    assert during.read(old, "contact").form == "contact"
    assert after.read(new, "contact").form == "contact"
    for signer, text in ((after, old), (before, new)):
        with pytest.raises(InvalidTokenError):
            signer.read(text, "contact")


@pytest.mark.parametrize("keys", [[], [""], ["a", ""]])
def test_a_signer_needs_keys(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="at least one key"):
        TokenSigner(keys)


def test_a_page_carries_a_fresh_token(form: Form, signer: TokenSigner) -> None:
    context = TokenContext(signer, form.name, form.version, "embed")
    bound = form.bind(token=context)
    assert signer.read(shown_token(bound), "contact").use == "embed"
    assert bound.token is None


def test_a_valid_post_has_its_token_verified(form: Form, signer: TokenSigner) -> None:
    text = signer.issue_for(form.name, form.version, "embed")
    bound = bind(form, signer, text, email="ann@example.com")
    assert bound.validate()
    assert bound.token == signer.read(text, "contact")


def test_a_corrected_post_keeps_its_nonce(form: Form, signer: TokenSigner) -> None:
    text = signer.issue_for(form.name, form.version, "page")
    bound = bind(form, signer, text, email="wrong")
    assert not bound.validate()
    assert shown_token(bound) == text


def test_an_expired_token_is_replaced_and_the_input_kept(
    form: Form, signer: TokenSigner, clock: Any
) -> None:
    text = signer.issue_for(form.name, form.version, "page")
    clock.now += DAY + 1
    bound = bind(form, signer, text, email="ann@example.com")
    assert not bound.validate()
    assert [(fault.field, fault.code, fault.id) for fault in bound.faults()] == [
        (None, "TOKEN_EXPIRED", "")
    ]
    assert bound.token is None
    assert shown_token(bound) != text
    assert signer.read(shown_token(bound), "contact").age == timedelta(0)
    assert 'value="ann@example.com"' in str(bound["email"])


@pytest.mark.parametrize("text", [None, "", "forged"])
def test_our_own_page_without_a_token_is_refused(
    form: Form, signer: TokenSigner, text: str | None
) -> None:
    bound = bind(form, signer, text, email="ann@example.com")
    assert not bound.validate()
    assert [fault.code for fault in bound.faults()] == ["TOKEN_INVALID"]


def test_a_foreign_post_needs_no_token(form: Form) -> None:
    bound = form.bind(posted(form, {"email": "ann@example.com", "_token": "x"}), token=None)
    assert bound.validate()
    assert bound.token is None
    assert list(bound.hidden()) == []


def test_neither_keys_nor_the_posted_token_show_in_a_repr(form: Form, signer: TokenSigner) -> None:
    context = TokenContext(signer, form.name, form.version, "page", posted="secret text")
    assert "secret text" not in repr(context)
    assert "first key" not in repr(context)
