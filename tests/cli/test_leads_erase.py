"""`leads expire` and `leads erase` as their owner runs them."""

import csv
import io
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from formapp.cli import files
from formapp.db.database import Database
from formapp.files.store import FolderStore
from formapp.leads.accept import Status
from tests.support.files import attach_file, keys_of
from tests.support.leads import EMAIL, PHONE, lead, phone, submission
from tests.support.ledger import CONTACT, delivered, everything, kept
from tests.support.owner import Owner
from tests.support.processes import Commands, Installation, eventually, send

SECRET = "d41d8cd98f00b204e9800998ecf8427e"
LONG_AGO = datetime.now(UTC) - timedelta(days=100)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def owner(database_url: str) -> Iterator[Owner]:
    owner = Owner(database_url, SECRET_KEY=SECRET)
    yield owner
    owner.database.close()


def test_expire_tells_before_it_erases(owner: Owner) -> None:
    old = delivered(owner.database, submission(lead(first_name="Ines"), LONG_AGO))
    young = delivered(owner.database, submission(lead("b@example.com"), YESTERDAY))
    dry = owner.leads("expire", "--dry-run")
    assert dry.stdout == "The answers of 1 submission would be erased.\n"
    assert EMAIL in everything(owner.database)
    kept = owner.leads("expire", KEEP_DAYS="200").stdout
    assert kept == "Nothing to erase: no answers have expired.\n"
    assert owner.leads("expire").stdout == "The answers of 1 submission were erased.\n"
    assert EMAIL not in everything(owner.database)

    listed = {entry["id"]: entry for entry in json.loads(owner.leads("list", "--json").stdout)}
    assert listed[old]["state"] == "delivered"
    assert listed[old]["erased_at"]
    assert listed[young]["erased_at"] is None
    assert "the answers were erased" in owner.leads("show", old).stdout
    exported = list(csv.DictReader(io.StringIO(owner.leads("export").stdout)))
    assert {row["id"]: row["email"] for row in exported} == {old: "", young: "b@example.com"}


def test_erase_prints_what_went_and_what_is_left_at_wix(owner: Owner) -> None:
    done_before = delivered(owner.database, submission(lead(phones=(phone(),)), YESTERDAY))
    waiting = kept(owner.database, submission(lead(), YESTERDAY))
    other = submission(lead("b@example.com"), YESTERDAY, answers={"message": f"see {EMAIL}"})
    mention = kept(owner.database, other)
    dry = owner.leads("erase", "--email", EMAIL.upper(), "--dry-run").stdout
    assert "2 submissions would be erased." in dry
    assert f"The mention in {mention} would be erased." in dry
    assert EMAIL in everything(owner.database)

    done = owner.leads("erase", "--email", f" {EMAIL.upper()} ")
    assert done.returncode == 0, done.stderr
    assert "2 submissions erased." in done.stdout
    assert f"{done_before}  " in done.stdout
    assert f"Contact {CONTACT} of the site main is still at Wix" in done.stdout
    assert "its delivery is cancelled" in done.stdout
    assert f"The mention in {mention}" in done.stdout
    assert EMAIL not in everything(owner.database).lower()
    assert EMAIL not in (done.stdout + done.stderr).lower()
    shown = json.loads(owner.leads("show", waiting, "--json").stdout)
    assert (shown["state"], shown["reason"]) == ("failed", "erased")
    retried = owner.leads("retry", waiting)
    assert retried.returncode == 1
    assert f"{waiting} was erased" in retried.stderr


@pytest.mark.parametrize("typed", ["+44 20 7946 0018", "0044 2079460018", "(020) 7946 0018"])
def test_erase_by_phone_takes_every_spelling(owner: Owner, typed: str, tmp_path: Path) -> None:
    """A number without its country is read by the region of the forms."""
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "contact.toml").write_text(
        'title = "T"\n[[fields]]\nname = "phone"\ntype = "tel"\nlabel = "P"\nregion = "GB"\n'
        'to = "phone"\n'
    )
    delivered(owner.database, submission(lead(None, phones=(phone(),)), YESTERDAY))
    done = owner.leads("erase", "--phone", typed, FORMS=str(tmp_path / "forms"))
    assert "1 submission erased." in done.stdout, done.stderr
    assert PHONE not in everything(owner.database)


def test_what_is_no_address_or_number_is_told_in_one_line(owner: Owner) -> None:
    for args, words in (
        (["--email", "ines"], "this is no e-mail address"),
        (["--phone", "ines"], "with its country code"),
    ):
        done = owner.leads("erase", *args)
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_erase_needs_the_secret_key(owner: Owner) -> None:
    delivered(owner.database, submission(lead(), YESTERDAY))
    done = owner.leads("erase", "--email", EMAIL, SECRET_KEY="")
    assert done.returncode == 1
    assert "FORMAPP_SECRET_KEY: is missing" in done.stderr
    assert EMAIL in everything(owner.database)


