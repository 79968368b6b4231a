"""vLLM: OpenAI's chat, with an optional key and no quota."""

from typing import ClassVar

from aiohttp import web

from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import InProse
from tests.enrichment.providers.native.protocol import Request


class VLLM(InProse):
    name = "vllm"
    title = "vLLM"
    model = "hosted_vllm/qwen3"
    mode = "json_schema"
    environment: ClassVar = {"HOSTED_VLLM_API_KEY": KEY}
    absent = frozenset({"quota"})

    def wrong_key(self, request: Request) -> web.Response:
        return web.json_response({"error": f"Unauthorized {request.echo}"}, status=401)
