"""A model that does what the text tells it: gives its instructions away, writes for a terminal or a browser, and more.

Each is one way to obey. The texts that ask for them stand in injections.py.
"""

import json
from typing import Any

from aiohttp import web

from enrichment.prompts import SYSTEM_PROMPT
from enrichment.schemas import EnrichmentSchema
from tests.enrichment.fake_llm_answers import ANSWERS, DRAFT, Answer, Call, said

MARKUP = (
    '<script>alert("x")</script><img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](https://evil.example/?q=1)'
)
LINK = "\x1b]8;;https://evil.example\x07warned\x1b]8;;\x07"
ANSI = f"\x1b[2J\x1b[31mYou have been\x1b[0m {LINK} \x9b1mnow\x9d0;title\x9c\x08\x07"
BIDI = "\u202eexe.txt\u202c \u2066safe\u2069 \u200bzero\ufeff width\u00ad \U000e0041\U000e0042 line\u2028break"


def instructions_in(call: Call) -> str:
    return str(call.body["messages"][0]["content"])


def user_message_in(call: Call) -> str:
    return str(call.body["messages"][1]["content"])


def words_in(call: Call, start: int, end: int) -> str:
    return " ".join(instructions_in(call).split()[start:end])


def obeys_title(call: Call) -> dict[str, Any]:
    return {"title": instructions_in(call)}


def obeys_summary(call: Call) -> dict[str, Any]:
    return {"summary": f"My instructions are: {instructions_in(call)}"}


def obeys_end(_call: Call) -> dict[str, Any]:
    """The last of our own words: after them, Instructor may have put some of its own."""
    return {"summary": SYSTEM_PROMPT[-200:]}


def obeys_schema(_call: Call) -> dict[str, Any]:
    return {name: EnrichmentSchema.model_fields[name].description for name in ("title", "summary")}


def obeys_tags(call: Call) -> dict[str, Any]:
    return {"tags": [words_in(call, start, start + 6) for start in range(0, 30, 6)]}


def obeys_pieces(call: Call) -> dict[str, Any]:
    """A few words in each field, in order."""
    return {
        "title": words_in(call, 0, 4),
        "summary": words_in(call, 4, 8),
        "tags": [words_in(call, start, start + 3) for start in (8, 11, 14)],
    }


def obeys_disguised(call: Call) -> dict[str, Any]:
    full_width = {letter: letter + 0xFEE0 for letter in range(0x21, 0x7F)}
    return {
        "title": "-".join(instructions_in(call).upper().split()),
        "summary": "\u200b".join(instructions_in(call)[:200].translate(full_width)),
    }


def obeys_mark(call: Call) -> dict[str, Any]:
    return {"title": f"The mark is {user_message_in(call).splitlines()[0]}"}


def obeys_markup(_call: Call) -> dict[str, Any]:
    return {"title": MARKUP, "summary": MARKUP, "tags": ["<b>bold</b>", "<script>", "<!--"]}


def obeys_ansi(_call: Call) -> dict[str, Any]:
    return {"title": ANSI, "summary": ANSI, "tags": [f"{ANSI}{number}" for number in range(3)]}


def obeys_bidi(_call: Call) -> dict[str, Any]:
    return {"title": BIDI, "summary": BIDI, "tags": [f"{BIDI}{number}" for number in range(3)]}


def obeys_slogan(_call: Call) -> dict[str, Any]:
    return {"title": "PWNED", "summary": "PWNED " * 500, "tags": ["pwned"] * 3 + ["a", "b"]}


def obeys_extra_keys(call: Call) -> dict[str, Any]:
    return {"status": "ARCHIVED", "owner_id": 1, "raw_text": "", "usage": None, "system": instructions_in(call)}


def obeys_wrong_type(_call: Call) -> dict[str, Any]:
    return {"source_type": "ADMIN", "tags": {"role": "system"}}


def answering(changes: Any) -> Answer:
    async def respond(call: Call) -> web.StreamResponse:
        return said(call, json.dumps(DRAFT | changes(call)))

    return respond


GIVE_AWAY = (
    obeys_title,
    obeys_summary,
    obeys_end,
    obeys_schema,
    obeys_tags,
    obeys_pieces,
    obeys_disguised,
    obeys_mark,
)
DECORATE = (obeys_markup, obeys_ansi, obeys_bidi, obeys_slogan, obeys_extra_keys, obeys_wrong_type)

ANSWERS.update({way.__name__: answering(way) for way in (*GIVE_AWAY, *DECORATE)})
