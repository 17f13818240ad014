"""How a message reads: alone, as a sentence, and after the label of what it is about."""

from flask import Flask
from flask_babel import gettext
from markupsafe import Markup

from formapp.web.i18n import ours

_ENDS = tuple(".!?。！？؟…")  # noqa: RUF001 - the stops of other scripts
_STOPS = (*_ENDS, *":：")  # noqa: RUF001 - the same


def init_app(app: Flask) -> None:
    """Give templates what is here."""
    app.jinja_env.globals |= {"sentence": sentence, "about": about}


def sentence(message: str) -> str:
    """A message alone: with a capital, and a stop unless it has one."""
    text = message[:1].upper() + message[1:]
    return text if text.endswith(_ENDS) else str(gettext("%(sentence)s.", sentence=text))


def about(label: str, message: str, *, quoted: bool = False) -> Markup:
    """A message after the label that it is about.

    What a visitor agrees to, or a label that is a sentence of its own, is quoted.
    """
    if quoted or label.endswith(_STOPS):
        pattern = gettext("“%(label)s” %(message)s")
    else:
        pattern = gettext("%(label)s %(message)s")
    return Markup(pattern) % {"label": label, "message": ours(message)}  # noqa: S704 - our catalogue
