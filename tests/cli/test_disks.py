"""A database on a disk that vanishes is found by what is mounted where."""

from pathlib import Path

import pytest

from formapp.cli import disks
from formapp.cli.disks import vanishing, vanishing_database

HOST = [
    "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
    "25 21 0:22 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=1g",
    "30 21 0:31 / /var/ram rw - tmpfs tmpfs rw",
    "44 21 8:2 / /srv/with\\040blank rw - xfs /dev/sda2 rw",
]
OVER = "31 21 0:32 / /srv rw - tmpfs tmpfs rw"
DOCKER = [
    "600 500 0:50 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/var/lib/docker/x",
    "601 600 0:53 / /proc rw - proc proc rw",
    "610 600 8:1 /srv/data /srv/formapp/data rw - ext4 /dev/sda1 rw",
    "611 600 0:60 / /srv/formapp/memory rw - tmpfs tmpfs rw",
]
BTRFS = [
    "600 500 0:50 /docker/subvolumes/x / rw - btrfs /dev/sda1 rw",
    "610 600 8:1 /data /data rw - btrfs /dev/sda1 rw",
]
MEMORY = "is in memory (tmpfs at {}): a restart loses it"
OWN = "is on the container's own disk ({} at /): it goes with the container"


@pytest.mark.parametrize(
    ("mounts", "path", "contained", "reason"),
    [
        (HOST, "/srv/formapp/formapp.db", False, None),
        (HOST, "/var/ram/formapp.db", False, MEMORY.format("/var/ram")),
        (HOST, "/run/formapp/formapp.db", False, MEMORY.format("/run")),
        (HOST, "/running/formapp.db", False, None),
        (HOST, "/srv/with blank/formapp.db", False, None),
        ([*HOST, OVER], "/srv/formapp.db", False, MEMORY.format("/srv")),
        ([OVER, HOST[0].replace(" / / ", " / /srv ")], "/srv/formapp.db", False, None),
        (DOCKER, "/srv/formapp/formapp.db", True, OWN.format("overlay")),
        (DOCKER, "/srv/formapp/formapp.db", False, OWN.format("overlay")),
        (DOCKER, "/srv/formapp/data/formapp.db", True, None),
        (DOCKER, "/srv/formapp/memory/formapp.db", True, MEMORY.format("/srv/formapp/memory")),
        (BTRFS, "/srv/formapp.db", True, OWN.format("btrfs")),
        (BTRFS, "/data/formapp.db", True, None),
        ([], "/srv/formapp.db", False, None),
    ],
)  # fmt: skip
def test_memory_and_a_containers_own_disk_vanish(
    mounts: list[str], path: str, *, contained: bool, reason: str | None
) -> None:
    assert vanishing(Path(path), mounts, contained=contained) == reason


@pytest.mark.parametrize(
    ("url", "vanishes"),
    [
        ("sqlite:///{}/formapp.db", True),
        ("postgresql+psycopg://formapp@localhost/formapp", False),
        ("sqlite://", False),
    ],
)
def test_only_the_file_of_sqlite_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, *, vanishes: bool
) -> None:
    monkeypatch.setattr(disks, "MOUNTS", tmp_path / "mountinfo")
    assert vanishing_database(url.format(tmp_path)) is None
    (tmp_path / "mountinfo").write_text(f"1 0 0:1 / {tmp_path} rw - tmpfs tmpfs rw\n")
    assert (vanishing_database(url.format(tmp_path)) is not None) == vanishes


def test_a_link_to_another_disk_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stays").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "stays")
    monkeypatch.setattr(disks, "MOUNTS", tmp_path / "mountinfo")
    (tmp_path / "mountinfo").write_text(
        f"1 0 0:1 / {tmp_path}/data rw - tmpfs tmpfs rw\n"
        f"2 0 8:1 / {tmp_path}/stays rw - ext4 /dev/sda1 rw\n"
    )
    assert vanishing_database(f"sqlite:///{tmp_path}/data/formapp.db") is None
