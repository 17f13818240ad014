"""Images without their metadata: where a photo was taken, by which camera, its preview.

Pillow is optional (`pip install 'formapp[images]'`). The picture is decoded and encoded again, so
that nothing else of the file stays.
"""

import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import islice
from typing import IO, Any

from formapp.files.store import FileStoreError, Spool, as_store_errors

if find_spec("PIL"):
    from PIL import Image, ImageOps, ImageSequence

MOST_PIXELS = 50_000_000
"""Of all pictures of a file: more is a decompression bomb, or takes more memory than it should."""

MOST_FRAMES = 500
"""Pictures or pages of a file: millions of tiny ones take as long as a bomb."""

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")
_SEVERAL = {"GIF", "WEBP", "PNG", "TIFF"}
"""Formats of animations, and of pages."""

_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90},
    "WEBP": {"quality": 90},
    # Else a small scan becomes a file of a hundred megabytes.
    "TIFF": {"compression": "tiff_adobe_deflate"},
}
_KEPT_INFO = ("icc_profile", "transparency", "duration", "loop", "background", "disposal")
"""What the picture needs to look the same."""

_IN_MEMORY = 1024 * 1024
_ONE_AT_A_TIME = threading.Lock()
"""A decoded picture takes up to 200 MB."""


class UnreadableImageError(Exception):
    """It is no image that can be decoded, or too large a one."""


def can_strip() -> bool:
    return find_spec("PIL") is not None


def strip_metadata(source: Spool, spool: Callable[[], Spool]) -> Spool:
    """Return the same picture, upright, without metadata; the source stays as it is.

    Raises UnreadableImageError, FileStoreError.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as encoded:
        try:
            with _ONE_AT_A_TIME, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                source.file.seek(0)
                _encode_again(source.file, encoded)
        except Exception as error:  # noqa: BLE001 - decoders raise many kinds on damaged files
            raise UnreadableImageError(type(error).__name__) from None
        encoded.seek(0)
        target = spool()
        try:
            with as_store_errors():
                shutil.copyfileobj(encoded, target)
        except FileStoreError:
            target.close()
            raise
    return target


def _encode_again(file: IO[bytes], target: IO[bytes]) -> None:
    with Image.open(file, formats=_FORMATS) as image:
        # Of a camera's JPEG with a second picture (MPO) the first is what people see.
        kind = "JPEG" if image.format == "MPO" else image.format or ""
        options = _OPTIONS.get(kind, {})
        first, *others = _pictures(image) if kind in _SEVERAL else _pictures(image, most=1)
        if others:
            options = options | {"save_all": True, "append_images": others}
        first.save(target, kind, **options)


def _pictures(image: "Image.Image", most: int | None = None) -> Iterator["Image.Image"]:
    """Yield the pictures of a file, upright and plain; raises UnreadableImageError if too many."""
    pixels = 0
    for count, frame in enumerate(islice(ImageSequence.Iterator(image), most), 1):
        pixels += frame.width * frame.height
        if pixels > MOST_PIXELS or count > MOST_FRAMES:
            raise UnreadableImageError("has too many pixels")
        yield _plain(frame)


def _plain(frame: "Image.Image") -> "Image.Image":
    """Return an upright copy that has nothing but its picture."""
    copied = ImageOps.exif_transpose(frame)
    copied.info = {key: frame.info[key] for key in _KEPT_INFO if key in frame.info}
    return copied
