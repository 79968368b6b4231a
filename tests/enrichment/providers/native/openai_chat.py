"""OpenAI's chat completions, which most other providers speak with a difference."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.enrichment.fake_llm_answers import COMPLETION_TOKENS, PROMPT_TOKENS
from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.protocol import (
    DRAFTED,
    PROSE,
    RETRY_AFTER_SECONDS,
    USELESS,
    Ending,
    Protocol,
    Request,
    bearer,
)

RETRY_AFTER = {"Retry-After": f"{RETRY_AFTER_SECONDS:.0f}"}


class OpenAIChat(Protocol):
    name = "openai"
    title = "OpenAI"
    model = "openai/gpt-4o-mini"
    base = "/v1"
    path = "/chat/completions"
    environment: ClassVar = {"OPENAI_API_KEY": KEY}
    own_fields: ClassVar[Mapping[str, object]] = {}

    def key_in(self, headers: Mapping[str, str]) -> str:
        return bearer(headers)

    def completion(self, request: Request, message: dict[str, Any], *, finish_reason: str = "stop") -> web.Response:
        choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", **message}}
        return self.completed(request, [choice])

    def completed(self, request: Request, choices: list[dict[str, Any]]) -> web.Response:
        return web.json_response(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": request.body["model"],
                "choices": choices,
                "usage": {
                    "prompt_tokens": PROMPT_TOKENS,
                    "completion_tokens": COMPLETION_TOKENS,
                    "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
                },
                **self.own_fields,
            }
        )

    def drafted(self, request: Request, arguments: str, *, finish_reason: str | None = None) -> web.Response:
        """Call the tool where one was offered, or else write the content."""
        if "tools" not in request.body:
            return self.completion(request, {"content": arguments}, finish_reason=finish_reason or "stop")
        function = {"name": request.body["tools"][0]["function"]["name"], "arguments": arguments}
        call = {"id": "call_1", "type": "function", "function": function}
        message = {"content": None, "tool_calls": [call]}
        return self.completion(request, message, finish_reason=finish_reason or "tool_calls")

    def error(
        self,
        request: Request,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> web.Response:
        body = {"error": {"message": f"{message} {request.echo}", "type": kind, "param": None, "code": code}}
        return web.json_response(body, status=status, headers=headers)

    def ok(self, request: Request) -> web.Response:
        return self.drafted(request, DRAFTED)

    def refusal(self, request: Request) -> web.Response:
        return self.completion(request, {"content": None, "refusal": PROSE})

    def cut_off(self, request: Request) -> web.Response:
        return self.drafted(request, DRAFTED[:60], finish_reason="length")

    def rate_limit(self, request: Request) -> web.Response:
        return self.error(
            request, 429, "Rate limit reached.", kind="requests", code="rate_limit_exceeded", headers=RETRY_AFTER
        )

    def quota(self, request: Request) -> web.Response:
        return self.error(
            request, 429, "You exceeded your current quota.", kind="insufficient_quota", code="insufficient_quota"
        )

    def wrong_key(self, request: Request) -> web.Response:
        return self.error(request, 401, "Incorrect API key provided:", code="invalid_api_key")

    def overloaded(self, request: Request) -> web.Response:
        return self.error(request, 503, "The engine is currently overloaded.", kind="service_unavailable_error")

    def parts(self, request: Request) -> web.Response:
        """The content as a list, of which the parts make up the draft only together."""
        halves = (DRAFTED[:30], DRAFTED[30:])
        return self.completion(request, {"content": [{"type": "text", "text": half} for half in halves]})

    def empty(self, request: Request) -> web.Response:
        return self.completed(request, [])


class InProse(OpenAIChat):
    """The protocol without a field for refusals: prose is no draft."""

    endings: ClassVar[Mapping[str, Ending]] = {"refusal": USELESS}

    def refusal(self, request: Request) -> web.Response:
        return self.completion(request, {"content": PROSE})
