"""Requests made by schemathesis from the description of the public routes (`openapi.yaml`)."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode

from tests.proofs.fuzz.inputs import Input, Strategy

DESCRIPTION = Path(__file__).parent / "openapi.yaml"
_OWN = {"user-agent", "connection", "x-schemathesis-testcaseid"}


def strategy(mode: GenerationMode) -> Strategy:
    """Requests that fit the description, or (negative) ones that don't; posts are half of them."""
    every = [
        (operation.method, operation.as_strategy(generation_mode=mode))
        for operation in operations(mode)
    ]
    posts = st.one_of([cases for method, cases in every if method == "post"])
    others = st.one_of([cases for method, cases in every if method != "post"])
    return (posts | others).map(as_input)


def operations(mode: GenerationMode) -> list[APIOperation[Any, Any, Any, Any]]:
    """The described operations that can be given what fits, or (negative) what doesn't."""
    schema: Any = schemathesis.openapi.from_path(DESCRIPTION)
    every = [result.ok() for result in schema.get_all_operations()]
    if mode is GenerationMode.POSITIVE:
        return every
    # What takes nothing can be given nothing wrong.
    return [each for each in every if any([*each.path_parameters, *each.query, *each.headers])]


def as_input(case: Case[Any]) -> Input:
    """The very request that schemathesis would send."""
    sent = case.as_transport_kwargs(base_url="http://localhost")
    prepared = requests.Request(
        **{name: value for name, value in sent.items() if name != "cookies"}
    ).prepare()
    parts = urlsplit(str(prepared.url))
    body = prepared.body or b""
    headers = {
        name: _text(value)
        for name, value in prepared.headers.items()
        if name.lower() not in _OWN | {"content-length"}
    }
    return Input(
        method=str(prepared.method),
        path=unquote_to_bytes(parts.path).decode("latin-1"),
        query=parts.query,
        headers=headers,
        body=body.encode() if isinstance(body, str) else bytes(body),
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
