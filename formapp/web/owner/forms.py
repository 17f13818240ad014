"""The forms of the inbox: where each is, how to put it on a website, and what was refused."""

from collections import defaultdict
from datetime import timedelta

from flask import Response

from formapp.forms.definition.model import ExtendedFieldTarget, FieldDefinition, PropertyTarget
from formapp.monitoring.refused_origins import KEEP, Refused, find_refused
from formapp.web.owner.inbox import blueprint, form_title, may_see_form, now, page
from formapp.web.owner.snippets import SNIPPETS, snippet
from formapp.web.services import services


@blueprint.get("/forms")
def forms() -> Response:
    """List the forms, with the origins that they refused."""
    app = services()
    names = [name for name in sorted(app.forms, key=form_title) if may_see_form(name)]
    refused: defaultdict[str, list[Refused]] = defaultdict(list)
    for each in find_refused(app.database, now().date() - KEEP + timedelta(days=1)):
        refused[each.form].append(each)
    return page(
        "forms.html",
        forms=[app.forms[name] for name in names],
        address=app.address,
        refused=refused,
    )


@blueprint.get("/forms/<name>")
def form(name: str) -> Response:
    """Show a form: where it is, what to paste, its fields and where their answers go."""
    app = services()
    found = app.form(name)
    if not may_see_form(name):
        found = app.form("")  # raises, as for a form that isn't there
    address = app.address
    texts = {key: (title, snippet(key, found, address)) for key, (title, _) in SNIPPETS.items()}
    return page(
        "form.html",
        form=found,
        address=f"{address}/f/{name}",
        snippets=texts,
        targets={field.name: _target(field) for field in found.definition.fields},
        here="inbox.forms",
    )


def _target(field: FieldDefinition) -> str:
    """Return where an answer goes at Wix, in words."""
    to = field.to
    if isinstance(to, PropertyTarget):
        return to.property.replace("_", " ") + (f" ({to.tag.lower()})" if to.tag else "")
    if isinstance(to, ExtendedFieldTarget):
        return f"extended field “{to.extended_field}”"
    return f"label “{to.label}”" if to else "stays here"
