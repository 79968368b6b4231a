"""Amazon Bedrock's Converse. The signature is not checked, only the name of the key in it."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from aiohttp import web

from tests.enrichment.fake_llm_answers import COMPLETION_TOKENS, DRAFT, PROMPT_TOKENS
from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import RETRY_AFTER
from tests.enrichment.providers.native.protocol import USELESS, Protocol, Request


class Bedrock(Protocol):
    name = "bedrock"
    title = "Amazon Bedrock"
    model = "bedrock/anthropic.claude-3-haiku-20240307-v1:0"
    path = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse"
    key = "AKIACANARY"
    endings: ClassVar = {"empty": USELESS}

    environment: ClassVar = {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_REGION_NAME": "eu-west-1",
    }

    def api_base(self, address: str) -> str:
        del address
        return ""

    def variables(self, address: str) -> Mapping[str, str]:
        return {**self.environment, "AWS_BEDROCK_RUNTIME_ENDPOINT": address}

    def key_in(self, headers: Mapping[str, str]) -> str:
        signed = re.match(r"AWS4-HMAC-SHA256 Credential=(\w+)/\d{8}/eu-west-1/", headers.get("Authorization", ""))
        return signed[1] if signed else ""

    def converse(self, *content: dict[str, Any], stop_reason: str = "end_turn") -> web.Response:
        return web.json_response(
            {
                "metrics": {"latencyMs": 1},
                "output": {"message": {"role": "assistant", "content": content}},
                "stopReason": stop_reason,
                "usage": {
                    "inputTokens": PROMPT_TOKENS,
                    "outputTokens": COMPLETION_TOKENS,
                    "totalTokens": PROMPT_TOKENS + COMPLETION_TOKENS,
                },
            }
        )

    def tool_use(self, draft: dict[str, Any]) -> dict[str, Any]:
        return {"toolUse": {"toolUseId": "tooluse_1", "name": "Draft", "input": draft}}

    def exception(
        self, request: Request, status: int, name: str, message: str, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        return web.json_response(
            {"message": f"{message} {request.echo}"},
            status=status,
            headers={"x-amzn-ErrorType": name, **(headers or {})},
        )

    def ok(self, request: Request) -> web.Response:
        del request
        return self.converse(self.tool_use(DRAFT), stop_reason="tool_use")

    def refusal(self, request: Request) -> web.Response:
        """The text that a guardrail says instead of the model."""
        del request
        return self.converse({"text": "Sorry, this was blocked."}, stop_reason="guardrail_intervened")

    def cut_off(self, request: Request) -> web.Response:
        del request
        return self.converse(self.tool_use({"title": DRAFT["title"]}), stop_reason="max_tokens")

    def rate_limit(self, request: Request) -> web.Response:
        return self.exception(request, 429, "ThrottlingException", "Too many requests, please wait.", RETRY_AFTER)

    def quota(self, request: Request) -> web.Response:
        return self.exception(request, 400, "ServiceQuotaExceededException", "Your quota is exceeded.")

    def wrong_key(self, request: Request) -> web.Response:
        return self.exception(
            request, 403, "UnrecognizedClientException", "The security token included in the request is invalid."
        )

    def overloaded(self, request: Request) -> web.Response:
        return self.exception(request, 503, "ServiceUnavailableException", "The service is unavailable.")

    def parts(self, request: Request) -> web.Response:
        del request
        return self.converse({"text": "Here is the description."}, self.tool_use(DRAFT), stop_reason="tool_use")

    def empty(self, request: Request) -> web.Response:
        del request
        return self.converse()
