"""OpenAI's Responses, which LiteLLM calls for models whose names begin with openai/responses/.

LiteLLM drops the text of a refusal, so that it looks like an empty reply.
"""

from typing import Any, ClassVar

from aiohttp import web

from tests.enrichment.fake_llm_answers import COMPLETION_TOKENS, PROMPT_TOKENS
from tests.enrichment.providers.native.openai_chat import OpenAIChat
from tests.enrichment.providers.native.protocol import DRAFTED, PROSE, UNREADABLE, USELESS, Request


class OpenAIResponses(OpenAIChat):
    name = "openai_responses"
    title = "OpenAI's Responses"
    model = "openai/responses/gpt-4o-mini"
    path = "/responses"
    endings: ClassVar = {"refusal": USELESS, "empty": UNREADABLE, "failed": UNREADABLE}

    def response(self, *output: dict[str, Any], status: str = "completed", **fields: object) -> web.Response:
        return web.json_response(
            {
                "id": "resp_1",
                "object": "response",
                "created_at": 1,
                "status": status,
                "error": None,
                "incomplete_details": None,
                "model": "gpt-4o-mini",
                "output": output,
                "parallel_tool_calls": True,
                "tool_choice": "auto",
                "tools": [],
                "usage": {
                    "input_tokens": PROMPT_TOKENS,
                    "input_tokens_details": {"cached_tokens": 0},
                    "output_tokens": COMPLETION_TOKENS,
                    "output_tokens_details": {"reasoning_tokens": 0},
                    "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
                },
                **fields,
            }
        )

    def message(self, *content: dict[str, Any], status: str = "completed") -> dict[str, Any]:
        return {"type": "message", "id": "msg_1", "role": "assistant", "status": status, "content": list(content)}

    def call(self, arguments: str, *, status: str = "completed") -> dict[str, Any]:
        return {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "Draft",
            "arguments": arguments,
            "status": status,
        }

    def ok(self, request: Request) -> web.Response:
        del request
        return self.response(self.call(DRAFTED))

    def refusal(self, request: Request) -> web.Response:
        return self.response(self.message({"type": "refusal", "refusal": f"{PROSE} {request.echo}"}))

    def cut_off(self, request: Request) -> web.Response:
        del request
        return self.response(
            self.call(DRAFTED[:60], status="incomplete"),
            status="incomplete",
            incomplete_details={"reason": "max_output_tokens"},
        )

    def parts(self, request: Request) -> web.Response:
        """A sentence before the call."""
        del request
        said = {"type": "output_text", "text": "Here is the description.", "annotations": []}
        return self.response(self.message(said), self.call(DRAFTED))

    def empty(self, request: Request) -> web.Response:
        del request
        return self.response()

    def failed(self, request: Request) -> web.Response:
        """200, with an error of the server in it."""
        error = {"code": "server_error", "message": f"The model failed. {request.echo}"}
        return self.response(status="failed", error=error)
