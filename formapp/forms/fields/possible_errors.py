"""What may be wrong with the answers of a field: every message that it can get, by its code."""

from formapp.forms import messages
from formapp.forms.definition.model import FieldDefinition, PropertyTarget
from formapp.forms.messages import Code, Message

_OF_TYPE = {
    "email": messages.EMAIL,
    "url": messages.URL,
    "number": messages.NUMBER,
    "date": messages.DATE,
}
_OF_PROPERTY = {"country": messages.COUNTRY, "locale": messages.LOCALE}
_TICKED = {"checkbox", "consent", "checkboxes"}


def messages_of(field: FieldDefinition) -> dict[Code, Message]:
    """Return the messages of a field by code, those that `judge` and the controls may give.

    A hidden field has none: what a page carries unseen is never the visitor's fault.
    """
    found: list[Message] = []
    if not field.visible:
        return {}
    if field.required:
        found += [messages.demand(field.type, posted=posted) for posted in (False, True)]
    if field.type not in _TICKED:
        found += _of_text(field)
    if field.options:
        found.append(messages.NOT_AN_OPTION)
    return {message.code: message for message in found}


def _of_text(field: FieldDefinition) -> list[Message]:
    found = [messages.too_long(field.limit)]
    if field.min_length:
        found.append(messages.too_short(field.min_length))
    if field.type == "tel":
        found.append(messages.PHONE if field.region else messages.PHONE_ABROAD)
    elif field.type in _OF_TYPE:
        found.append(_OF_TYPE[field.type])
    elif isinstance(field.to, PropertyTarget) and field.to.property in _OF_PROPERTY:
        found.append(_OF_PROPERTY[field.to.property])
    if field.min is not None:
        found.append(messages.too_small(field.min))
    if field.max is not None:
        found.append(messages.too_large(field.max))
    return found
