"""Images without metadata: the picture stays, everything else goes."""

import io
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from formapp.files.images import MOST_FRAMES, UnreadableImageError, strip_metadata
from formapp.files.store import FileStoreError, FolderStore, Spool

SECRET = "taken at home by Ines"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def spooled(store: FolderStore, content: bytes) -> Spool:
    spool = store.spool()
    spool.write(content)
    return spool


def image(kind: str, *, size: tuple[int, int] = (40, 20)) -> bytes:
    """A picture with a text of the camera in each place that its format has for one."""
    picture = Image.new("RGB", size, "red")
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = SECRET, 6
    more: dict[str, object] = {"exif": exif}
    if kind == "PNG":
        info = PngInfo()
        info.add_text("Comment", SECRET)
        more["pnginfo"] = info
    if kind in {"GIF", "JPEG"}:
        more["comment"] = SECRET.encode()
    if kind == "TIFF":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[270] = SECRET
        more = {"tiffinfo": tags}
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_nothing_of_the_camera_stays(store: FolderStore, kind: str) -> None:
    content = image(kind)
    assert SECRET.encode() in content
    with spooled(store, content) as source, strip_metadata(source, store.spool) as stripped:
        stripped.file.seek(0)
        left = stripped.file.read()
        assert stripped.size == len(left)
    assert SECRET.encode() not in left
    with Image.open(io.BytesIO(left)) as found:
        assert found.format == kind
        assert not dict(found.getexif()).get(0x010E)
        red = found.convert("RGB").getpixel((5, 5))
        assert isinstance(red, tuple)
        assert red[0] > 250
        if kind in {"JPEG", "PNG", "WEBP"}:
            assert found.size == (20, 40), "turned as the camera said"


def several(kind: str, count: int = 3) -> bytes:
    """A file of several pictures, each another one."""
    frames = [Image.new("RGB", (10, 10), (n % 256, n // 256, 90)) for n in range(count)]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_all_frames_or_pages_are_kept(store: FolderStore, kind: str) -> None:
    with spooled(store, several(kind)) as source, strip_metadata(source, store.spool) as left:
        left.file.seek(0)
        with Image.open(left.file) as found:
            assert getattr(found, "n_frames", 1) == 3


def test_a_camera_with_a_second_picture_gives_a_jpeg(store: FolderStore) -> None:
    with spooled(store, several("MPO")) as source, strip_metadata(source, store.spool) as left:
        left.file.seek(0)
        with Image.open(left.file) as found:
            assert (found.format, getattr(found, "n_frames", 1)) == ("JPEG", 1)


def test_too_many_tiny_frames_are_refused(store: FolderStore) -> None:
    content = several("GIF", MOST_FRAMES + 1)
    with spooled(store, content) as source, pytest.raises(UnreadableImageError):
        strip_metadata(source, store.spool)


def test_a_scan_stays_small(store: FolderStore) -> None:
    out = io.BytesIO()
    Image.new("1", (4000, 4000)).save(out, "TIFF", compression="group4")
    with spooled(store, out.getvalue()) as source, strip_metadata(source, store.spool) as left:
        assert left.size < 100_000


def test_a_full_disk_is_no_fault_of_the_image(store: FolderStore) -> None:
    with (
        spooled(store, image("PNG")) as source,
        patch.object(Spool, "write", side_effect=OSError(28, "No space left on device")),
        pytest.raises(FileStoreError, match="No space left"),
    ):
        strip_metadata(source, store.spool)
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "content", [b"", b"no image", image("PNG")[:60], image("JPEG")[:200]], ids=str
)
def test_what_cannot_be_decoded_is_refused_and_leaves_nothing(
    store: FolderStore, content: bytes
) -> None:
    with spooled(store, content) as source, pytest.raises(UnreadableImageError):
        strip_metadata(source, store.spool)
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


@pytest.mark.slow
def test_a_bomb_is_not_decoded(store: FolderStore) -> None:
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    with spooled(store, out.getvalue()) as source, pytest.raises(UnreadableImageError):
        strip_metadata(source, store.spool)
