"""A lead's files at Wix: an extended field with a link that lasts as long as the answers."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from formapp.files.links import FileAddresses, FileLinkSigner
from formapp.files.store import FolderStore
from formapp.forms.definition.parse import FormFilesError, parse_form
from formapp.forms.form import compile_form
from formapp.forms.mapping import LeadMapping
from formapp.lead import FILES_OF, ExtendedField
from formapp.leads.file_links import link_of_field
from tests.support.files import attach_file
from tests.support.formfiles import EMAIL
from tests.support.forms import posted
from tests.support.leads import lead
from tests.support.world import World

ADDRESSES = FileAddresses(FileLinkSigner(["a secret key"]), "https://forms.example.com", 90)
FORM = (
    'title = "Roof"\n'
    + EMAIL
    + """
[[fields]]
name = "photos"
type = "file"
label = "Photos"
max_files = 3
to = TO
"""
)
URL = '{ extended_field = "Files", data_type = "URL" }'
PLACEHOLDER = ExtendedField(name="Files", data_type="URL", value=f"{FILES_OF}photos")


def test_answers_with_files_are_mapped_to_what_becomes_a_link() -> None:
    form = parse_form("roof", FORM.replace("TO", URL))
    answers: dict[str, Any] = {"email": "ada@example.com", "photos": ["a.jpg", "b.jpg"]}
    assert LeadMapping(form, "roof").lead_of(answers, "main").extended_fields == (PLACEHOLDER,)
    answers["photos"] = []
    assert LeadMapping(form, "roof").lead_of(answers, "main").extended_fields == ()


@pytest.mark.parametrize("to", ['"company"', '{ extended_field = "Files" }', '{ label = "x" }'])
def test_files_go_to_no_other_target(to: str) -> None:
    with pytest.raises(FormFilesError):
        parse_form("roof", FORM.replace("TO", to))


@pytest.mark.parametrize("written", [FILES_OF, FILES_OF[1:]])
def test_what_a_visitor_writes_is_taken_for_no_link(written: str) -> None:
    fields = FORM.replace('type = "file"', 'type = "text"').replace("max_files = 3\n", "")
    given = fields.replace("TO", '{ extended_field = "Files" }')
    form = compile_form("roof", parse_form("roof", given))
    sent = posted(form, {"email": "ada@example.com", "photos": f"{written}photos"})
    reading = form.reader.read(sent, default_site="main", page=None, referrer=None)
    [kept] = reading.lead.with_file_links(
        lambda _: "https://forms.example.com/files/x"
    ).extended_fields
    assert kept.value == "formapp:files/photos"


@pytest.mark.parametrize("has_files", [True, False])
def test_the_contact_gets_the_link(world: World, tmp_path: Path, *, has_files: bool) -> None:
    sent = world.keep(lead(extended_fields=(PLACEHOLDER,)))
    if has_files:
        attach_file(world.database, FolderStore(tmp_path), sent)
    deliverer = world.deliverer
    deliverer._file_link = partial(link_of_field, world.database, ADDRESSES)
    assert deliverer.deliver_next() == 1
    assert world.row(sent)["outcome"] == "created"
    [contact] = world.site.contacts()
    values = [*contact["info"].get("extendedFields", {}).get("items", {}).values()]
    links = [each for each in values if str(each).startswith("https://forms.example.com/files/")]
    assert len(links) == has_files
    for link in links:
        found = ADDRESSES.signer.read(link.rpartition("/")[2])
        assert (found.submission_id, found.field) == (sent, "photos")
        assert found.until - world.clock() <= timedelta(days=90)
