"""The catalogues of formapp's texts: what the code says, and the files that hold it."""

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from formapp.languages import DOMAIN, SOURCE, SPOKEN
from formapp.resources import PACKAGE, TEMPLATES, TRANSLATIONS

KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_noop": None,
    "ngettext_noop": (1, 2),
    # Which argument is a text: RefusalError(status, code, text).
    "RefusalError": (3,),
}
OTHERS = [language for language in SPOKEN if language != SOURCE]


def extracted() -> Catalog:
    """Every text of formapp's own that a visitor may read, from code and templates."""
    catalog = Catalog(project="formapp", fuzzy=False)
    for folder, pattern, method in (
        (PACKAGE, "**.py", "python"),
        (TEMPLATES, "**.html", "jinja2"),
    ):
        found = extract_from_dir(
            folder,
            method_map=[(pattern, method)],
            options_map={pattern: {"silent": "false"}},
            keywords=KEYWORDS,
        )
        for name, _line, message, _comments, context in found:
            # The owner's pages are in English.
            if name.startswith("web/owner/"):
                continue
            catalog.add(message, locations=[(f"{folder.name}/{name}", 1)], context=context)
    return catalog


def path_of(language: str, suffix: str) -> Path:
    """The file of a language's texts: `.po` to write in, `.mo` to read from."""
    return TRANSLATIONS / language.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}{suffix}"


def read(language: str) -> Catalog:
    """The catalogue of a language, as translators wrote it."""
    with path_of(language, ".po").open("rb") as file:
        return read_po(file, locale=language.replace("-", "_"), domain=DOMAIN)


def compiled(catalog: Catalog) -> bytes:
    """What is read at run time."""
    content = io.BytesIO()
    write_mo(content, catalog)
    return content.getvalue()


def update() -> Iterator[str]:
    """Bring all files up to what the code says; yields what lacks a translation."""
    template = extracted()
    for language in OTHERS:
        catalog = read(language)
        created = catalog.creation_date
        catalog.update(template, no_fuzzy_matching=True)
        catalog.creation_date = created
        catalog.obsolete.clear()
        with path_of(language, ".po").open("wb") as file:
            write_po(file, catalog, width=100, sort_output=True, include_lineno=False)
        path_of(language, ".mo").write_bytes(compiled(read(language)))
        yield from (f"{language}: {each.id}" for each in catalog if not _has(each.string))


def _has(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)
