"""HTML attributes of a field's control. The server checks all of it again."""

from typing import Any

from formapp.forms.definition.model import FieldDefinition
from formapp.forms.fields.autofill import autocomplete_of
from formapp.languages import direction

_TYPED = {"text", "textarea", "email", "tel", "url"}
_INPUT_MODES = {"email": "email", "tel": "tel", "url": "url", "number": "decimal"}
_AUTOFILLED = _TYPED | {"number", "date", "select"}
_LEFT_TO_RIGHT = {"email", "tel", "url", "number", "date"}
_TEXTAREA_ROWS = 5


def attributes(field: FieldDefinition, language: str) -> dict[str, Any]:
    """Return the attributes of the control, `True` for those without a value.

    `language` is that of the page: where it runs from right to left, what is written from left to
    right in every language says so.
    """
    found: dict[str, Any] = {}
    if field.type in _LEFT_TO_RIGHT and direction(language) == "rtl":
        found["dir"] = "ltr"
    # On a group of checkboxes `required` would demand every single box.
    if field.required and field.type != "checkboxes":
        found["required"] = True
    if field.type in _TYPED:
        found["maxlength"] = field.limit
        if field.min_length:
            found["minlength"] = field.min_length
    if field.placeholder and field.type != "select":
        found["placeholder"] = field.placeholder
    if field.type in _AUTOFILLED and (tokens := autocomplete_of(field)):
        found["autocomplete"] = tokens
    return found | _of_type(field)


def _of_type(field: FieldDefinition) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if mode := _INPUT_MODES.get(field.type):
        found["inputmode"] = mode
    if field.type == "textarea":
        found["rows"] = field.rows or _TEXTAREA_ROWS
    if field.type == "number":
        found["step"] = "any"
    found |= {key: str(getattr(field, key)) for key in ("min", "max") if _has(field, key)}
    return found


def _has(field: FieldDefinition, key: str) -> bool:
    return getattr(field, key) is not None
