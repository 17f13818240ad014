"""Classes that threads decode: what msgspec knows of them is built when they are defined."""

from typing import TypeVar

import msgspec

Class = TypeVar("Class")


def decodable(kind: type[Class]) -> type[Class]:
    """Build what msgspec needs to decode a class, as a decorator: in the one thread that imports.

    It would do so at the first use. Of two threads whose first use comes at once, one may read what
    the other has half built, and the process ends by SIGSEGV (msgspec 0.22.0).
    """
    msgspec.json.Decoder(kind)
    return kind
