"""The form files, by themselves and together: what they want of the site."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from formapp.app import DEFAULT_SITE, challenge_faults
from formapp.cli.doctor.findings import Finding, fault, ok
from formapp.config.settings import Settings
from formapp.forms.definition.model import ExtendedFieldTarget, LabelTarget
from formapp.forms.definition.parse import check_forms
from formapp.forms.form import Form
from formapp.forms.loader import load_forms


@dataclass
class Wishes:
    """What the forms put into contacts.

    Attributes:
        labels: display names.
        fields: display name of each extended field to its data types, and each of these to the
            forms that say so.
    """

    labels: set[str] = field(default_factory=set)
    fields: dict[str, dict[str, list[str]]] = field(default_factory=dict)


def check_form_files(settings: Settings) -> tuple[dict[str, Form], list[Finding]]:
    """The forms, none if one is wrong, and what was found."""
    faults = check_forms(settings.forms)
    if faults:
        advice = f"correct the file, then check by: formapp forms check {settings.forms}"
        return {}, [fault("forms", str(each), advice) for each in faults]
    forms = load_forms(settings.forms)
    findings = [*_strays(forms), *_contradictions(forms), *_challenges(settings, forms)]
    return forms, findings or [ok("forms", f"{', '.join(forms)} in {settings.forms}")]


def wishes_of(forms: Mapping[str, Form]) -> Wishes:
    """What all forms together want."""
    wishes = Wishes()
    for name, form in forms.items():
        wishes.labels.update(form.definition.labels)
        for each in form.definition.fields:
            wishes.labels.update(option.adds_label for option in each.options if option.adds_label)
            if isinstance(each.to, LabelTarget):
                wishes.labels.add(each.to.label)
            if isinstance(each.to, ExtendedFieldTarget):
                types = wishes.fields.setdefault(each.to.extended_field, {})
                types.setdefault(each.to.data_type, []).append(name)
    return wishes


def _strays(forms: Mapping[str, Form]) -> Iterator[Finding]:
    for name, form in forms.items():
        if form.definition.site not in {None, DEFAULT_SITE}:
            message = f"{name}.toml: site: {form.definition.site!r} is not known"
            yield fault("forms", message, f'write "{DEFAULT_SITE}" or leave it out')


def _challenges(settings: Settings, forms: Mapping[str, Form]) -> Iterator[Finding]:
    for line in challenge_faults(settings, forms):
        yield fault("forms", line, "set what the service gave you for this site, or change [spam]")


def _contradictions(forms: Mapping[str, Form]) -> Iterator[Finding]:
    for name, types in wishes_of(forms).fields.items():
        if len(types) > 1:
            said = ", ".join(f"{kind} in {' and '.join(of)}" for kind, of in types.items())
            message = f'the extended field "{name}" has several data types: {said}'
            yield fault("forms", message, "a field has one: correct data_type, or rename one")
