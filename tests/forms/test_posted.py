"""Repeated and unknown names in a post."""

from collections.abc import Callable

import pytest

from formapp.forms.form import Form
from tests.support.forms import posted

FormMaker = Callable[..., Form]

GROUP = 'name = "g"\ntype = "checkboxes"\nlabel = "G"\noptions = ["a", "b"]'
BOX = 'name = "b"\ntype = "checkbox"\nlabel = "B"'


def test_only_boxes_may_come_several_times(make_form: FormMaker) -> None:
    form = make_form(GROUP, BOX)
    pairs = [("g", "a"), ("g", "b"), ("b", "false"), ("b", "true"), ("email", "x"), ("z", "1")]
    sent = [*pairs, ("_next", "a"), ("_next", "b"), ("z", "2")]
    assert posted(form, sent).repeated() == ["_next"]


def test_a_name_of_ours_may_come_again_with_the_same_text(make_form: FormMaker) -> None:
    sent = [("_replyto", "a@b.example"), ("_replyto", " a@b.example"), ("_subject", "")]
    form = make_form(GROUP)
    again = posted(form, [*sent, ("_subject", "x")])
    assert again.repeated() == []
    assert again.get("_subject") == "x"
    assert posted(form, [*sent, ("_replyto", "c@d.example")]).repeated() == ["_replyto"]


def test_a_list_for_a_single_value_counts_as_repeated(make_form: FormMaker) -> None:
    sent = [("email", "x"), ("g", "a"), ("_id", "1")]
    lists = frozenset({"email", "g", "_id", "z"})
    assert posted(make_form(GROUP), sent, lists).repeated() == ["email", "_id"]


def test_unknown_names_are_counted_once_each(make_form: FormMaker) -> None:
    names = ("_token", "_gotcha", "_next", "_subject", "_replyto", "_id", "email", "g")
    sent = [*((name, "x") for name in names), ("z", "1"), ("z", "2"), ("", "3")]
    assert posted(make_form(GROUP), sent).unknown == ["z", ""]


OTHER_SPELLINGS = {
    "capitals": ([("EMAIL", "x"), ("G", "a"), ("z", "1")], {"email": "x", "g": "a"}),
    "blanks": ([(" email ", "x")], {"email": "x"}),
    "a container": (
        [("data[email]", "x"), ("data[g][]", "a"), ("data[z]", "1")],
        {"email": "x", "g": "a"},
    ),
    "a container in another": (
        [("p[name]", "n"), ("p[d][email]", "x"), ("p[d][g]", "a")],
        {"email": "x", "g": "a"},
    ),
    "a box of a group": ([("data[g][0]", "a"), ("data[g][1]", "b")], {"g": "ab"}),
    # What would lose something
    "two containers": ([("me[email]", "x"), ("friend[email]", "y")], {}),
    "a name of the form beside": ([("g", "a"), ("friend[email]", "y")], {"g": "a"}),
    "the very name": ([("email", "x"), ("Email", "y")], {"email": "x"}),
    "two spellings": ([("EMAIL", "x"), ("Email", "y")], {"email": "x"}),
    "several values": ([("EMAIL", "x"), ("EMAIL", "y")], {}),
}


@pytest.mark.parametrize("name", OTHER_SPELLINGS)
def test_a_field_that_would_be_missed_is_known_by_another_spelling(
    make_form: FormMaker, name: str
) -> None:
    pairs, expected = OTHER_SPELLINGS[name]
    found = posted(make_form(GROUP), pairs)
    sent = zip(found.fields, found.texts, strict=True)
    assert {field.name: "".join(texts) for field, texts in sent if texts} == expected
    assert found.repeated() == []
    kept = {name for names in found.sent for name in names} | set(found.unknown)
    assert kept == {name for name, _ in pairs}
