"""The authentication schemes in the OpenAPI document."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension

from litevault.accounts.authentication import DEVELOPMENT_HEADER


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "litevault.accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, _auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "lv_…"}


class DevelopmentScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "litevault.accounts.authentication.DevelopmentAuthentication"
    name = "development"

    def get_security_definition(self, _auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": DEVELOPMENT_HEADER,
            "description": "Any name, in development only. The user is created on first use.",
        }


def hide_development_header(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Leave out the header where it has no effect."""
    if not settings.DEVELOPMENT_USERS:
        result["components"]["securitySchemes"].pop(DevelopmentScheme.name, None)
        for calls in result["paths"].values():
            for call in calls.values():
                call["security"] = [way for way in call.get("security", ()) if DevelopmentScheme.name not in way]
    return result
