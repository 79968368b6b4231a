"""Google's generateContent, as in AI Studio."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.enrichment.fake_llm_answers import COMPLETION_TOKENS, DRAFT, PROMPT_TOKENS
from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.protocol import (
    DECLINED,
    RETRY_AFTER_SECONDS,
    Protocol,
    Request,
)

DETAIL = "type.googleapis.com/google.rpc."


class Gemini(Protocol):
    name = "gemini"
    title = "Gemini"
    model = "gemini/gemini-2.5-flash"
    path = "/models/gemini-2.5-flash:generateContent"
    environment: ClassVar = {"GEMINI_API_KEY": KEY}
    endings: ClassVar = {"blocked_prompt": DECLINED}

    def key_in(self, headers: Mapping[str, str]) -> str:
        return headers.get("x-goog-api-key", "")

    def generated(self, *candidates: dict[str, Any], **fields: object) -> web.Response:
        usage = {
            "promptTokenCount": PROMPT_TOKENS,
            "candidatesTokenCount": COMPLETION_TOKENS,
            "totalTokenCount": PROMPT_TOKENS + COMPLETION_TOKENS,
        }
        body = {"candidates": candidates, "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"}
        return web.json_response({**body, **fields})

    def candidate(self, *parts: dict[str, Any], finish_reason: str = "STOP") -> dict[str, Any]:
        content: dict[str, Any] = {"role": "model"}
        return {"content": content | ({"parts": parts} if parts else {}), "finishReason": finish_reason, "index": 0}

    def call(self) -> dict[str, Any]:
        return {"functionCall": {"name": "Draft", "args": DRAFT}}

    def error(self, request: Request, code: int, status: str, message: str, *details: dict[str, Any]) -> web.Response:
        error = {"code": code, "message": f"{message} {request.echo}", "status": status, "details": details}
        return web.json_response({"error": error}, status=code)

    def reason(self, reason: str) -> dict[str, Any]:
        return {"@type": f"{DETAIL}ErrorInfo", "reason": reason, "domain": "googleapis.com"}

    def ok(self, request: Request) -> web.Response:
        del request
        return self.generated(self.candidate(self.call()))

    def refusal(self, request: Request) -> web.Response:
        """What the model was about to say was filtered."""
        del request
        return self.generated(self.candidate(finish_reason="SAFETY"))

    def blocked_prompt(self, request: Request) -> web.Response:
        del request
        return self.generated(promptFeedback={"blockReason": "PROHIBITED_CONTENT"})

    def cut_off(self, request: Request) -> web.Response:
        """All tokens went into thoughts."""
        del request
        return self.generated(self.candidate(finish_reason="MAX_TOKENS"))

    def rate_limit(self, request: Request) -> web.Response:
        retry = {"@type": f"{DETAIL}RetryInfo", "retryDelay": f"{RETRY_AFTER_SECONDS:.0f}s"}
        return self.error(request, 429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", retry)

    def quota(self, request: Request) -> web.Response:
        return self.error(
            request, 403, "PERMISSION_DENIED", "This API method requires billing.", self.reason("BILLING_DISABLED")
        )

    def wrong_key(self, request: Request) -> web.Response:
        return self.error(request, 400, "INVALID_ARGUMENT", "API key not valid.", self.reason("API_KEY_INVALID"))

    def overloaded(self, request: Request) -> web.Response:
        return self.error(request, 503, "UNAVAILABLE", "The model is overloaded.")

    def parts(self, request: Request) -> web.Response:
        del request
        return self.generated(self.candidate({"text": "The text is about a river.", "thought": True}, self.call()))

    def empty(self, request: Request) -> web.Response:
        del request
        return self.generated()
