"""A Content-Type that Django cannot parse is answered like any other that is unknown."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from litevault.accounts.models import ApiToken
from litevault.web.content_type import LenientRequest

TYPES = ["x*=none''y", "x*=undefined''y", "x*=idna''%ff", "x*=a; x*0=b", f"x*{'9' * 5_000}=y"]


def ask(owner: User, method: str, content_type: str, body: bytes = b"") -> tuple[int, Any]:
    """Send a request as the WSGI application does: the test client makes requests of Django's own class."""
    environ = RequestFactory().generic(method, "/api/v1/items", body).environ
    environ["HTTP_AUTHORIZATION"] = f"Bearer {ApiToken.objects.issue(user=owner, name='test')[1]}"
    environ["CONTENT_TYPE"] = content_type
    response: Any = WSGIHandler().get_response(LenientRequest(environ))
    return response.status_code, json.loads(response.content)


@pytest.mark.parametrize("parameters", TYPES)
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_body_of_an_unparsable_type_is_refused(owner: User, kind: str, parameters: str) -> None:
    status, response = ask(owner, "POST", f"{kind}; {parameters}", b'{"rawText": "a"}')

    assert (status, response["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert response["error"]["requestId"]
    assert not owner.items.exists()


@pytest.mark.parametrize("parameters", TYPES)
def test_unparsable_type_without_a_body_does_not_matter(owner: User, parameters: str) -> None:
    assert ask(owner, "GET", f"application/json; {parameters}")[0] == 200
