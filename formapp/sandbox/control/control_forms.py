"""Reads the plain HTML forms of the page for people: all their values are text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formapp.sandbox.options import SETTING_NAMES, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
PERCENT = 100
FLAGS = ("applied", "empty_body")
NUMBERS = ("status", "seconds", "times", "retry_after")


def is_form(request: Request) -> bool:
    """Tell whether the request was posted by an HTML form."""
    return request.mimetype in FORM_TYPES


def fault_from_form(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the fault that a form describes; blank controls are left out."""
    sent: dict[str, Any] = {
        name: value for name, value in form.items() if value and name not in FLAGS
    }
    for name in NUMBERS:
        if name in sent:
            sent[name] = _number(sent[name])
    if "percent" in sent:
        percent = _number(sent.pop("percent"))
        sent["probability"] = percent / PERCENT if isinstance(percent, (int, float)) else percent
    sent.update({name: True for name in FLAGS if name in form})
    return sent


def settings_from_form(form: Mapping[str, str]) -> dict[str, Any]:
    """Return all settings of the form; a box that is not ticked is not sent by a browser."""
    sent: dict[str, Any] = {}
    for name in SETTING_NAMES:
        first = getattr(Settings, name)
        if isinstance(first, bool):
            sent[name] = name in form
        elif name in form:
            sent[name] = form[name] if isinstance(first, str) else _number(form[name])
    return sent


def _number(text: str) -> int | float | str:
    """Return the number in `text`; text that is none is left for the check to refuse."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
