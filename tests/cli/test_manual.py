"""`formapp manual`."""

import pytest
from click.testing import CliRunner

from formapp import manual
from formapp.cli import cli


def test_it_lists_the_topics_with_their_titles() -> None:
    done = CliRunner().invoke(cli, ["manual"])
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(manual.topics())
    assert "Define a form" in done.stdout


@pytest.mark.parametrize("topic", manual.topics())
def test_it_shows_a_topic(topic: str) -> None:
    done = CliRunner().invoke(cli, ["manual", topic])
    assert done.exit_code == 0
    assert done.stdout.startswith(f"# {manual.topics()[topic]}\n")


@pytest.mark.parametrize(
    ("topic", "hint"), [("spm", "did you mean 'spam'?"), ("xyz", "there are forms, embedding")]
)
def test_an_unknown_topic_is_an_error_with_a_hint(topic: str, hint: str) -> None:
    done = CliRunner().invoke(cli, ["manual", topic])
    assert done.exit_code == 1
    assert hint in done.stderr
