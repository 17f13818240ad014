"""Keys of labels and extended fields: asked for once, then remembered in the database.

A key is never derived from a name (contract sections 9.3 and 10.3). When Wix says that one is gone,
`renew` asks again.
"""

from formapp.delivery.client import RateLimitedClient
from formapp.delivery.contact_cache import ContactCache
from formapp.delivery.contact_info import Keys
from formapp.lead import ExtendedField, Lead


class WrongDataTypeError(Exception):
    """An extended field exists at Wix with another data type than the form file says."""

    def __init__(self, name: str, wanted: str, held: str | None) -> None:
        super().__init__(
            f'the extended field "{name}" has the data type {held} at Wix, the form says {wanted}: '
            "correct data_type in the form file, or use another field, then retry",
        )


class KeyBook:
    """The keys of all sites of one database.

    Attributes:
        made: how many labels and fields were created at Wix, since nobody had made them yet.
    """

    def __init__(self, memory: ContactCache) -> None:
        self._memory = memory
        self.made = 0

    def keys_for(self, gate: RateLimitedClient, lead: Lead) -> Keys:
        """The keys of the lead's labels and extended fields, found or created where unknown.

        Raises:
            WixError: a call did not succeed.
            WrongDataTypeError: a field can't take what the form sends.
        """
        return Keys(labels=self._labels(gate, lead), fields=self._fields(gate, lead))

    def renew(self, gate: RateLimitedClient, lead: Lead) -> Keys:
        """Forget the lead's keys and find them anew.

        Raises:
            WixError: a call did not succeed.
            WrongDataTypeError: a field can't take what the form sends.
        """
        names = {*lead.labels, *(each.name for each in lead.extended_fields)}
        self._memory.forget_keys(gate.site, names)
        return self.keys_for(gate, lead)

    def _labels(self, gate: RateLimitedClient, lead: Lead) -> dict[str, str]:
        if not lead.labels:
            return {}
        known = self._memory.keys(gate.site, "label")
        return {
            name: known[name][0] if name in known else self._find_label(gate, name)
            for name in lead.labels
        }

    def _find_label(self, gate: RateLimitedClient, name: str) -> str:
        label, is_new = gate.wix.labels.find_or_create(name)
        self.made += is_new
        self._memory.remember_key(gate.site, "label", name, label.key)
        return label.key

    def _fields(self, gate: RateLimitedClient, lead: Lead) -> dict[str, str]:
        if not lead.extended_fields:
            return {}
        known = self._memory.keys(gate.site, "field")
        keys = {}
        for wanted in lead.extended_fields:
            key, data_type = known.get(wanted.name, ("", None))
            # One of another type may have been made anew since: then Wix is asked again.
            if data_type != wanted.data_type:
                key = self._find_field(gate, wanted)
            keys[wanted.name] = key
        return keys

    def _find_field(self, gate: RateLimitedClient, wanted: ExtendedField) -> str:
        found, is_new = gate.wix.extended_fields.find_or_create(wanted.name, wanted.data_type)
        self.made += is_new
        # An answer without a type says nothing against the one asked for.
        data_type = found.data_type or wanted.data_type
        self._memory.remember_key(gate.site, "field", wanted.name, found.key, data_type)
        if data_type != wanted.data_type:
            raise WrongDataTypeError(wanted.name, wanted.data_type, data_type)
        return found.key
