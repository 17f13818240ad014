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
    parser.add_argument("--create-ms", type=float, default=0, help="that each create takes")
    chosen = parser.parse_args()
    contacts = chosen.contacts
    with tempfile.TemporaryDirectory() as folder:
        both = copy(contacts, Path(folder), pause=chosen.create_ms / 1000)
    found = both.ours
    for name, each in (("formapp", both.ours), ("a plain loop", both.plain)):
        click.echo(f"{name}: {each.copied} of {contacts} copied in {each.seconds:.1f} s")
        click.echo(f"  calls to Wix: {dict(each.calls)}")
        first, last = each.memory
        click.echo(f"  memory: {first} MiB after the first page, {last} MiB at the end")
    click.echo(f"formapp took {found.seconds / both.plain.seconds:.2f} times as long")
    pages = -(-contacts // _PAGE)
    return int(found.copied != contacts or found.calls["listContacts"] != pages)


if __name__ == "__main__":
    sys.exit(main())
