"""An authenticated client of the API."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from litevault.accounts.models import ApiToken

BASE = "/api/v1"


class Api:
    """Send JSON with a token."""

    def __init__(self, user: User | None) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {ApiToken.objects.issue(user=user, name='test')[1]}"} if user else {}

    def get(self, path: str, query: dict[str, str] | None = None, **headers: str) -> Any:
        return self.client.get(BASE + path, query, headers=self._all(headers))

    def post(self, path: str, body: object = None, **headers: str) -> Any:
        return self._send("POST", path, body, headers)

    def patch(self, path: str, body: object = None, **headers: str) -> Any:
        return self._send("PATCH", path, body, headers)

    def raw(self, method: str, path: str, content: bytes = b"", content_type: str = "application/json") -> Any:
        return self.client.generic(method, BASE + path, content, content_type=content_type, headers=self.headers)

    def _send(self, method: str, path: str, body: object, headers: dict[str, str]) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method, BASE + path, content, content_type="application/json", headers=self._all(headers)
        )

    def _all(self, headers: dict[str, str]) -> dict[str, str]:
        return {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}


def problem(response: Any) -> tuple[int, str]:
    """Return the status and the code of an error."""
    return response.status_code, response.json()["error"]["code"]


def constraints(response: Any) -> dict[str, str]:
    """Return the fields of a validation error with their constraints."""
    assert problem(response) == (400, "VALIDATION_ERROR"), response.content
    return {field["field"]: field["constraint"] for field in response.json()["error"]["details"]["fields"]}
