"""Phone numbers in the forms in which Wix may hold them (contract section 11.3)."""

import phonenumbers

from formapp.wix.models import Contact


def _parsed(number: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
    # "Possible" looks at the length alone: number plans change, and a number that Wix would not
    # call valid still has to be found.
    return parsed if phonenumbers.is_possible_number(parsed) else None


def e164(number: str, country: str | None) -> str | None:
    """The E.164 form; None without a country (alpha-2 or a leading +) or for no number."""
    parsed = _parsed(number, country.upper() if country else None)
    if parsed is None:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def forms(number: str, country: str | None) -> tuple[str, ...]:
    """The raw number, E.164 and the digits as dialled inside the country; each once.

    Empty for what has no digit: every such text would equal every other.
    """
    raw = number.strip()
    if not digits(raw):
        return ()
    parsed = _parsed(raw, country.upper() if country else None)
    if parsed is None:
        return (raw,)
    whole = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return tuple(dict.fromkeys([raw, whole, digits(national)]))


def digits(number: str) -> str:
    """The digits alone, in ASCII."""
    return phonenumbers.normalize_digits_only(number)


def stored_e164(contact: Contact) -> str | None:
    """E.164 of the primary phone: as Wix computed it, else from the item's country."""
    for item in contact.info.phones:
        if item.number == contact.primary_phone:
            return item.e164 or e164(item.number, item.country)
    return e164(contact.primary_phone, None) if contact.primary_phone else None


def same_phone(contact: Contact, number: str, country: str | None) -> bool:
    """Same E.164 where both have one; else the same digits as one of the forms asked for."""
    if not contact.primary_phone:
        return False
    ours, theirs = e164(number, country), stored_e164(contact)
    if ours and theirs:
        return ours == theirs
    return digits(contact.primary_phone) in {digits(form) for form in forms(number, country)}
