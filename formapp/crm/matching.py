"""Which records of both sides are the same person, where all of both are at hand."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from formapp.crm.session import identities
from formapp.crm.system import Record

AMBIGUOUS = "several records may be the same person"
NAMES_ANOTHER = "it names a record as its twin that isn't there, or that is another's twin"


@dataclass(slots=True, repr=False)
class Matches:
    """Pairs of ids, and per side the records without a twin and those that are held, and why."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    only_wix: list[str] = field(default_factory=list)
    only_crm: list[str] = field(default_factory=list)
    held_wix: dict[str, str] = field(default_factory=dict)
    held_crm: dict[str, str] = field(default_factory=dict)


def match(wix: Mapping[str, Record], crm: Mapping[str, Record]) -> Matches:
    """Pair records by foreign key, then by e-mail, by phone only where one has no e-mail."""
    found = Matches()
    _match_keys(found, wix, crm)
    taken = {wix_id for wix_id, _ in found.pairs} | found.held_wix.keys()
    taken_crm = {crm_id for _, crm_id in found.pairs} | found.held_crm.keys()
    free = {each: record for each, record in wix.items() if each not in taken}
    free_crm = {each: record for each, record in crm.items() if each not in taken_crm}
    candidates = _candidates(free, free_crm)
    back: dict[str, set[str]] = defaultdict(set)
    for wix_id, theirs in candidates.items():
        for crm_id in theirs:
            back[crm_id].add(wix_id)
    for wix_id in free:
        theirs = candidates[wix_id]
        if not theirs:
            found.only_wix.append(wix_id)
        elif len(theirs) == 1 and len(back[next(iter(theirs))]) == 1:
            found.pairs.append((wix_id, next(iter(theirs))))
        else:
            found.held_wix[wix_id] = AMBIGUOUS
            found.held_crm |= dict.fromkeys(theirs, AMBIGUOUS)
    paired = {crm_id for _, crm_id in found.pairs}
    left = (each for each in free_crm if each not in paired and each not in found.held_crm)
    found.only_crm.extend(left)
    return found


def _match_keys(found: Matches, wix: Mapping[str, Record], crm: Mapping[str, Record]) -> None:
    edges = {(each, record.key) for each, record in wix.items() if record.key}
    edges |= {(record.key, each) for each, record in crm.items() if record.key}
    of_wix: dict[str, set[str]] = defaultdict(set)
    of_crm: dict[str, set[str]] = defaultdict(set)
    for wix_id, crm_id in edges:
        of_wix[wix_id].add(crm_id)
        of_crm[crm_id].add(wix_id)
    for wix_id, crm_id in sorted(edges):
        alone = len(of_wix[wix_id]) == len(of_crm[crm_id]) == 1
        if alone and wix_id in wix and crm_id in crm:
            found.pairs.append((wix_id, crm_id))
            continue
        if wix_id in wix:
            found.held_wix[wix_id] = NAMES_ANOTHER
        if crm_id in crm:
            found.held_crm[crm_id] = NAMES_ANOTHER


def _candidates(wix: Mapping[str, Record], crm: Mapping[str, Record]) -> Mapping[str, set[str]]:
    index: dict[str, set[str]] = defaultdict(set)
    for crm_id, record in crm.items():
        for each in identities(record):
            index[each].add(crm_id)
    found: dict[str, set[str]] = defaultdict(set)
    for wix_id, record in wix.items():
        for each in identities(record):
            for crm_id in index.get(each, ()):
                by_phone = "@" not in each
                if not by_phone or not record.emails or not crm[crm_id].emails:
                    found[wix_id].add(crm_id)
    return found
