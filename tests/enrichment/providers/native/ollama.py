"""Ollama's own chat, without a key or with the key of a proxy in front of it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.enrichment.fake_llm_answers import COMPLETION_TOKENS, PROMPT_TOKENS
from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import RETRY_AFTER
from tests.enrichment.providers.native.protocol import DRAFTED, PROSE, UNREADABLE, USELESS, Protocol, Request, bearer


class Ollama(Protocol):
    name = "ollama"
    title = "Ollama"
    model = "ollama_chat/llama3.2"
    path = "/api/chat"
    mode = "json_schema"
    environment: ClassVar = {"OLLAMA_API_KEY": KEY}
    endings: ClassVar = {"refusal": USELESS, "empty": USELESS, "parts": UNREADABLE}
    absent = frozenset({"quota"})

    def key_in(self, headers: Mapping[str, str]) -> str:
        return bearer(headers)

    def chat(self, content: Any, *, done_reason: str = "stop") -> web.Response:
        return web.json_response(
            {
                "model": "llama3.2",
                "created_at": "2026-11-01T12:00:00Z",
                "message": {"role": "assistant", "content": content},
                "done": True,
                "done_reason": done_reason,
                "total_duration": 1_000_000,
                "prompt_eval_count": PROMPT_TOKENS,
                "eval_count": COMPLETION_TOKENS,
            }
        )

    def error(
        self, request: Request, status: int, message: str, *, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        return web.json_response({"error": f"{message} {request.echo}"}, status=status, headers=headers)

    def ok(self, request: Request) -> web.Response:
        del request
        return self.chat(DRAFTED)

    def refusal(self, request: Request) -> web.Response:
        del request
        return self.chat(PROSE)

    def cut_off(self, request: Request) -> web.Response:
        del request
        return self.chat(DRAFTED[:60], done_reason="length")

    def rate_limit(self, request: Request) -> web.Response:
        return self.error(request, 429, "Too many requests.", headers=RETRY_AFTER)

    def wrong_key(self, request: Request) -> web.Response:
        return self.error(request, 401, "unauthorized")

    def overloaded(self, request: Request) -> web.Response:
        return self.error(request, 503, "server busy, please try again. maximum pending requests exceeded")

    def parts(self, request: Request) -> web.Response:
        del request
        return self.chat([{"type": "text", "text": half} for half in (DRAFTED[:30], DRAFTED[30:])])

    def empty(self, request: Request) -> web.Response:
        del request
        return self.chat("")
