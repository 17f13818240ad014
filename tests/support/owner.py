"""An owner who runs commands in this process, which takes a tenth of a process's time."""

import json
import os
from typing import Any

import click
from click.testing import CliRunner

from formapp.cli import leads
from formapp.db.database import Database
from tests.support.processes import Result
from tests.support.schema import give_schema


class Owner:
    """Runs commands on one database, and looks into it."""

    def __init__(self, url: str, **settings: str) -> None:
        self.settings = {"DATABASE_URL": url, **settings}
        self.database = Database(url)
        give_schema(self.database)

    def run(self, command: click.Command, *args: str, **changed: str) -> Result:
        settings = (self.settings | changed).items()
        wanted = {f"FORMAPP_{name}": value for name, value in settings}
        unwanted = dict.fromkeys(name for name in os.environ if name.startswith("FORMAPP_"))
        done = CliRunner().invoke(command, args, env=unwanted | wanted)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return Result(args, done.exit_code, done.stdout, done.stderr)

    def leads(self, *args: str, **changed: str) -> Result:
        return self.run(leads.command, *args, **changed)

    def listed(self, *args: str) -> dict[str, str]:
        """Id to state."""
        entries = json.loads(self.leads("list", "--json", *args).stdout)
        return {entry["id"]: entry["state"] for entry in entries}

    def shown(self, submission_id: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.leads("show", submission_id, "--json").stdout)
        return found
