"""A short `python -m tests.proofs.fuzz`: both databases answer alike, and never by a defect.

Besides, what answers is what the description of the public routes (`fuzz/openapi.yaml`) says.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.proofs.fuzz.__main__ import table
from tests.proofs.fuzz.described import as_input, operations
from tests.proofs.fuzz.inputs import Input
from tests.proofs.fuzz.run import Result, run, sites
from tests.proofs.fuzz.verdicts import Verdict
from tests.support.postgres import PostgresServer
from tests.web.support import Site

if TYPE_CHECKING:
    from schemathesis.checks import CheckFunction

INPUTS = 2000
CHECKS: "list[CheckFunction]" = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.slow
def test_both_databases_answer_thousands_of_inputs_alike_and_none_by_a_defect(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    with sites(tmp_path, postgres) as running:
        result = run(running, INPUTS, 1)
        kept = {kind: len(one.site.rows()) for kind, one in running.items()}
    assert result.violations == []
    assert result.answers.total() >= INPUTS * 0.99
    met = {status for _, _, status in result.answers}
    assert {200, 204, 303, 400, 403, 404, 405, 413, 415, 422} <= met, table(result)
    assert kept["sqlite"] == kept["postgresql"] > INPUTS / 20


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        (Verdict(500), Verdict(500), "a defect"),
        (Verdict(200), Verdict(422), "not alike"),
        (Verdict(422, (("name", "X"),)), Verdict(422, (("name", "Y"),)), "not alike"),
        (Verdict(200, complaint="a cookie"), Verdict(200, complaint="a cookie"), "a cookie"),
    ],
)
def test_what_is_wrong_with_an_answer_is_a_violation(
    one: Verdict, other: Verdict, what: str
) -> None:
    result = Result()
    result.add("any", Input(), {"sqlite": one, "postgresql": other})
    assert [line.partition(":")[0] for line in result.violations] == [what]


@pytest.mark.slow
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data(), mode=st.sampled_from(list(GenerationMode)))
def test_every_route_answers_as_it_is_described(
    site: Site, data: st.DataObject, mode: GenerationMode
) -> None:
    operation = data.draw(st.sampled_from(operations(mode)))
    case = data.draw(operation.as_strategy(generation_mode=mode))
    given = as_input(case)
    environ = {"PATH_INFO": given.path, "QUERY_STRING": given.query, "REMOTE_ADDR": "127.0.0.1"}
    answer = site.open(
        given.method, "/", headers=given.headers, data=given.body, environ_overrides=environ
    )
    case.validate_response(answer, checks=CHECKS)  # raises what isn't as described
    assert answer.status_code < 500


def test_no_public_route_is_missing_in_the_description(site: Site) -> None:
    described = {
        (each.method.upper(), re.sub(r"{\w+}", "<>", each.path))
        for each in operations(GenerationMode.POSITIVE)
    }
    served = {
        (method, re.sub(r"<[\w:]+>", "<>", rule.rule))
        for rule in site.app.url_map.iter_rules()
        # Its own tests walk the inbox: all of it needs a sign-in.
        if not rule.rule.startswith("/inbox")
        for method in (rule.methods or set()) & {"GET", "POST"}
    }
    assert served <= described
