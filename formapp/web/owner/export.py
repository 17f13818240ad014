"""Exports of the leads that a list shows, streamed."""

from collections.abc import Iterator

from flask import Response, request
from werkzeug.datastructures import Headers

from formapp.leads import audit
from formapp.leads.export import export_csv, export_jsonl
from formapp.leads.export_files import export_zip, has_files
from formapp.leads.places import list_sources
from formapp.leads.search import count_leads
from formapp.web.errors import RefusalError
from formapp.web.owner.inbox import (
    blueprint,
    form_definition,
    form_title,
    is_name,
    now,
    page,
    query_without,
    wanted_leads,
)
from formapp.web.owner.sign_in import current_user
from formapp.web.services import services

_NO_FORM = "There is no such form."
_ZIP = "application/zip"
_CSV, _JSONL = "text/csv; charset=utf-8", "application/jsonl; charset=utf-8"


@blueprint.get("/export")
def export() -> Response:
    """Offer the files: a spreadsheet of each form, and one file for programs."""
    database, wanted = services().database, wanted_leads()
    sources = {form for _, form in list_sources(database, wanted.sites)}
    forms = [form for form in sources if not wanted.forms or form in wanted.forms]
    return page(
        "export.html",
        count=count_leads(database, wanted),
        wanted=wanted,
        has_files=has_files(database, wanted),
        forms=sorted(forms, key=form_title),
        query=query_without("after"),
        query_without=query_without,
        here="inbox.leads",
    )


@blueprint.get("/export/<form>.csv")
def export_form(form: str) -> Response:
    """Write the chosen leads of one form as CSV; `?bom=yes` for Excel."""
    if not is_name(form):
        raise RefusalError(404, "NOT_FOUND", _NO_FORM)
    wanted = wanted_leads().of_form(form)
    bom = request.args.get("bom") == "yes"
    lines = export_csv(services().database, wanted, form_definition(form), bom=bom)
    return _file(lines, _CSV, f"{form}.csv")


@blueprint.get("/export/leads.jsonl")
def export_all() -> Response:
    return _file(export_jsonl(services().database, wanted_leads()), _JSONL, "leads.jsonl")


@blueprint.get("/export/files.zip")
def export_files() -> Response:
    app = services()
    return _file(export_zip(app.database, app.files.store, wanted_leads()), _ZIP, "files.zip")


def _file(pieces: Iterator[str] | Iterator[bytes], mimetype: str, name: str) -> Response:
    audit.record_export(services().database, current_user().name, now())
    headers = Headers({"Cache-Control": "private, no-store"})
    headers.add("Content-Disposition", "attachment", filename=name)
    return Response(pieces, content_type=mimetype, headers=headers)
