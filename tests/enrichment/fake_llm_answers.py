"""How the fake LLM server may answer, well and badly, by name.

Bad bodies echo the key and the whole prompt, as real providers do, so that every test of a failure is also
a test that nothing leaks.
"""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

DRAFT = {
    "title": "A walk along the river",
    "summary": "Somebody walks along a river and counts the herons.",
    "tags": ["river", "herons", "walking"],
    "source_type": "NOTE",
}
PROMPT_TOKENS = 1000
COMPLETION_TOKENS = 100
HUGE_ANSWER_BYTES = 20_000_000
HUGE_ERROR_BYTES = 1_000_000

Answer = Callable[["Call"], Awaitable[web.StreamResponse]]
ANSWERS: dict[str, Answer] = {}


@dataclass
class Call:
    """One request as it came in, with the words that a bad answer echoes."""

    request: web.Request
    body: dict[str, Any]
    closing: asyncio.Event
    began_at: float = field(default_factory=time.monotonic)

    @property
    def key(self) -> str:
        return self.request.headers.get("Authorization", "").removeprefix("Bearer ")

    @property
    def model(self) -> str:
        return str(self.body.get("model"))

    @property
    def echo(self) -> str:
        return f"key {self.key}, request {json.dumps(self.body, ensure_ascii=False)}"

    @property
    def wants_tool(self) -> bool:
        return bool(self.body.get("tools"))

    @property
    def last_message(self) -> str:
        return str(self.body["messages"][-1]["content"])


def answer(function: Answer) -> Answer:
    ANSWERS[function.__name__] = function
    return function


def completion(call: Call, message: dict[str, Any], *, finish_reason: str = "stop", **extra: object) -> web.Response:
    body = {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1,
        "model": call.model,
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", **message}}],
        "usage": {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": COMPLETION_TOKENS,
            "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
        },
    }
    return web.json_response(body | extra)


def said(call: Call, arguments: str, **extra: Any) -> web.Response:
    """The arguments as a tool call where a tool was offered, as plain content where it was not."""
    if not call.wants_tool:
        return completion(call, {"content": arguments}, **extra)
    function = {"name": call.body["tools"][0]["function"]["name"], "arguments": arguments}
    message = {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}
    return completion(call, message, **extra)


def refusal_body(call: Call, *, kind: str, code: str | None = None, message: str = "") -> dict[str, Any]:
    # A message in JSON stays JSON: litellm reads those of a 422.
    text = message if message.startswith("{") else f"{message} {call.echo}"
    return {"error": {"message": text, "type": kind, "param": None, "code": code}}


def status(number: int, *, headers: dict[str, str] | None = None, **error: Any) -> Answer:
    async def respond(call: Call) -> web.StreamResponse:
        return web.json_response(
            refusal_body(call, **{"kind": "server_error", **error}), status=number, headers=headers
        )

    return respond


for number in (400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429, 500, 502, 503, 504, 529):
    ANSWERS[f"status_{number}"] = status(number)
ANSWERS["retry_after_1"] = status(429, kind="rate_limit", headers={"Retry-After": "1"})
ANSWERS["retry_after_3600"] = status(429, kind="rate_limit", headers={"Retry-After": "3600"})
ANSWERS["retry_after_nonsense"] = status(429, kind="rate_limit", headers={"Retry-After": "soon"})
ANSWERS["quota_exhausted"] = status(429, kind="insufficient_quota", code="insufficient_quota")
ANSWERS["billing_limit"] = status(400, kind="invalid_request_error", code="billing_hard_limit_reached")
ANSWERS["model_not_found"] = status(400, kind="invalid_request_error", code="model_not_found")
ANSWERS["tool_use_failed"] = status(400, kind="invalid_request_error", code="tool_use_failed")
ANSWERS["context_too_long"] = status(
    400,
    kind="invalid_request_error",
    code="context_length_exceeded",
    message="This model's maximum context length is 8192 tokens.",
)
ANSWERS["content_filter"] = status(
    400, kind="invalid_request_error", code="content_policy_violation", message="Rejected by our safety system."
)
ANSWERS["unprocessable_parameter"] = status(
    422, kind="invalid_request_error", message='{"detail": [{"loc": ["body", "temperature"]}]}'
)
ANSWERS["misleading_400"] = status(
    400, kind="bad_request", message="Rate limit? Request too large? A timeout occurred? 429? No: it is a 400."
)


@answer
async def ok(call: Call) -> web.StreamResponse:
    return said(call, json.dumps(DRAFT))


@answer
async def slow(call: Call) -> web.StreamResponse:
    await asyncio.sleep(0.2)
    return await ok(call)


@answer
async def hang(call: Call) -> web.StreamResponse:
    await call.closing.wait()
    return web.Response(status=503)


@answer
async def stall(call: Call) -> web.StreamResponse:
    """The beginning of an answer, and then nothing."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(call.request)
    await response.write(b'{"id": ')
    await call.closing.wait()
    return response


@answer
async def drip(call: Call) -> web.StreamResponse:
    """White space, byte by byte and for ever: no timeout of a single read ever fires."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(call.request)
    with suppress(ConnectionResetError):
        while not call.closing.is_set():
            await response.write(b" ")
            await asyncio.sleep(0.02)
    return response


@answer
async def reset(call: Call) -> web.StreamResponse:
    transport = call.request.transport
    assert transport is not None
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    return web.Response()


@answer
async def early_eof(call: Call) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "5000"})
    await response.prepare(call.request)
    await response.write(b'{"id": "chatcmpl-fake", "choices": [')
    assert call.request.transport is not None
    call.request.transport.close()
    return response


