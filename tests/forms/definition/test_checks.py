"""What the keys of a form file must be to each other, beside the table in faults.toml."""

from collections.abc import Callable

import pytest

FaultsOf = Callable[..., list[str]]
EMAIL = '\n[[fields]]\nname = "email"\ntype = "email"\nlabel = "E-mail"\nto = "email"\n{}\n'


@pytest.mark.parametrize(
    ("aliases", "said"),
    [
        ('["email"]', '[0]: "email" is already a name of fields[2] (email)'),
        ('["x"]', '[0]: "x" is already a name of fields[0] (x)'),
        ('["a", "a"]', '[1]: "a" is already a name of fields[0] (x)'),
        ('["email[]"]', '[0]: "email[]" means a value of "email" already'),
        ('["g[3]"]', '[0]: "g[3]" means a value of "g" already'),
        ('["_next"]', '[0]: "_next" begins with "_", as formapp\'s own names do'),
        ('["ok", " "]', "[1]: is empty"),
        (f'["{"a" * 201}"]', "[0]: is too long; at most 200 characters"),
        ('["a\\u0000"]', "[0]: holds a character that no form can send (NUL, a tab or a line end)"),
        ('"a"', ": should be a list in [square brackets], not text"),
        ("[1]", "[0]: should be text in quotes, not a number (1)"),
    ],
)
def test_an_alias_that_can_not_be_is_a_fault(faults_of: FaultsOf, aliases: str, said: str) -> None:
    group = '[[fields]]\nname = "g"\ntype = "checkboxes"\nlabel = "G"\noptions = ["a"]\n'
    text = (
        'title = "T"\n[[fields]]\nname = "x"\ntype = "text"\nlabel = "X"\n'
        f"aliases = {aliases}\n{group}{EMAIL.format('')}"
    )
    assert faults_of(text) == [f"contact.toml: fields[0] (x).aliases{said}"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ('["x"]', '[0]: "x" is a name of fields[0] (x) already'),
        ('["y z"]', '[0]: "y z" is a name of fields[0] (x) already'),
        ('["g[3]"]', '[0]: "g[3]" means a value of "g" already'),
        ('["_next"]', '[0]: "_next" is one of formapp\'s own names already'),
        (
            '["ok", "g-recaptcha-response"]',
            '[1]: "g-recaptcha-response" is one of formapp\'s own names already',
        ),
        ('["ok", "ok"]', '[1]: "ok" is in {key} already'),
        ('["ok", ""]', "[1]: is empty"),
        (f'["{"a" * 201}"]', "[0]: is too long; at most 200 characters"),
        ('"a"', ": should be a list in [square brackets], not text"),
    ],
)
@pytest.mark.parametrize("key", ["spam.honeypots", "next_fields"])
def test_a_name_of_another_server_that_can_not_be_is_a_fault(
    faults_of: FaultsOf, key: str, names: str, said: str
) -> None:
    field = '[[fields]]\nname = "x"\ntype = "text"\nlabel = "X"\naliases = ["y z"]\n'
    group = '[[fields]]\nname = "g"\ntype = "checkboxes"\nlabel = "G"\noptions = ["a"]\n'
    text = f'title = "T"\n{key} = {names}\n{field}{group}{EMAIL.format("")}'
    assert [fault.partition(": ")[2] for fault in faults_of(text)] == [key + said.format(key=key)]


def test_names_of_other_servers_may_be_any_that_are_free(faults_of: FaultsOf) -> None:
    names = (
        'next_fields = ["redirect", "retURL"]\nspam.honeypots = ["bot-field", "_honey", "a b"]\n'
    )
    assert faults_of(f'title = "T"\n{names}{EMAIL.format("")}') == []
    both = names.replace("retURL", "_honey")
    [fault] = faults_of(f'title = "T"\n{both}{EMAIL.format("")}')
    assert '"_honey" is in spam.honeypots already' in fault


def test_an_alias_of_two_fields_is_a_fault_and_the_longest_is_none(faults_of: FaultsOf) -> None:
    name = "a" * 200
    field = '[[fields]]\nname = "{}"\ntype = "text"\nlabel = "X"\naliases = ["' + name + '"]\n'
    text = 'title = "T"\n' + field.format("x") + EMAIL.format("")
    assert faults_of(text) == []
    assert faults_of(text + field.format("y")) == [
        f'contact.toml: fields[2] (y).aliases[0]: "{name}" is already a name of fields[0] (x)'
    ]
