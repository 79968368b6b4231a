"""A key and a text that may appear in no form outside the request to the model."""

import base64
import html
import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

KEY = "sk-9d41canary7be2f60a83c5d917e4b26fa0"
TEXT = 'a71f4c0be95d Zoë said "100% of <it> & more": 日記 c3e8d20f76ab'

VISIBLE_AT_EACH_END = 12


def forms(canary: str) -> Iterator[str]:
    """Return the canary, the parts that masks leave visible, and its encodings."""
    yield canary
    yield canary[:VISIBLE_AT_EACH_END]
    yield canary[-VISIBLE_AT_EACH_END:]
    yield quote(canary)
    yield quote_plus(canary)
    yield json.dumps(canary)[1:-1]
    yield json.dumps(canary, ensure_ascii=False)[1:-1]
    yield html.escape(canary)
    yield repr(canary)[1:-1]
    yield repr(canary.encode())[2:-1]
    yield canary.encode().hex()
    for offset in range(3):  # base64 looks different depending on where in the groups of three it begins
        yield base64.b64encode(canary.encode()[offset:]).decode().rstrip("=")[:-1]


FORMS = {name: {form.casefold() for form in forms(canary)} for name, canary in {"key": KEY, "text": TEXT}.items()}


def leaks(places: Mapping[str, str]) -> list[str]:
    """Return where a canary is found, and which, such as "items.title: text"."""
    return [
        f"{place}: {name}"
        for place, content in places.items()
        for name, shapes in FORMS.items()
        if any(shape in content.casefold() for shape in shapes)
    ]