@answer
async def html(call: Call) -> web.StreamResponse:
    return web.Response(text=f"<html><body>Please log in. {call.echo}</body></html>", content_type="text/html")


@answer
async def invalid_json(call: Call) -> web.StreamResponse:
    return web.Response(text=f'{{"choices": [{call.echo}', content_type="application/json")


@answer
async def broken_arguments(call: Call) -> web.StreamResponse:
    return said(call, '{"title": "' + call.last_message.replace('"', ""))


@answer
async def wrong_schema(call: Call) -> web.StreamResponse:
    draft = {"title": [call.key], "summary": None, "tags": call.last_message[:500], "source_type": call.key}
    return said(call, json.dumps(draft))


@answer
async def refusal(call: Call) -> web.StreamResponse:
    return completion(call, {"content": None, "refusal": f"I will not. {call.echo}"})


@answer
async def filtered(call: Call) -> web.StreamResponse:
    return completion(call, {"content": f"I was about to say {call.last_message}"}, finish_reason="content_filter")


@answer
async def truncated(call: Call) -> web.StreamResponse:
    return said(call, json.dumps(DRAFT)[:60], finish_reason="length")


@answer
async def plain_text(call: Call) -> web.StreamResponse:
    return completion(call, {"content": f"Here you are: {call.last_message}"})


@answer
async def fenced(call: Call) -> web.StreamResponse:
    return completion(call, {"content": f"```json\n{json.dumps(DRAFT)}\n```"})


@answer
async def no_choices(call: Call) -> web.StreamResponse:
    return completion(call, {}, choices=[])


@answer
async def null_content(call: Call) -> web.StreamResponse:
    return completion(call, {"content": None})


@answer
async def extra_fields(call: Call) -> web.StreamResponse:
    return said(call, json.dumps(DRAFT | {"confidence": 0.9, "echo": call.echo}), system_fingerprint="x", surprise=[1])


@answer
async def untidy(call: Call) -> web.StreamResponse:
    """What small models send: too long, NUL and escape characters, one string for a list, the wrong case."""
    draft = {
        "title": "A\u0000 title \u001b[31m" + "word " * 60,
        "summary": "\u202eS" * 2000,
        "tags": "Rivers, HERONS , rivers, #walking, a, b, c, d",
        "source_type": " note ",
    }
    return said(call, json.dumps(draft))


@answer
async def huge(call: Call) -> web.StreamResponse:
    return said(call, json.dumps(DRAFT | {"summary": call.last_message + "x" * HUGE_ANSWER_BYTES}))


@answer
async def huge_and_wrong(call: Call) -> web.StreamResponse:
    return said(call, json.dumps({"title": call.last_message + "x" * HUGE_ANSWER_BYTES}))


@answer
async def huge_error(call: Call) -> web.StreamResponse:
    body = refusal_body(call, kind="server_error", message="x" * HUGE_ERROR_BYTES)
    return web.json_response(body, status=500)


@answer
async def no_usage(call: Call) -> web.StreamResponse:
    return said(call, json.dumps(DRAFT), usage=None)


@answer
async def absurd_usage(call: Call) -> web.StreamResponse:
    usage = {"prompt_tokens": 10**30, "completion_tokens": -5, "total_tokens": 0}
    return said(call, json.dumps(DRAFT), usage=usage, model=call.echo)


@answer
async def list_content(call: Call) -> web.StreamResponse:
    return completion(call, {"content": [{"type": "image", "source": call.echo}]})


@answer
async def no_message(call: Call) -> web.StreamResponse:
    return completion(call, {}, choices=[{"index": 0, "finish_reason": "stop"}])


@answer
async def error_with_200(call: Call) -> web.StreamResponse:
    """What OpenRouter sends when the provider behind it fails."""
    return web.json_response({"error": {"message": call.echo, "code": 502}})


@answer
async def moderated(call: Call) -> web.StreamResponse:
    """What OpenRouter sends about a text that a moderation flags."""
    metadata = {"reasons": ["hate"], "flagged_input": call.last_message}
    return web.json_response({"error": {"message": call.echo, "code": 403, "metadata": metadata}}, status=403)


@answer
async def forbids_temperature(call: Call) -> web.StreamResponse:
    """What FastAPI answers, the framework of many servers."""
    if "temperature" not in call.body:
        return await ok(call)
    detail = [{"type": "extra_forbidden", "loc": ["body", "temperature"], "msg": "Forbidden", "input": call.echo}]
    return web.json_response({"detail": detail}, status=422)


def refuse_parameter(call: Call, name: str) -> web.StreamResponse:
    error = {"message": call.echo, "type": "invalid_request_error", "param": name, "code": "unsupported_parameter"}
    return web.json_response({"error": error}, status=400)


@answer
async def reasoning(call: Call) -> web.StreamResponse:
    """A reasoning model behind a name that LiteLLM does not know."""
    for name in ("max_tokens", "temperature"):
        if name in call.body:
            return refuse_parameter(call, name)
    return said(call, json.dumps(DRAFT))


@answer
async def no_tools(call: Call) -> web.StreamResponse:
    return refuse_parameter(call, "tools") if call.wants_tool else said(call, json.dumps(DRAFT))


@answer
async def plain_json(call: Call) -> web.StreamResponse:
    """A model that knows neither tools nor JSON schemas."""
    if call.body.get("response_format", {}).get("type") == "json_schema":
        return refuse_parameter(call, "response_format.json_schema")
    return await no_tools(call)


@answer
async def no_limit(call: Call) -> web.StreamResponse:
    name = "max_completion_tokens" if "max_completion_tokens" in call.body else "max_tokens"
    return refuse_parameter(call, name)
