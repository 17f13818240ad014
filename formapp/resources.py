"""The folders of templates, static files, forms and translations.

Templates and static files are at the top of the project; the wheel has them inside the package.
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
