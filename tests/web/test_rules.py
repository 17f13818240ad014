"""The rules of embedding and foreign forms, and the tests that fail where one is broken.

Each rule was broken in the code in the ways that stand beside it, and each time a test named there
failed. Whoever moves or renames one of them corrects the table: it is checked.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent

# Rule: what was broken: the file and the names of the tests.
GUARDS: dict[str, dict[str, list[str]]] = {
    "1. No public route sets or reads a cookie": {
        "a cookie is set": ["web/test_every_route.py", "test_no_route_sets_a_cookie_or_reads_one"],
        "a cookie is read": ["web/test_every_route.py", "test_no_route_sets_a_cookie_or_reads_one"],
    },
    "2. Our own pages carry a token, for 24 hours, with a nonce": {
        "a token holds for a week": ["forms/test_token.py", "test_a_token_holds_for_exactly_a_day"],
        "a token of another form holds": [
            "forms/test_token.py",
            "test_a_token_of_another_form_is_invalid",
        ],
        "a token that doesn't hold is let pass": [
            "forms/test_token.py",
            "test_an_expired_token_is_replaced_and_the_input_kept",
            "web/test_source.py",
            "test_an_expired_token_says_that_it_expired",
        ],
        "the stale token is shown again": [
            "forms/test_token.py",
            "test_an_expired_token_is_replaced_and_the_input_kept",
        ],
        "a corrected post has another nonce": [
            "forms/test_token.py",
            "test_a_corrected_post_keeps_its_nonce",
        ],
        "the token doesn't tell page from embed": [
            "forms/test_token.py",
            "test_a_token_says_what_the_page_showed",
        ],
        "a quick post is not suspect": [
            "web/test_submitting.py",
            "test_a_token_sent_in_under_two_seconds_is_suspect_but_kept",
        ],
        "a quick post is refused": [
            "web/test_submitting.py",
            "test_a_token_sent_in_under_two_seconds_is_suspect_but_kept",
        ],
        "the nonce is not the key": [
            "web/test_idempotency.py",
            "test_the_same_post_again_gives_the_same_answer_and_no_second_row",
        ],
        "other answers with the same nonce count as the same": [
            "web/test_idempotency.py",
            "test_going_back_and_changing_an_answer_asks_before_a_second_submission",
        ],
    },
    "3. With a token from our page alone, without one from a listed origin": {
        "a token is enough": [
            "web/test_source.py",
            "test_a_post_is_taken_or_blocked_by_where_it_comes_from",
        ],
        "Sec-Fetch-Site is not read": [
            "web/test_source.py",
            "test_a_post_is_taken_or_blocked_by_where_it_comes_from",
        ],
        "a listed origin may go on otherwise": [
            "web/test_source.py",
            "test_an_origin_is_compared_exactly",
        ],
        "a stolen token is let pass": [
            "web/test_source.py",
            "test_a_stolen_token_is_no_use_on_a_listed_page",
        ],
        "`null` is let in": [
            "web/test_source.py",
            "test_a_post_is_taken_or_blocked_by_where_it_comes_from",
        ],
        "`null` is quarantined unasked": [
            "web/test_source.py",
            "test_a_post_is_taken_or_blocked_by_where_it_comes_from",
        ],
        "Idempotency-Key and _id are not read": [
            "web/test_idempotency.py",
            "test_foreign_forms_name_their_post_themselves",
        ],
    },
    "4. One list of origins": {
        "any page may read answers": ["web/test_headers.py", "test_any_other_page_may_not"],
        "with credentials": [
            "web/test_headers.py",
            "test_every_answer_to_a_listed_page_can_be_read",
        ],
        "no Vary": [
            "web/test_headers.py",
            "test_a_listed_page_may_post_with_the_headers_of_formsprees_clients",
        ],
        "any page may embed": [
            "web/test_every_route.py",
            "test_an_embedded_page_may_stand_on_the_pages_of_the_list_through_its_whole_life",
            "test_a_form_without_origins_is_embedded_nowhere",
        ],
    },
    "5. Framing and content security": {
        "X-Frame-Options on embeds": [
            "web/test_every_route.py",
            "test_an_embedded_page_may_stand_on_the_pages_of_the_list_through_its_whole_life",
        ],
        "all else may be framed": [
            "web/test_every_route.py",
            "test_a_page_that_is_no_embed_may_stand_in_no_frame",
        ],
        "inline scripts may run": [
            "web/test_every_route.py",
            "test_every_page_has_a_strict_policy_and_nothing_inline",
        ],
    },
    "6. Height messages": {
        "sent to anybody": [
            "look/test_embed_messages.py",
            "test_a_frame_tells_nobody_but_the_page_that_its_address_names",
        ],
        "the origin is not checked": [
            "look/test_embed_messages.py",
            "test_a_frame_that_shows_another_page_is_not_believed",
        ],
        "the source or the integer is not checked": [
            "look/test_embed_messages.py",
            "test_messages_of_others_and_impossible_heights_change_nothing",
        ],
        "a frame without a title": ["look/test_embed.py", "test_the_example_page_is_accessible"],
    },
    "7. `_next`": {
        "not compared with the list": [
            "web/test_next.py",
            "test_a_hostile_target_leads_to_our_own_page",
        ],
        "//, backslashes, user info or control characters let pass": [
            "web/test_next.py",
            "test_a_hostile_target_leads_to_our_own_page",
        ],
        "302 in place of 303": [
            "web/test_submitting.py",
            "test_a_kept_submission_leads_to_the_thank_you_page",
        ],
    },
    "8. Nothing tells whether a contact exists": {
        "looked up while answering, or told by the answer": [
            "web/test_oracle.py",
            "test_neither_the_bytes_nor_the_time_of_an_answer_tell_who_is_a_contact",
        ],
        "the web side knows Wix": ["test_architecture.py", "test_a_room_imports_only_what_it_may"],
    },
    "9. A filled honeypot answers like success and is kept as spam": {
        "refused, or answered otherwise": [
            "web/test_honeypot.py",
            "test_a_robot_gets_the_very_answer_of_a_person",
        ],
        "validated before": [
            "web/test_honeypot.py",
            "test_an_invalid_post_of_a_robot_is_answered_like_success_too",
        ],
        "not kept, or delivered": [
            "web/test_honeypot.py",
            "test_spam_is_kept_as_it_came_without_a_delivery",
        ],
        "listed": [
            "leads/test_report.py",
            "test_the_list_has_everything_but_honeypot_catches_oldest_first",
        ],
    },
    "10. Limits of a body": {
        "beyond 64 KiB": ["web/test_body.py", "test_one_byte_more_is_too_large"],
        "beyond 200 pairs": ["web/test_body.py", "test_one_pair_more_is_too_many"],
        "repeated names, surrogates": [
            "web/test_body_refused.py",
            "test_what_cannot_be_read_is_refused_clearly",
        ],
        "NUL": ["web/test_body.py", "test_nul_is_refused_in_names_and_values"],
        "not normalised": ["web/test_body.py", "test_text_is_nfc_normalised"],
    },
    "11. BASE_URL and trusted hosts": {
        "links by the request's host": [
            "web/test_hosts.py",
            "test_links_are_built_from_the_base_url",
        ],
        "a strange host is answered": ["web/test_hosts.py", "test_a_strange_host_is_refused"],
    },
    "12. CSV export disarms cells": {
        "any one of = + - @ tab CR is not": [
            "cli/test_leads_export.py",
            "test_no_cell_that_a_visitor_wrote_begins_like_a_formula",
        ],
    },
    "13. No answer in logs, metrics and error pages": {
        "logged, by us or with a defect; a metric's label": [
            "web/test_privacy.py",
            "test_no_log_line_and_no_metric_holds_an_answer",
        ],
        "repeated by an error page": [
            "web/test_privacy.py",
            "test_only_the_visitors_own_form_repeats_what_was_typed",
        ],
        "in the repr or the exception": [
            "web/test_privacy.py",
            "test_exceptions_and_reprs_hold_no_answer",
            "test_the_repr_of_what_was_posted_holds_no_answer",
            "test_an_unavailable_database_is_told_without_answers",
            "test_what_postgresql_quotes_of_a_row_is_not_told",
        ],
    },
    "14. Errors as JSON, for every status": {
        "400, 403, 404, 405, 413, 415, 422 or 500 as a page": [
            "web/test_every_route.py",
            "test_every_error_is_json_where_json_is_asked_for",
        ],
        "409 as a page": ["web/test_idempotency.py", "test_programs_hear_of_other_answers_as_json"],
        "429 as a page": ["web/test_rate_limit.py", "test_programs_hear_it_as_json"],
        "503 as a page": ["web/test_unavailable.py", "test_programs_hear_it_as_json"],
        "what the server refuses before the app": [
            "web/test_server.py",
            "test_what_the_server_refuses_itself_is_in_the_callers_format",
        ],
    },
}


@cache
def names_in(file: str) -> frozenset[str]:
    body = ast.parse((TESTS / file).read_text("utf-8")).body
    return frozenset(each.name for each in body if isinstance(each, ast.FunctionDef))


@pytest.mark.parametrize("rule", GUARDS)
def test_the_guards_of_every_rule_are_there(rule: str) -> None:
    for broken, guards in GUARDS[rule].items():
        file = guards[0]
        for name in guards:
            if name.endswith(".py"):
                file = name
            else:
                assert name in names_in(file), f"{broken}: {file}::{name}"


def test_no_rule_is_left_out() -> None:
    assert [rule.partition(".")[0] for rule in GUARDS] == [str(n) for n in range(1, 15)]
