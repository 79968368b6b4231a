"""The OpenAPI document and the errors that all operations share."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any, cast

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer2
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from litevault.web.error_schema import ERROR, ERROR_REFERENCE, examples_of, message_of
from litevault.web.first_hour import EXAMPLE
from litevault.web.request_id import HEADER, WELL_FORMED

ALWAYS = ("400", "401", "403", "406", "429", "500", "503")
WITH_BODY = ("413", "415")
WITH_ID = ("404",)

REQUEST_ID = {
    "description": "Identifies the request in the log. A well-formed id from the client is kept.",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{WELL_FORMED.pattern}$"},
}
NAMED = {"$ref": f"#/components/headers/{HEADER}"}
RETRY_AFTER = {
    "description": "Seconds to wait before the next try.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
AUTHENTICATE = {
    "description": "How to authenticate.",
    "required": True,
    "schema": {"type": "string", "pattern": "^Bearer "},
}
HEADERS_OF: Mapping[str, Mapping[str, Any]] = {
    "401": {"WWW-Authenticate": AUTHENTICATE},
    "429": {"Retry-After": RETRY_AFTER},
    "503": {"Retry-After": RETRY_AFTER},
}


RENDERERS = {"json": OpenApiJsonRenderer2, "yaml": OpenApiYamlRenderer2}


class SchemaView(SpectacularAPIView):
    renderer_classes = [*RENDERERS.values()]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Return the document, with commands for the server that is asked."""
        renderer = request.accepted_renderer
        address = request.build_absolute_uri("/").rstrip("/")
        content = _document(renderer.format).replace(EXAMPLE.encode(), address.encode())
        etag = quote_etag(sha256(content).hexdigest())
        headers = {"ETag": etag, "Content-Disposition": f'inline; filename="LiteVault.{renderer.format}"'}
        response = HttpResponse(content, content_type=renderer.media_type, headers=headers)
        return cast(HttpResponse, get_conditional_response(request, etag=etag, response=response))


@cache
def _document(name: str) -> bytes:
    """Generate the document once in each process: it takes a second, and anyone may request it."""
    document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return cast(bytes, RENDERERS[name]().render(document, renderer_context={}))


def document_errors(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Add the shared errors to every operation."""
    components = result["components"]
    components["schemas"]["Error"] = ERROR
    components["headers"] = {HEADER: REQUEST_ID}
    components["responses"] = {f"Error{status}": _shared(status) for status in (*ALWAYS, *WITH_BODY, *WITH_ID)}
    for path, calls in result["paths"].items():
        for call in calls.values():
            for response in call["responses"].values():
                response.setdefault("headers", {})[HEADER] = NAMED
            shared = (*ALWAYS, *(WITH_BODY if "requestBody" in call else ()), *(WITH_ID if "{" in path else ()))
            references = {status: {"$ref": f"#/components/responses/Error{status}"} for status in shared}
            call["responses"] = dict(sorted({**references, **call["responses"]}.items()))
    return result


def document_required_bodies(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Require the body of every PATCH, although none of its fields is required."""
    for calls in result["paths"].values():
        if "patch" in calls:
            calls["patch"]["requestBody"]["required"] = True
    return result


def document_empty_parameters(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Allow empty filters, as HTML forms send them. No form sends the owner of a pause, where empty could mean all."""
    for path, calls in result["paths"].items():
        for call in () if path.endswith("/pause") else calls.values():
            for parameter in call.get("parameters", ()):
                if parameter["in"] == "query":
                    parameter["allowEmptyValue"] = True
    return result


def _shared(status: str) -> dict[str, Any]:
    return {
        "description": message_of(status),
        "headers": {HEADER: NAMED, **HEADERS_OF.get(status, {})},
        "content": {"application/json": {"schema": ERROR_REFERENCE, "examples": examples_of(status)}},
    }
