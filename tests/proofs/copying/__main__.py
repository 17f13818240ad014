"""`python -m tests.proofs.copying --contacts 10000`: what copying costs."""

import argparse
import sys
import tempfile
from pathlib import Path

import click

from tests.proofs.copying.run import copy

_PAGE = 1000


def main() -> int:
    """Print the figures; 1 if a contact is missing or a call too many was made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=10_000)
    contacts = parser.parse_args().contacts
    with tempfile.TemporaryDirectory() as folder:
        found = copy(contacts, Path(folder))
    click.echo(f"{found.copied} of {contacts} copied in {found.seconds:.0f} s")
    click.echo(f"calls to Wix: {dict(found.calls)}")
    click.echo(
        f"memory: {found.memory[0]} MiB after the first page, {found.memory[1]} MiB at the end"
    )
    pages = -(-contacts // _PAGE)
    return int(found.copied != contacts or found.calls["listContacts"] != pages)


if __name__ == "__main__":
    sys.exit(main())
