"""Mistral: OpenAI's chat, with errors of its own."""

from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web

from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import InProse
from tests.enrichment.providers.native.protocol import DRAFTED, Request


class Mistral(InProse):
    name = "mistral"
    title = "Mistral"
    model = "mistral/mistral-small-latest"
    environment: ClassVar = {"MISTRAL_API_KEY": KEY}

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
        body = {"object": "error", "message": f"{message} {request.echo}", "type": kind, "param": None, "code": code}
        return web.json_response(body, status=status, headers=headers)

    def parts(self, request: Request) -> web.Response:
        """The content of a reasoning model. LiteLLM keeps the last text."""
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "The text is about a river."}]}
        return self.completion(request, {"content": [thinking, {"type": "text", "text": DRAFTED}]})

    def quota(self, request: Request) -> web.Response:
        return self.error(request, 402, "Payment required.", kind="payment_required")

    def wrong_key(self, request: Request) -> web.Response:
        return web.json_response({"detail": f"Unauthorized {request.echo}"}, status=401)
