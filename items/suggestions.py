"""Suggestions for misspelled names: of users, settings, statuses, error codes and commands."""

from collections.abc import Iterable
from difflib import get_close_matches

SUGGESTED = 3
SIMILARITY = 0.6


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return " Did you mean …?" with the most similar names, in any case, or "" if none is similar."""
    spellings = {each.casefold(): each for each in names}
    close = get_close_matches(name.casefold(), spellings, n=SUGGESTED, cutoff=SIMILARITY)
    return f" Did you mean {' or '.join(spellings[each] for each in close)}?" if close else ""
