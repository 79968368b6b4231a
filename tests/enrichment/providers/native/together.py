"""Together: OpenAI's chat."""

from typing import ClassVar

from aiohttp import web

from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import InProse
from tests.enrichment.providers.native.protocol import Request


class Together(InProse):
    name = "together"
    title = "Together"
    model = "together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo"
    environment: ClassVar = {"TOGETHERAI_API_KEY": KEY}

    def quota(self, request: Request) -> web.Response:
        return self.error(request, 402, "Credit limit exceeded, please add credits.", kind="credit_limit")
