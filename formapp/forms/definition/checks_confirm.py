"""Whether a form can ask for a confirmation."""

from collections.abc import Iterable, Iterator

from formapp.confirmation.definition import Confirm
from formapp.forms.definition.fields import FieldDefinition
from formapp.forms.definition.targets import PropertyTarget

_HINT = 'give an email field required = true and to = "email"'


def check_confirm(
    confirm: Confirm, fields: Iterable[FieldDefinition], keep_days: int | None
) -> Iterator[tuple[str, str]]:
    """Yield the key and the text of every problem.

    Args:
        confirm: the table.
        fields: all fields of the form.
        keep_days: the form's own; None where it has none.
    """
    if not any(_is_address(field) for field in fields):
        yield "confirm", f"needs an address that every visitor gives; {_HINT}"
    if keep_days is not None and keep_days < confirm.days:
        text = f"{confirm.days} is more than keep_days, which is {keep_days}"
        yield "confirm.days", f"{text}; the answers would be gone before the link"


def _is_address(field: FieldDefinition) -> bool:
    to = field.to
    is_target = isinstance(to, PropertyTarget) and to.property == "email"
    return is_target and field.type == "email" and field.required
