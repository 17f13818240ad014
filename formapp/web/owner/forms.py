"""The forms of the inbox: how each looks, where it was sent from, and what Wix has for it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import Response

from formapp.forms.definition.model import ExtendedFieldTarget, FieldDefinition, PropertyTarget
from formapp.forms.definition.targets import targets_of
from formapp.forms.form import Form
from formapp.leads.origins import SAMPLE, find_sources
from formapp.leads.wix_definitions import SiteDefinitions, refresh_definitions
from formapp.monitoring.refused_origins import KEEP, Refused, find_refused
from formapp.web.i18n import set_language
from formapp.web.owner.inbox import (
    blueprint,
    form_title,
    inbox_settings,
    may_see_form,
    now,
    page,
)
from formapp.web.owner.preview import show_preview
from formapp.web.owner.sign_in import current_user
from formapp.web.owner.snippets import all_snippets, height
from formapp.web.services import services

REFRESH_SECONDS = 5
_USES = {
    "page": "formapp's own page",
    "embed": "in a frame on",
    "foreign": "a form of",
}
"""How a lead came, in front of the page's address."""


@dataclass(frozen=True, slots=True)
class Needed:
    """A label or an extended field that a form fills; `state` is in words, `is_fault` a problem."""

    kind: str
    name: str
    state: str
    is_fault: bool = False


@blueprint.get("/forms")
def forms() -> Response:
    """List the forms, with the faults of their files and the origins that they refused."""
    app = services()
    names = [name for name in sorted(app.forms, key=form_title) if may_see_form(name)]
    refused: defaultdict[str, list[Refused]] = defaultdict(list)
    for each in find_refused(app.database, now().date() - KEEP + timedelta(days=1)):
        refused[each.form].append(each)
    faults = inbox_settings().check_forms() if current_user().sites is None else ()
    return page(
        "forms.html",
        forms=[app.forms[name] for name in names],
        address=app.address,
        refused=refused,
        faults=faults,
    )


@blueprint.get("/forms/<name>")
def form(name: str) -> Response:
    """Show a form: how it looks, what to paste, its fields and where their answers go."""
    app, found = services(), _form(name)
    address, site = app.address, found.definition.site or app.default_site
    known = refresh_definitions(app.database, site, now())
    if known.waits_since and (wake := app.on_kept):
        wake()
    faults = [line for line in inbox_settings().check_forms() if line.startswith(f"{name}.toml")]
    return page(
        "form.html",
        connects=True,
        frames=True,
        form=found,
        address=f"{address}/f/{name}",
        height=height(found),
        snippets=all_snippets(found, address),
        targets={field.name: _target(field) for field in found.definition.fields},
        faults=faults,
        site=site,
        known=known,
        needed=list(_needed(found, known)),
        sources=find_sources(app.database, name, current_user().sites),
        sample=SAMPLE,
        uses=_USES,
        seconds=REFRESH_SECONDS if known.waits_since else None,
        here="inbox.forms",
    )


@blueprint.get("/forms/<name>/preview")
def preview(name: str) -> Response:
    found = _form(name)
    set_language(found.language)
    return show_preview(found)


def _form(name: str) -> Form:
    """Return a form that the user may see, or raise RefusalError: 404."""
    # As for a form that isn't there.
    return services().form(name if may_see_form(name) else "")


def _needed(form: Form, known: SiteDefinitions) -> Iterator[Needed]:
    """Yield what the form fills at Wix, and whether it exists there."""
    targets = targets_of({form.name: form.definition})
    for name in sorted(targets.labels):
        yield Needed("Label", name, _state(name, known.labels))
    for name, types in sorted(targets.fields.items()):
        wanted, held = next(iter(types)), (known.fields or {}).get(name)
        if held and held not in types:
            yield Needed(
                "Field", name, f"is {held} at Wix, {wanted} here: correct it", is_fault=True
            )
        else:
            yield Needed("Field", name, _state(name, known.fields))


def _state(name: str, there: "Sequence[str] | dict[str, str | None] | None") -> str:
    if there is None:
        return "not known yet"
    return "exists" if name in there else "is created with the first lead"


def _target(field: FieldDefinition) -> str:
    """Return where an answer goes at Wix, in words."""
    to = field.to
    if isinstance(to, PropertyTarget):
        return to.property.replace("_", " ") + (f" ({to.tag.lower()})" if to.tag else "")
    if isinstance(to, ExtendedFieldTarget):
        return f"extended field “{to.extended_field}”"
    return f"label “{to.label}”" if to else "stays here"
