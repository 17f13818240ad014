"""What forms need to exist at Wix: labels and extended fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from formapp.forms.definition.model import ExtendedFieldTarget, FormDefinition, LabelTarget


@dataclass
class Targets:
    """The labels and extended fields that the forms fill; of each field, type to forms."""

    labels: set[str] = field(default_factory=set)
    fields: dict[str, dict[str, list[str]]] = field(default_factory=dict)


def targets_of(forms: Mapping[str, FormDefinition]) -> Targets:
    targets = Targets()
    for name, form in forms.items():
        targets.labels.update(form.labels)
        for each in form.fields:
            targets.labels.update(o.adds_label for o in each.options if o.adds_label)
            if isinstance(each.to, LabelTarget):
                targets.labels.add(each.to.label)
            if isinstance(each.to, ExtendedFieldTarget):
                types = targets.fields.setdefault(each.to.extended_field, {})
                types.setdefault(each.to.data_type, []).append(name)
    return targets
