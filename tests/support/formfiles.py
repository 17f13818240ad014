"""Pieces of form files that many tests need, and the faults of a file."""

from dataclasses import replace

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
    """The faults of a form file's text, one a line, without line numbers."""
    try:
        parse_form(file, text)
    except FormFilesError as err:
        return [str(replace(fault, line=None)) for fault in err.faults]
    return []
