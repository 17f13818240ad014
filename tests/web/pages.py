"""A reader of form pages, which then posts as a browser would."""

from html.parser import HTMLParser
from typing import Any

from werkzeug.test import TestResponse

from tests.web.support import FROM_OUR_PAGE, Site


class Page(HTMLParser):
    """What a visitor sees of a form page, and what their browser would send.

    Attributes:
        action: where the form posts to; None where the page has no form.
        sent: the values by name; a name with several values has a list.
        tags: every tag with its attributes.
        text: all text.
    """

    def __init__(self, answer: TestResponse | str) -> None:
        super().__init__()
        self.action: str | None = None
        self.sent: dict[str, Any] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._area: str | None = None
        self._select = ""
        self.feed(answer if isinstance(answer, str) else answer.get_data(as_text=True))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and what it would send."""
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "form":
            self.action = found.get("action")
        elif tag == "input":
            self._input(found)
        elif tag == "textarea":
            self._area = found["name"] or ""
            self.sent[self._area] = ""
        elif tag == "select":
            self._select = found["name"] or ""
            self.sent[self._select] = ""
        elif tag == "option" and "selected" in found:
            self.sent[self._select] = found["value"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take `<input/>` for `<input>`."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Note where a text area ends."""
        if tag == "textarea" and self._area:
            # The first line end after the tag belongs to the markup.
            self.sent[self._area] = self.sent[self._area].removeprefix("\r").removeprefix("\n")
            self._area = None

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text += data
        if self._area:
            self.sent[self._area] += data

    def _input(self, found: dict[str, str | None]) -> None:
        name, value = found.get("name") or "", found.get("value") or ""
        if found.get("type") in {"checkbox", "radio"} and "checked" not in found:
            return
        if name in self.sent:
            earlier = self.sent[name]
            value_list = earlier if isinstance(earlier, list) else [earlier]
            self.sent[name] = [*value_list, value]
        else:
            self.sent[name] = value

    def submit(self, site: Site, **changes: Any) -> TestResponse:
        """Press the button, after some changes."""
        assert self.action
        data = {name: value for name, value in (self.sent | changes).items() if value is not None}
        return site.open("POST", self.action, data=data, headers=FROM_OUR_PAGE)
