from collections.abc import Iterator

import pytest

from formapp.submissions.database import Database
from formapp.submissions.upgrade import upgrade
from tests.support.postgres import PostgresServer


@pytest.fixture
def postgresql(postgres: PostgresServer) -> Iterator[Database]:
    """A PostgreSQL database with the current schema, where the other kind can't do it."""
    with postgres.database() as url:
        database = Database(url)
        upgrade(database)
        yield database
        database.close()
