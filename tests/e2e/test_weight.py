"""The hosted page with its style sheet and script: at most 14 KB in all, compressed."""

import gzip
import re

import pytest
import requests

from tests.support.demo import Demo

LIMIT = 14 * 1024


@pytest.mark.parametrize("form", ["contact", "quote", "newsletter"])
def test_a_form_page_with_all_it_loads_weighs_at_most_14_kb(demo: Demo, form: str) -> None:
    page = requests.get(f"{demo.web}/f/{form}", timeout=10).text
    addresses = re.findall(r'(?:src|href)="([^"#]+)"', page)
    loaded = re.findall(r'<(?:script src|link rel="(?:stylesheet|icon)" href)="([^"]+)"', page)
    assert len(loaded) >= 2, "a style sheet and a script at least"
    # Its other languages are told by whole addresses; nothing is from elsewhere.
    assert all(address.startswith(("/", f"{demo.web}/")) for address in addresses)
    bodies = [page.encode()] + [
        requests.get(demo.web + address, timeout=10).content for address in loaded
    ]
    assert sum(len(gzip.compress(body, 9)) for body in bodies) <= LIMIT
