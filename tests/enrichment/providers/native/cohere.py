"""Cohere's chat, version 2. LiteLLM takes the whole address, and reads no reason why a reply ended."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.enrichment.fake_llm_answers import COMPLETION_TOKENS, PROMPT_TOKENS
from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import RETRY_AFTER
from tests.enrichment.providers.native.protocol import DRAFTED, PROSE, USELESS, Protocol, Request, bearer


class Cohere(Protocol):
    name = "cohere"
    title = "Cohere"
    model = "cohere/command-r"
    base = "/v2/chat"
    path = ""
    environment: ClassVar = {"COHERE_API_KEY": KEY}
    endings: ClassVar = {"refusal": USELESS, "cut_off": USELESS, "empty": USELESS}

    def key_in(self, headers: Mapping[str, str]) -> str:
        return bearer(headers)

    def chat(self, *, finish_reason: str = "COMPLETE", **message: Any) -> web.Response:
        tokens = {"input_tokens": PROMPT_TOKENS, "output_tokens": COMPLETION_TOKENS}
        return web.json_response(
            {
                "id": "c14c80c3",
                "finish_reason": finish_reason,
                "message": {"role": "assistant", **message},
                "usage": {"billed_units": tokens, "tokens": tokens},
            }
        )

    def tool_call(self, arguments: str) -> dict[str, Any]:
        return {"id": "Draft_1", "type": "function", "function": {"name": "Draft", "arguments": arguments}}

    def text(self, *texts: str) -> list[dict[str, str]]:
        return [{"type": "text", "text": text} for text in texts]

    def error(
        self, request: Request, status: int, message: str, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        return web.json_response({"id": "e1", "message": f"{message} {request.echo}"}, status=status, headers=headers)

    def ok(self, request: Request) -> web.Response:
        del request
        return self.chat(finish_reason="TOOL_CALL", tool_plan="I will.", tool_calls=[self.tool_call(DRAFTED)])

    def refusal(self, request: Request) -> web.Response:
        del request
        return self.chat(content=self.text(PROSE))

    def cut_off(self, request: Request) -> web.Response:
        del request
        return self.chat(finish_reason="MAX_TOKENS", tool_calls=[self.tool_call(DRAFTED[:60])])

    def rate_limit(self, request: Request) -> web.Response:
        return self.error(request, 429, "You are past the per minute request limit.", RETRY_AFTER)

    def quota(self, request: Request) -> web.Response:
        return self.error(request, 402, "Please add or update your payment method.")

    def wrong_key(self, request: Request) -> web.Response:
        return self.error(request, 401, "invalid api token")

    def overloaded(self, request: Request) -> web.Response:
        return self.error(request, 503, "The service is unavailable.")

    def parts(self, request: Request) -> web.Response:
        del request
        return self.chat(content=self.text(DRAFTED[:30], DRAFTED[30:]))

    def empty(self, request: Request) -> web.Response:
        del request
        return self.chat(content=[])
