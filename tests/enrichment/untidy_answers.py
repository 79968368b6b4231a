"""A model that describes the text but does not keep to the format."""

import json
from typing import Any

from aiohttp import web

from tests.enrichment.fake_llm_answers import ANSWERS, DRAFT, Answer, Call, completion, said

JSON = json.dumps(DRAFT)
FENCED = f"Here is the draft, as {{asked}}:\n\n```json\n{json.dumps(DRAFT, indent=2)}\n```\nI hope it helps!"
LOOSE = (
    '{"name": "Draft", "arguments": {"TITLE": "A walk\nalong the river", "Summary": "Somebody walks along a river '
    'and counts the herons.", "tags": ["river", "herons", "walking",], "sourceType": "Note.",},}'
)
THOUGHTS = f'I could say {{"title": "...", "summary": "...", "tags": []}}.\n</think>\n{JSON}'
CHANNELS = f"<|channel|>analysis<|message|>A walk.<|end|><|start|>assistant<|channel|>final<|message|>{JSON}"
PARTS = [
    {"type": "thinking", "thinking": "Hm."},
    {"type": "text", "text": JSON[:50]},
    {"type": "text", "text": JSON[50:]},
]


def saying(**message: Any) -> Answer:
    """Answer in the content or beside it, even where a call was asked for."""

    async def respond(call: Call) -> web.StreamResponse:
        return completion(call, {"content": None, **message})

    return respond


def drafting(finish_reason: str = "stop", end: str = "", **changes: object) -> Answer:
    async def respond(call: Call) -> web.StreamResponse:
        return said(call, json.dumps(DRAFT | changes) + end, finish_reason=finish_reason)

    return respond


async def calling(call: Call) -> web.StreamResponse:
    """Call a tool, even where none was offered."""
    function = {"name": "Draft", "arguments": JSON}
    return completion(
        call, {"content": "Done.", "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}
    )


ANSWERS.update(
    {
        "untidy_fence": saying(content=FENCED),
        "untidy_json": saying(content=LOOSE),
        "untidy_thoughts": saying(content=THOUGHTS),
        "untidy_channels": saying(content=CHANNELS),
        "untidy_parts": saying(content=PARTS),
        "untidy_object": saying(content=DRAFT),
        "untidy_reasoning": saying(reasoning_content=f"So it is {JSON}"),
        "untidy_string": saying(content=json.dumps(JSON)),
        "untidy_call": calling,
        "untidy_end": drafting(finish_reason="length", end="\n" * 100),
        "untidy_echo": saying(content="Here: " + json.dumps(DRAFT | {"title": "The text between the marks"})),
        "few_tags": drafting(tags='["river"]'),
        "no_tags": drafting(tags=None, source_type=None),
        "echoed_title": drafting(title="The text between the marks"),
        "echoed_tags": drafting(tags=["title: what the text is about", "a", "b"]),
    }
)
