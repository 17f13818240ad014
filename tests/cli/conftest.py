from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import Commands, Installation


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    commands = Commands(tmp_path)
    yield commands
    commands.close()


@pytest.fixture
def installation(database_url: str, commands: Commands) -> Installation:
    """A server and a sandbox that run, on a database of either kind."""
    return Installation(commands, database_url)
