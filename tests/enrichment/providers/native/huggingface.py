"""Hugging Face's router: OpenAI's chat, with a sentence as the error."""

from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web

from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import InProse
from tests.enrichment.providers.native.protocol import Request


class HuggingFace(InProse):
    name = "huggingface"
    title = "Hugging Face"
    model = "huggingface/together/deepseek-ai/DeepSeek-R1"
    base = ""
    path = "/v1/chat/completions"
    environment: ClassVar = {"HUGGINGFACE_API_KEY": KEY}

    def error(
        self,
        request: Request,
        status: int,
        message: str,
        *,
        kind: str = "",
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> web.Response:
        del kind, code
        return web.json_response({"error": f"{message} {request.echo}"}, status=status, headers=headers)

    def quota(self, request: Request) -> web.Response:
        return self.error(request, 402, "You have exceeded your monthly included credits for Inference Providers.")

    def wrong_key(self, request: Request) -> web.Response:
        return self.error(request, 401, "Invalid username or password.")
