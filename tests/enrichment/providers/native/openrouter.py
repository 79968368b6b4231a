"""OpenRouter: OpenAI's chat with errors of its own, some of them in a 200."""

from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from enrichment.errors import TextRefused
from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import RETRY_AFTER, InProse
from tests.enrichment.providers.native.protocol import UNAVAILABLE, USELESS, Ending, Request


class OpenRouter(InProse):
    name = "openrouter"
    title = "OpenRouter"
    model = "openrouter/meta-llama/llama-3.3-70b-instruct"
    base = ""
    environment: ClassVar = {"OPENROUTER_API_KEY": KEY}
    endings: ClassVar = {"refusal": USELESS, "moderated": Ending(error=TextRefused), "error_in_200": UNAVAILABLE}

    def failed(
        self,
        request: Request,
        code: int,
        message: str,
        *,
        status: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> web.Response:
        error = {"code": code, "message": f"{message} {request.echo}", "metadata": metadata or {}}
        return web.json_response({"error": error, "user_id": "user_1"}, status=status or code, headers=headers)

    def moderated(self, request: Request) -> web.Response:
        metadata = {"reasons": ["violence"], "flagged_input": request.echo[:100], "provider_name": "Meta"}
        return self.failed(request, 403, "The model requires moderation. Your input was flagged.", metadata=metadata)

    def rate_limit(self, request: Request) -> web.Response:
        metadata = {"raw": "The model is temporarily rate-limited upstream.", "provider_name": "Meta"}
        return self.failed(request, 429, "Provider returned error", metadata=metadata, headers=RETRY_AFTER)

    def quota(self, request: Request) -> web.Response:
        return self.failed(request, 402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits")

    def wrong_key(self, request: Request) -> web.Response:
        return self.failed(request, 401, "No auth credentials found")

    def overloaded(self, request: Request) -> web.Response:
        return self.failed(request, 503, "There is no available model provider that meets your requirements.")

    def error_in_200(self, request: Request) -> web.Response:
        """The provider failed after OpenRouter had begun to respond."""
        return self.failed(request, 502, "Provider returned error", status=200, metadata={"provider_name": "Meta"})
