"""The OpenAPI document: who may ask, and how every call may fail."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer2
from drf_spectacular.views import SpectacularAPIView

from litevault.authentication import DEVELOPMENT_HEADER
from litevault.errors import KNOWN

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "requestId"],
            "properties": {
                "code": {"type": "string", "examples": ["VALIDATION_ERROR"]},
                "message": {"type": "string", "examples": ["rawText may not be blank."]},
                "requestId": {"type": "string", "examples": ["req-9f1c2ab34d5e6f70"]},
                "details": {
                    "type": "object",
                    "description": "`fields` of a VALIDATION_ERROR; `currentState`, `attemptedAction` and "
                    "`allowedActions` of an INVALID_STATE_TRANSITION.",
                    "properties": {
                        "fields": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["field", "message", "constraint"],
                                "properties": {
                                    "field": {"type": "string"},
                                    "message": {"type": "string"},
                                    "constraint": {"type": "string"},
                                },
                            },
                        },
                        "currentState": {"type": "string"},
                        "attemptedAction": {"type": "string"},
                        "allowedActions": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        }
    },
}
CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
ALWAYS = ("400", "401", "403", "406", "500", "503")
WITH_BODY = ("413", "415")
WITH_ID = ("404",)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "litevault.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, _auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "lv_…"}


class DevelopmentScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "litevault.authentication.DevelopmentAuthentication"
    name = "development"

    def get_security_definition(self, _auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": DEVELOPMENT_HEADER,
            "description": "Any name. In development only: the user is made on first use.",
        }


class SchemaView(SpectacularAPIView):
    renderer_classes = [OpenApiJsonRenderer2, OpenApiYamlRenderer2]  # noqa: RUF012  # as its base declares it


def document_errors(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Give every call the errors that it shares with all others, in the one shape that they have."""
    result["components"]["schemas"]["Error"] = ERROR
    for path, calls in result["paths"].items():
        for call in calls.values():
            shared = (*ALWAYS, *(WITH_BODY if "requestBody" in call else ()), *(WITH_ID if "{" in path else ()))
            responses = {**{code: {"description": KNOWN[int(code)][1]} for code in shared}, **call["responses"]}
            for code, response in responses.items():
                if code >= "400":
                    response["content"] = CONTENT
            call["responses"] = dict(sorted(responses.items()))
    return result
