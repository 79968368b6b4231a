"""Groq: OpenAI's chat. A call that does not parse is a 400."""

from typing import ClassVar

from aiohttp import web

from enrichment.errors import FormatMissed
from tests.enrichment.fault_matrix import ALL_TRIES
from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import InProse
from tests.enrichment.providers.native.protocol import PROSE, USELESS, Ending, Request


class Groq(InProse):
    name = "groq"
    title = "Groq"
    model = "groq/llama-3.3-70b-versatile"
    environment: ClassVar = {"GROQ_API_KEY": KEY}
    own_fields: ClassVar = {"service_tier": "on_demand"}  # LiteLLM fails without it
    endings: ClassVar = {"refusal": USELESS, "tool_use_failed": Ending(error=FormatMissed, requests=ALL_TRIES)}

    def quota(self, request: Request) -> web.Response:
        return self.error(request, 400, "Your organization has reached its spend limit.", code="blocked_api_access")

    def tool_use_failed(self, request: Request) -> web.Response:
        error = {
            "message": f"Failed to call a function. {request.echo}",
            "type": "invalid_request_error",
            "code": "tool_use_failed",
            "failed_generation": PROSE,
        }
        return web.json_response({"error": error}, status=400)
