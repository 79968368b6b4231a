"""The OpenAPI document, its page, and the imports of the web side."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import trans_real
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from pytest_django import Settings

from litevault.accounts.schema import hide_development_header
from litevault.web.errors import KNOWN
from tests.openapi import CALLS, Call, call_named, calls, document, resolved

SHARED = {"400", "401", "403", "406", "429", "500", "503"}
ALONE = {"405"}  # for methods that are not in the document


def test_document_is_valid_without_a_warning() -> None:
    assert document()["openapi"].startswith("3.1")


def test_every_operation_documents_all_its_responses() -> None:
    assert {str(call): set(call.answers) - SHARED for call in calls()} == CALLS
    assert all(set(call.answers) >= SHARED for call in calls())


def test_every_error_has_the_one_shape() -> None:
    shapes = [
        answer["content"]["application/json"]["schema"]
        for call in calls()
        for status, answer in call.answers.items()
        if status >= "400"
    ]

    assert shapes == [{"$ref": "#/components/schemas/Error"}] * len(shapes)


def contents(call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the content of every request and response, with its status."""
    if body := call.said.get("requestBody"):
        yield "body", body["content"]["application/json"]
    for status, answer in call.answers.items():
        for content in answer.get("content", {}).values():
            yield status, content


def faults(content: dict[str, Any]) -> Iterator[str]:
    """Yield the errors of the examples."""
    validator = Draft202012Validator({**content["schema"], "components": document()["components"]})
    examples = [example["value"] for example in content.get("examples", {}).values()]
    if not examples:
        yield "there is none"
    for example in examples:
        yield from map(str, validator.iter_errors(example))


@pytest.mark.parametrize("name", CALLS)
def test_examples_of_operations_and_errors_match_their_schemas(name: str) -> None:
    found = [(where, fault) for where, content in contents(call_named(name)) for fault in faults(content)]

    assert found == []


def test_every_code_has_an_example_and_no_two_are_alike() -> None:
    codes: dict[str, set[str]] = {}
    for call in calls():
        for where, content in contents(call):
            for example in content["examples"].values():
                if where >= "400" and where != "body":
                    codes.setdefault(example["value"]["error"]["code"], set()).add(where)

    declared = resolved({"$ref": "#/components/schemas/Error"})["properties"]["error"]["properties"]["code"]["enum"]
    assert set(codes) == set(declared) - {KNOWN[int(status)][0] for status in ALONE}
    assert all(len(statuses) == 1 for statuses in codes.values())


def test_every_response_documents_its_headers() -> None:
    headers = {
        (str(call), status): set(answer["headers"]) for call in calls() for status, answer in call.answers.items()
    }

    assert all("X-Request-Id" in names for names in headers.values())
    assert {names for _, names in headers if "ETag" in headers[_, names]} == {"200", "201", "304"}
    assert headers["POST /api/v1/items", "201"] >= {"ETag", "Location", "Idempotency-Replayed"}
    assert "ETag" not in headers["POST /api/v1/items", "409"]
    assert all("Retry-After" in names for (_, status), names in headers.items() if status in {"429", "503"})
    assert all("WWW-Authenticate" in names for (_, status), names in headers.items() if status == "401")


def test_development_header_is_described_in_development_only(settings: Settings) -> None:
    described: dict[str, Any] = {"components": {"securitySchemes": {"token": {}, "development": {}}}, "paths": {}}

    settings.DEVELOPMENT_USERS = True
    hide_development_header(described)
    assert "development" in described["components"]["securitySchemes"]

    settings.DEVELOPMENT_USERS = False
    hide_development_header(described)
    assert "development" not in described["components"]["securitySchemes"]


def test_capture_has_examples_and_the_limits_of_its_text() -> None:
    body = document()["paths"]["/api/v1/items"]["post"]["requestBody"]["content"]["application/json"]

    assert body["examples"]
    text = document()["components"]["schemas"]["Capture"]["properties"]["rawText"]
    assert (text["minLength"], text["maxLength"]) == (1, 100_000)


def test_document_is_public() -> None:
    response = Client().get("/api/v1/schema")

    assert response.status_code == 200
    assert response.json()["info"]["title"] == "LiteVault"


@pytest.mark.parametrize("media_type", ["application/json", "application/yaml"])
def test_document_is_generated_once_for_all_hosts(media_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Client().get("/api/v1/schema", headers={"Accept": media_type, "Host": "testserver"})
    monkeypatch.setattr(SchemaGenerator, "get_schema", None)

    other = Client().get("/api/v1/schema?version=2", headers={"Accept": media_type, "Host": "testserver:8081"})

    assert first["Content-Type"].startswith(media_type)
    assert "curl http://testserver/api/v1/items" in first.text
    assert other.text == first.text.replace("http://testserver/", "http://testserver:8081/")
    assert other["Content-Disposition"] == f'inline; filename="LiteVault.{media_type.removeprefix("application/")}"'
    assert "Accept" in other["Vary"]


def test_document_that_the_client_has_is_not_sent_again() -> None:
    etag = Client().get("/api/v1/schema")["ETag"]

    again = Client().get("/api/v1/schema", headers={"If-None-Match": etag})
    elsewhere = Client().get("/api/v1/schema", headers={"If-None-Match": etag, "Host": "testserver:8081"})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert elsewhere.status_code == 200


def test_language_of_a_request_keeps_nothing_in_memory() -> None:
    before = len(vars(trans_real)["_translations"])
    for number in range(3):
        for path in ("/api/v1/schema", "/api/v1/docs", "/login"):
            assert (
                Client().get(path, {"lang": f"x-{number}"}, headers={"Accept-Language": f"y-{number}"}).status_code
                == 200
            )

    assert len(vars(trans_real)["_translations"]) == before


def test_docs_page_needs_no_other_site() -> None:
    response = Client().get("/api/v1/docs", headers={"Accept": "text/html"})

    page = response.content.decode()
    assert response.status_code == 200
    assert "swagger-ui-bundle.js" in page
    assert "//cdn" not in page
    assert "https://" not in page


@pytest.mark.slow
def test_web_side_does_not_import_the_model_library() -> None:
    program = (
        "import sys, litevault.wsgi, litevault.urls\n"
        "print(sorted({'litellm', 'instructor', 'openai'} & set(sys.modules)))"
    )

    environment = {**os.environ, "LITEVAULT_DEBUG": "true"}

    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )

    assert found.stdout.strip() == "[]", found.stderr
