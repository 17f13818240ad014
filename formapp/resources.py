"""The folders of templates, static files, forms and translations.

In the project some are at the top level, where readers look for them; the wheel has them inside
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
