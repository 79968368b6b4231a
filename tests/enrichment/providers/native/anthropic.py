"""Anthropic's Messages."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.enrichment.fake_llm_answers import COMPLETION_TOKENS, DRAFT, PROMPT_TOKENS
from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import RETRY_AFTER
from tests.enrichment.providers.native.protocol import USELESS, Protocol, Request


class Anthropic(Protocol):
    name = "anthropic"
    title = "Anthropic"
    model = "anthropic/claude-haiku-4-5"
    path = "/v1/messages"
    environment: ClassVar = {"ANTHROPIC_API_KEY": KEY}
    endings: ClassVar = {"empty": USELESS}

    def key_in(self, headers: Mapping[str, str]) -> str:
        return headers.get("x-api-key", "")

    def message(self, *content: dict[str, Any], stop_reason: str = "end_turn") -> web.Response:
        return web.json_response(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "claude-haiku-4-5",
                "content": content,
                "stop_reason": stop_reason,
                "stop_sequence": None,
                "usage": {"input_tokens": PROMPT_TOKENS, "output_tokens": COMPLETION_TOKENS},
            }
        )

    def tool_use(self, draft: dict[str, Any]) -> dict[str, Any]:
        return {"type": "tool_use", "id": "toolu_1", "name": "Draft", "input": draft}

    def error(
        self, request: Request, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        error = {"type": kind, "message": f"{message} {request.echo}"}
        return web.json_response(
            {"type": "error", "error": error, "request_id": "req_1"}, status=status, headers=headers
        )

    def ok(self, request: Request) -> web.Response:
        del request
        return self.message(self.tool_use(DRAFT), stop_reason="tool_use")

    def refusal(self, request: Request) -> web.Response:
        del request
        return self.message(stop_reason="refusal")

    def cut_off(self, request: Request) -> web.Response:
        del request
        return self.message(self.tool_use({"title": DRAFT["title"]}), stop_reason="max_tokens")

    def rate_limit(self, request: Request) -> web.Response:
        return self.error(request, 429, "rate_limit_error", "This would exceed your rate limit.", RETRY_AFTER)

    def quota(self, request: Request) -> web.Response:
        return self.error(
            request,
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API. "
            "Please go to Plans & Billing to upgrade or purchase credits.",
        )

    def wrong_key(self, request: Request) -> web.Response:
        return self.error(request, 401, "authentication_error", "invalid x-api-key")

    def overloaded(self, request: Request) -> web.Response:
        return self.error(request, 529, "overloaded_error", "Overloaded")

    def parts(self, request: Request) -> web.Response:
        del request
        said = {"type": "text", "text": "Here is the description that you asked for."}
        return self.message(said, self.tool_use(DRAFT), stop_reason="tool_use")

    def empty(self, request: Request) -> web.Response:
        del request
        return self.message()
