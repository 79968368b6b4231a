"""The OpenAPI document, its page, and what the web side may import."""

import json
import os
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    output = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=output)
    found: dict[str, Any] = json.loads(output.getvalue())
    return found


CALLS = {
    ("/api/v1/items", "get"): {"200"},
    ("/api/v1/items", "post"): {"201", "409", "413", "415", "422"},
    ("/api/v1/items/pending", "get"): {"200"},
    ("/api/v1/items/retry", "post"): {"200", "413", "415"},
    ("/api/v1/items/{item_id}", "get"): {"200", "304", "404"},
    ("/api/v1/items/{item_id}", "patch"): {"200", "404", "409", "412", "413", "415"},
    ("/api/v1/items/{item_id}/retry", "post"): {"200", "404", "409", "412"},
    ("/api/v1/tags", "get"): {"200"},
}
SHARED = {"400", "401", "403", "406", "500", "503"}


def test_document_is_valid_without_a_warning(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")


def test_every_call_is_there_with_all_of_its_answers(document: dict[str, Any]) -> None:
    found = {
        (path, method): set(call["responses"]) - SHARED
        for path, calls in document["paths"].items()
        for method, call in calls.items()
    }

    assert found == CALLS


def test_every_error_has_the_one_shape(document: dict[str, Any]) -> None:
    responses = [
        response
        for calls in document["paths"].values()
        for call in calls.values()
        for status, response in call["responses"].items()
        if status >= "400"
    ]

    assert len(responses) >= len(CALLS) * len(SHARED)
    shapes = {json.dumps(response["content"], sort_keys=True) for response in responses}
    assert shapes == {'{"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}'}


def test_tokens_sessions_and_the_development_header_are_described(document: dict[str, Any]) -> None:
    assert set(document["components"]["securitySchemes"]) == {"token", "development", "cookieAuth"}


def test_capture_has_examples_and_the_limits_of_its_text(document: dict[str, Any]) -> None:
    body = document["paths"]["/api/v1/items"]["post"]["requestBody"]["content"]["application/json"]

    assert body["examples"]
    text = document["components"]["schemas"]["Capture"]["properties"]["rawText"]
    assert (text["minLength"], text["maxLength"]) == (1, 10_000)


def test_document_is_served_to_anybody() -> None:
    response = Client().get("/api/v1/schema")

    assert response.status_code == 200
    assert response.json()["info"]["title"] == "LiteVault"


def test_page_of_the_document_needs_no_other_site() -> None:
    response = Client().get("/api/v1/docs", headers={"Accept": "text/html"})

    page = response.content.decode()
    assert response.status_code == 200
    assert "swagger-ui-bundle.js" in page
    assert "//cdn" not in page
    assert "https://" not in page


def test_web_side_does_not_import_the_model_library() -> None:
    program = (
        "import sys, litevault.wsgi, litevault.urls\n"
        "print(sorted({'litellm', 'instructor', 'openai'} & set(sys.modules)))"
    )

    environment = {**os.environ, "LITEVAULT_SECRET_KEY": "for this test only"}

    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )

    assert found.stdout.strip() == "[]", found.stderr
