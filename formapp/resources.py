"""Where templates, static files, forms and translations are.

In the project they stand at the top, where a reader looks for them; the wheel carries them inside
the package. An installed formapp works from any folder either way.
"""

from pathlib import Path

PACKAGE = Path(__file__).parent


def _folder(name: str) -> Path:
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


TEMPLATES = _folder("templates")
STATIC = _folder("static")
BUNDLED_FORMS = PACKAGE / "forms" / "bundled"
TRANSLATIONS = PACKAGE / "translations"
