"""What browsers really send from other people's pages: encodings, redirects, files, headers."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.uses.conftest import World
from tests.uses.visitors import fill_in, send, thanked

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OpenPage = Callable[..., Page]

FORM = """
<form method="post" action="{action}" {attributes}>
<label>Name <input name="name"></label>
<label>E-mail <input name="{email}"></label>
<label><input type="checkbox" name="privacy" value="yes"> I agree</label>
{more}
<button type="submit">Send</button>
</form>
"""
CHARSET = '<input type="hidden" name="_charset_">'
MULTIPART = 'enctype="multipart/form-data"'


def form(world: World, attributes: str = "", more: str = "", **other: str) -> str:
    given = {"action": f"{world.origin}/f/lead", "email": "email"} | other
    return FORM.format(attributes=attributes, more=more, **given)


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("shift_jis", "髙橋 太郎㈱"),
        ("euc-jp", "髙橋 太郎㈱"),
        ("iso-2022-jp", "高橋 太郎"),
        ("windows-1252", "Zoë “Šea” 😀"),
        ("iso-8859-1", "Zoë “€” 漢"),
        ("windows-1251", "Съешь Ёжик"),
        ("gbk", "王 朱镕基 €"),
        ("gb18030", "王 😀"),
        ("big5", "許 功蓋"),
        ("euc-kr", "김 똠방"),
        ("koi8-r", "Иван Ежов"),
        ("windows-1256", "محمد علي"),
        ("utf-8", "Zoë 漢 😀"),
    ],
)
@pytest.mark.parametrize("enctype", ["", MULTIPART], ids=["urlencoded", "multipart"])
def test_a_page_in_another_encoding(
    world: World, open_page: OpenPage, charset: str, name: str, enctype: str
) -> None:
    html = form(world, enctype, CHARSET + '<input type="hidden" name="ﾒﾓ" value="é">')
    page = open_page(world.partner.page(html, charset=charset))
    fill_in(page, name=name)
    send(page)
    thanked(page)
    row = world.one()
    assert row.answers["name"] == name
    assert row.notes is None
    [value] = row.unknown.values()
    assert value == "é"


@pytest.mark.parametrize("charset", ["shift_jis", "windows-1252"])
def test_a_form_that_accepts_another_encoding_than_its_pages(
    world: World, open_page: OpenPage, charset: str
) -> None:
    html = form(world, f'accept-charset="{charset}"', CHARSET)
    page = open_page(world.partner.page(html))
    fill_in(page, name="Ωμέγα ¶")
    send(page)
    thanked(page)
    assert world.one().answers["name"] == "Ωμέγα ¶"


def test_a_page_that_says_nothing_of_its_encoding(world: World, open_page: OpenPage) -> None:
    page = open_page(world.partner.page(form(world), charset="windows-1252"))
    fill_in(page, name="Zoë “Šea”")
    send(page)
    thanked(page)
    row = world.one()
    assert row.answers["name"] == "Zoë “Šea”"
    assert [note["code"] for note in row.notes] == ["CHARSET_GUESSED"]


def test_a_post_that_is_redirected_on_its_way(world: World, open_page: OpenPage) -> None:
    world.evil.redirects["/old"] = f"{world.origin}/f/lead"
    html = form(world, action=f"{world.evil.origin}/old")
    page = open_page(world.partner.page(html))
    fill_in(page)
    send(page)
    thanked(page)
    row = world.one()
    assert (row.status, row.meta["page"]) == ("accepted", f"{world.partner.origin}/")


def test_a_redirected_post_of_a_page_that_is_not_listed(world: World, open_page: OpenPage) -> None:
    world.partner.redirects["/old"] = f"{world.origin}/f/lead"
    html = form(world, action=f"{world.partner.origin}/old")
    page = open_page(world.evil.page(html))
    fill_in(page)
    send(page)
    expect(page.locator(".status")).to_have_text("403")
    assert world.kept() == []
    world.forgiven = ("403",)


def test_a_script_with_headers_of_its_own(world: World, open_page: OpenPage) -> None:
    page = open_page(world.partner.page("<p>A script</p>"))
    answer = page.evaluate(
        """async (address) => {
          const answer = await fetch(address, {
            method: "POST",
            headers: {
              "Content-Type": "application/json", Accept: "application/json",
              "X-Requested-With": "XMLHttpRequest", "X-Trace": "1",
            },
            body: JSON.stringify({name: "Ada", email: "ada@example.com", privacy: true}),
          });
          return answer.json();
        }""",
        f"{world.origin}/f/lead/",
    )
    assert answer["ok"] is True
    assert world.one().answers["name"] == "Ada"


def test_a_script_that_follows_its_post_with_headers_of_its_own(
    world: World, open_page: OpenPage
) -> None:
    page = open_page(world.partner.page("<p>A script</p>"))
    status = page.evaluate(
        """async (address) => {
          const body = new FormData();
          body.set("name", "Ada"); body.set("_replyto", "ada@example.com");
          body.set("privacy", "on"); body.set("cv", new Blob(["%PDF"]), "cv.pdf");
          const headers = {"X-Requested-With": "XMLHttpRequest"};
          return (await fetch(address, {method: "POST", headers, body})).status;
        }""",
        f"{world.origin}/f/lead",
    )
    assert status == 200
    row = world.one()
    assert row.lead["email"]["address"] == "ada@example.com"
    assert [note["code"] for note in row.notes] == ["FILE_DROPPED"]


def test_a_form_of_formspree_with_a_file_corrected_on_our_page(
    world: World, open_page: OpenPage
) -> None:
    done = world.partner.page("<p>Done</p>", "/done")
    more = (
        f'<label>CV <input type="file" name="cv"></label><input type="hidden" name="_next" '
        f'value="{done}"><label>Budget <input name="budget" value="5"></label>'
    )
    page = open_page(world.partner.page(form(world, MULTIPART, more, email="_replyto")))
    page.locator("[name=name]").fill("Ada Lovelace")
    page.locator("[name=_replyto]").fill("ada@")
    page.locator("[name=privacy]").check()
    file = {"name": "履歴書.pdf", "mimeType": "application/pdf", "buffer": b"%PDF" * 500_000}
    page.get_by_label("CV").set_input_files(file)  # type: ignore[arg-type] # a plain dict
    send(page)
    expect(page.locator(".summary")).to_be_focused()
    page.locator("[name=email]").fill("ada@example.com")
    send(page)
    expect(page.get_by_text("Your file was left out")).to_be_visible()
    row = world.one()
    assert row.answers["email"] == "ada@example.com"
    assert row.unknown == {"budget": "5"}
    assert row.notes == [{"code": "FILE_DROPPED", "value": "履歴書.pdf"}]
    page.get_by_role("link", name="Continue").click()
    page.wait_for_url(done)
    world.forgiven = ("422",)


def test_a_text_that_is_much_too_long_comes_back(world: World, open_page: OpenPage) -> None:
    more = '<label>More <textarea name="note"></textarea></label>'
    page = open_page(world.partner.page(form(world, more=more)))
    fill_in(page)
    page.get_by_label("More").fill("漢" * 60_000)
    send(page)
    expect(page.locator(".summary")).to_contain_text("KiB")
    assert page.locator("[name=note]").input_value() == "漢" * 60_000
    page.locator("[name=note]").fill("short")
    send(page)
    thanked(page)
    assert world.one().answers["note"] == "short"
    world.forgiven = ("413",)
