"""Texts that set the provider's behaviour, which the soak's model reads, too."""

import re
from enum import Enum

UNTIL = re.compile(r"until (\d+\.\d+)")


class Kind(Enum):
    PLAIN = "plain"
    MANUAL = "manual"  # captured with enrich=false
    OUTAGE = "outage"  # unreachable until a time: retried by itself
    MENDED = "mended"  # refused until a time: the owner has to retry
    REFUSED = "refused"  # always refused


def compose(kind: Kind, number: str, *, until: float = 0) -> str:
    """Return a unique text for this number."""
    match kind:
        case Kind.OUTAGE:
            nature = f"Nobody answers until {until:.3f}."
        case Kind.MENDED:
            nature = f"The key is refused until {until:.3f}."
        case Kind.REFUSED:
            nature = "It is refused, and will be."
        case _:
            nature = "The beans want water in the evening, and the net against pigeons."
    return f"Text number {number} stands alone.\n\n{nature}"


def kind_of(text: str) -> Kind:
    if "Nobody answers" in text:
        return Kind.OUTAGE
    if "key is refused" in text:
        return Kind.MENDED
    return Kind.REFUSED if "It is refused" in text else Kind.PLAIN


def until_of(text: str) -> float:
    """Return the time in the text, in seconds since 1970, or 0 if it has none."""
    found = UNTIL.search(text)
    return float(found[1]) if found else 0.0
