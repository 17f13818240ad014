"""Images without their metadata: where a photo was taken, by which camera, its preview.

Pillow is optional (`pip install 'formapp[images]'`). The picture is decoded and encoded again, so
that nothing else of the file stays.
"""

import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import IO, Any

from formapp.files.store import Spool

if find_spec("PIL"):
    from PIL import Image, ImageOps, ImageSequence

MOST_PIXELS = 50_000_000
"""Of all pictures of a file: more is a decompression bomb, or takes more memory than it should."""

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")
_ANIMATED = {"GIF", "WEBP", "PNG"}
_QUALITY: dict[str, dict[str, Any]] = {"JPEG": {"quality": 90}, "WEBP": {"quality": 90}}
_KEPT_INFO = ("icc_profile", "transparency", "duration", "loop", "background", "disposal")
"""What the picture needs to look the same."""

_IN_MEMORY = 1024 * 1024
_ONE_AT_A_TIME = threading.Lock()
"""A decoded picture takes up to 200 MB."""


class UnreadableImageError(Exception):
    """It is no image that can be decoded, or too large a one."""


def can_strip() -> bool:
    """Return whether Pillow is installed."""
    return find_spec("PIL") is not None


def strip_metadata(source: Spool, spool: Callable[[], Spool]) -> Spool:
    """Return the same picture, upright, without metadata; the source stays as it is.

    Raises UnreadableImageError.
    """
    source.file.flush()
    source.file.seek(0)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as encoded:
        try:
            with _ONE_AT_A_TIME, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _encode_again(source.file, encoded)
        except Exception as error:  # noqa: BLE001 - decoders raise many kinds on damaged files
            raise UnreadableImageError(type(error).__name__) from None
        encoded.seek(0)
        target = spool()
        shutil.copyfileobj(encoded, target)
    return target


def _encode_again(file: IO[bytes], target: IO[bytes]) -> None:
    with Image.open(file, formats=_FORMATS) as image:
        kind = image.format or ""
        frames = getattr(image, "n_frames", 1) if kind in _ANIMATED else 1
        if image.width * image.height * frames > MOST_PIXELS:
            raise UnreadableImageError("has too many pixels")
        options = _QUALITY.get(kind, {})
        if frames == 1:
            _plain(ImageOps.exif_transpose(image)).save(target, kind, **options)
            return
        first, *others = (_plain(frame) for frame in ImageSequence.Iterator(image))
        first.save(target, kind, save_all=True, append_images=others, **options)


def _plain(image: "Image.Image") -> "Image.Image":
    """Return a copy that has nothing but its picture."""
    copied = image.copy()
    copied.info = {key: image.info[key] for key in _KEPT_INFO if key in image.info}
    return copied
