"""DeepSeek: OpenAI's chat. Every error has the same code."""

from typing import ClassVar

from aiohttp import web

from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import InProse
from tests.enrichment.providers.native.protocol import Request

CODE = "invalid_request_error"


class DeepSeek(InProse):
    name = "deepseek"
    title = "DeepSeek"
    model = "deepseek/deepseek-chat"
    environment: ClassVar = {"DEEPSEEK_API_KEY": KEY}

    def quota(self, request: Request) -> web.Response:
        return self.error(request, 402, "Insufficient Balance", kind="unknown_error", code=CODE)

    def wrong_key(self, request: Request) -> web.Response:
        return self.error(request, 401, "Authentication Fails", kind="authentication_error", code=CODE)
