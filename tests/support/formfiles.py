"""Pieces of form files that many tests need, and the faults of a file."""

from formapp.forms.definition.parse import FormFilesError, parse_form

EMAIL = """
[[fields]]
name = "email"
type = "email"
label = "E-mail"
required = true
to = "email"
"""
"""The least that a form must ask for."""

NEWS = f"""{EMAIL}
[[fields]]
name = "news"
type = "consent"
label = "Send me the newsletter."
to = {{ label = "Newsletter" }}
"""
"""What a newsletter asks for."""


def faults_of(text: str, file: str = "contact.toml") -> list[str]:
    """The faults of a form file's text, one a line."""
    try:
        parse_form(file, text)
    except FormFilesError as err:
        return str(err).split("\n")
    return []
