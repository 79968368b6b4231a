"""Texts that say what the provider will do with them, so that both it and the model of the soak know."""

import re
from enum import Enum

UNTIL = re.compile(r"until (\d+\.\d+)")


class Kind(Enum):
    PLAIN = "plain"
    MANUAL = "manual"  # captured with enrich=false
    OUTAGE = "outage"  # unreachable until a moment: tried again by itself
    MENDED = "mended"  # refused until a moment: the owner has to retry it
    REFUSED = "refused"  # refused for ever


def compose(kind: Kind, number: str, *, until: float = 0) -> str:
    """A text like no other, by its number."""
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
    """The moment that it names, in seconds since 1970. 0 when it names none."""
    found = UNTIL.search(text)
    return float(found[1]) if found else 0.0
