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
def installation(commands: Commands) -> Installation:
    return Installation(commands)
