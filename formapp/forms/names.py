"""Splitting a full name into first and last name."""

# Written in lower case before the last name they belong to it: Ludwig van Beethoven.
_PARTICLES = frozenset(
    (  # noqa: SIM905 - a list would take a line for each
        "al ap ben bin da das de del della den der di do dos du el ibn la las le lo los st te ten "
        "ter to van vom von zu zum zur"
    ).split(" ")
)


def split_full_name(text: str) -> tuple[str, str]:
    """Return first and last name, such that both joined by a blank give back the text.

    The last word is the last name, with the lower-case particles before it; a single word is the
    first name, and the last name is then empty. Only the blank (U+0020) parts words, and runs of
    blanks are kept, so that nothing that was typed is lost.
    """
    words = text.split(" ")
    start = len(words) - 1
    while start > 1 and words[start - 1] in _PARTICLES:
        start -= 1
    first, last = " ".join(words[:start]), " ".join(words[start:])
    return (first, last) if start > 0 else (text, "")