@pytest.mark.parametrize(
    "args",
    [[], ["--list", "--email", EMAIL], ["--dry-run"], ["--list", "--dry-run"]],
    ids=" ".join,
)
def test_erase_wants_one_thing_at_a_time(owner: Owner, args: list[str]) -> None:
    assert owner.leads("erase", *args).returncode == 2


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_restored_back_up_is_erased_again_by_the_list(owner: Owner, tmp_path: Path) -> None:
    delivered(owner.database, submission(lead(), YESTERDAY))
    owner.database.close()
    shutil.copy(tmp_path / "formapp.db", tmp_path / "backup.db")
    owner.leads("erase", "--email", EMAIL)
    listed = owner.leads("erase", "--list").stdout
    assert EMAIL not in listed
    (tmp_path / "erasures.txt").write_text(listed)

    restored = {"DATABASE_URL": f"sqlite:///{tmp_path / 'backup.db'}"}
    again = ("erase", "--again", str(tmp_path / "erasures.txt"))
    stranger = owner.leads(*again, **restored, SECRET_KEY="another key that is long enough")
    assert stranger.returncode == 1
    assert "add it behind the others" in stranger.stderr
    done = owner.leads(*again, **restored, SECRET_KEY=f"a newer key that is long enough,{SECRET}")
    assert "1 submission erased." in done.stdout, done.stderr
    assert owner.leads("erase", "--list", **restored).stdout == listed
    assert b"okafor" not in (tmp_path / "backup.db").read_bytes()

    (tmp_path / "erasures.txt").write_text("nonsense\n")
    broken = owner.leads(*again)
    assert broken.returncode == 1
    assert "the file is none" in broken.stderr


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("with_contents", [True, False])
def test_files_that_a_restore_brought_back_are_erased_again(
    owner: Owner, tmp_path: Path, *, with_contents: bool
) -> None:
    folder, backup = tmp_path / "formapp-files", tmp_path / "backup"
    store, mine = FolderStore(folder), delivered(owner.database, submission(lead(), YESTERDAY))
    others = submission(lead("b@example.com"), YESTERDAY)
    other = delivered(owner.database, others)
    attach_file(owner.database, store, mine, b"mine", name="mine.jpg")
    attach_file(owner.database, store, other, b"theirs", name=f"{EMAIL}.jpg")
    owner.database.close()
    backup.mkdir()
    shutil.copy(tmp_path / "formapp.db", backup)
    shutil.copytree(folder, backup / folder.name)
    owner.leads("erase", "--email", EMAIL)
    assert len(keys_of(store)) == 1
    (tmp_path / "erasures.txt").write_text(owner.leads("erase", "--list").stdout)

    if not with_contents:  # the store was not restored with the database
        shutil.rmtree(backup / folder.name)
        shutil.copytree(folder, backup / folder.name)
    restored = Owner(f"sqlite:///{backup / 'formapp.db'}", SECRET_KEY=SECRET)
    done = restored.leads("erase", "--again", str(tmp_path / "erasures.txt"))
    assert "1 submission erased." in done.stdout, done.stderr
    swept = restored.run(files.command, "sweep").stdout
    assert swept == "Nothing to delete.\n"
    assert restored.shown(mine)["files"] == []
    assert [each["name"] for each in restored.shown(other)["files"]] == ["[erased].jpg"]
    store = FolderStore(backup / folder.name)
    [left] = keys_of(store)
    with store.open(left) as content:
        assert content.read() == b"theirs"
    restored.database.close()
    assert b"mine.jpg" not in (backup / "formapp.db").read_bytes()


@pytest.mark.slow
def test_a_running_worker_erases_by_itself(installation: Installation) -> None:
    database = Database(installation.settings["DATABASE_URL"])
    installation.serve_process.kill()
    installation.serve_process.wait()
    old = kept(database, submission(lead(), LONG_AGO, status=Status.QUARANTINED))
    installation.serve()
    eventually(lambda: EMAIL not in everything(database))
    database.close()
    (entry,) = json.loads(installation.run("leads", "list", "--json").stdout)
    assert (entry["id"], entry["state"]) == (old, "quarantined")


@pytest.mark.slow
def test_a_forms_own_time_is_kept_with_what_comes_in(
    database_url: str, commands: Commands, tmp_path: Path
) -> None:
    forms = tmp_path / "forms"
    forms.mkdir()
    (forms / "short.toml").write_text(
        'title = "T"\nkeep_days = 3\n[[fields]]\nname = "email"\ntype = "email"\nlabel = "E"\n'
        'to = "email"\n'
    )
    installation = Installation(commands, database_url, FORMS=str(forms))
    assert send(installation.web, "short", email=EMAIL).status_code == 303
    database = Database(installation.settings["DATABASE_URL"])
    assert "'keep_days': 3" in everything(database)
    database.close()
