"""Azure OpenAI: the deployment and the version in the address, a header of its own for the key, a content filter."""

from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web

from enrichment.errors import TextRefused
from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import RETRY_AFTER, OpenAIChat
from tests.enrichment.providers.native.protocol import Ending, Request


class AzureOpenAI(OpenAIChat):
    name = "azure"
    title = "Azure OpenAI"
    model = "azure/drafts"
    base = ""
    path = "/openai/deployments/drafts/chat/completions?api-version=2024-10-21"
    environment: ClassVar = {"AZURE_API_KEY": KEY, "AZURE_API_VERSION": "2024-10-21"}
    endings: ClassVar = {"filtered_prompt": Ending(error=TextRefused)}

    def key_in(self, headers: Mapping[str, str]) -> str:
        return headers.get("api-key", "")

    def refusal(self, request: Request) -> web.Response:
        """What the model was about to say was filtered."""
        return self.completion(request, {"content": None}, finish_reason="content_filter")

    def filtered_prompt(self, request: Request) -> web.Response:
        error = {
            "message": f"The response was filtered. {request.echo}",
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": {"violence": {"filtered": True, "severity": "high"}},
            },
        }
        return web.json_response({"error": error}, status=400)

    def rate_limit(self, request: Request) -> web.Response:
        return self.error(
            request, 429, "Requests have exceeded the call rate limit.", kind="", code="429", headers=RETRY_AFTER
        )

    def wrong_key(self, request: Request) -> web.Response:
        return self.error(request, 401, "Access denied due to invalid subscription key.", kind="", code="401")
