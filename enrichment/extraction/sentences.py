"""Where sentences end, in scripts with and without spaces."""

import re
from collections.abc import Iterator

END = re.compile(
    r"[.!?…]+[)\]\"'”’»]*(?=\s|$)"  # noqa: RUF001  # quotation marks of all kinds
    r"|[。！？｡]+[」』”）]*"  # noqa: RUF001  # full-width punctuation
    r"|[।॥؟۔;\u037e](?=\s|$)"  # noqa: RUF001  # the Arabic full stop
)
ABBREVIATIONS = "Dr|Mr|Mrs|Ms|St|Nr|No|vs|cf|etc|bzw|usw|ca|vgl|Hr|Fr|Sr|Sra|ул|им|т\\.е|т\\.д"  # noqa: RUF001  # Russian ones
ABBREVIATION = re.compile(rf"\b(?:[^\W\d_]|{ABBREVIATIONS}|\d{{1,3}})\.$")
GREEK = re.compile(r"[\u0370-\u03ff]")
PHRASE_LENGTH = 160
SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
SPACELESS_PHRASE_LENGTH = 80


def sentences(text: str) -> Iterator[str]:
    """The sentences of one paragraph."""
    start = 0
    for end in END.finditer(text):
        if is_end(text, end):
            yield text[start : end.end()].strip()
            start = end.end()
    if rest := text[start:].strip():
        yield from phrases(rest) if start == 0 else (rest,)


def is_end(text: str, end: re.Match[str]) -> bool:
    if end[0] in {";", "\u037e"}:
        return GREEK.match(text, max(0, end.start() - 1)) is not None
    following = text[end.end() : end.end() + 2].strip()
    if end[0] == ".":
        before = text[max(0, end.start() - 6) : end.end()]
        return not (following[:1].islower() or (following and ABBREVIATION.search(before)))
    return not following[:1].islower()


def phrases(text: str) -> Iterator[str]:
    """A paragraph without any full stop, such as Thai, in pieces that end at a space."""
    length = SPACELESS_PHRASE_LENGTH if SPACELESS.match(text) else PHRASE_LENGTH
    while len(text) > length and (cut := text.rfind(" ", 0, length)) > 0:
        yield text[:cut]
        text = text[cut:].lstrip()
    yield text
