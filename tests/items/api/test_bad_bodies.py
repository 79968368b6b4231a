"""Bodies that cannot be read. None of them may be a server error."""

import json

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from tests.items.api.client import BASE, Api, constraints, problem

DEEP = b'{"rawText": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"
DEEPER_THAN_TWENTY = b'{"rawText": ' + b"[" * 20 + b"]" * 20 + b"}"

UNREADABLE = {
    "not JSON": b"{",
    "not UTF-8": b'{"rawText": "\xff"}',
    "UTF-16": '{"rawText": "a"}'.encode("utf-16"),
    "NaN": b'{"rawText": NaN}',
    "Infinity": b'{"rawText": -Infinity}',
    "name twice": b'{"rawText": "a", "rawText": "b"}',
    "list": b'[{"rawText": "a"}]',
    "string": b'"rawText"',
    "null": b"null",
    "number of many digits": b'{"rawText": ' + b"9" * 5_000 + b"}",
    "deep": DEEP,
    "deeper than twenty": DEEPER_THAN_TWENTY,
    "wide and deep": b'{"a": {"b": ' * 1_500 + b"1" + b"}}" * 1_500,
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("path", ["/items", "/items/retry"])
def test_unreadable_body_is_refused(owner: User, path: str, body: bytes) -> None:
    response = Api(owner).raw("POST", path, body)

    assert problem(response) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"hello"),
        ("application/xml", b"<a/>"),
        ("", b"{}"),
        ("application/merge-patch+json", b"{}"),
        ("nonsense", b"x"),
        ("application/json-seq", b"{}"),
    ],
)
def test_other_content_types_are_refused(owner: User, content_type: str, body: bytes) -> None:
    response = Api(owner).raw("POST", "/items", body, content_type)

    assert problem(response) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=\xff", b"--x"),
        ("application/x-www-form-urlencoded; charset=bz2_codec", b"rawText=a"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(2_000))),
        ("application/json; charset=utf-16", b"{}"),
    ],
)
def test_malformed_form_is_a_client_error(owner: User, content_type: str, body: bytes) -> None:
    response = Api(owner).raw("POST", "/items", body, content_type)

    assert response.status_code == 400, response.content
    assert "error" in response.json()


def test_uploaded_file_is_refused(owner: User) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="rawText"; filename="a"\r\n\r\nhello\r\n--x--\r\n'

    response = Api(owner).raw("POST", "/items", body, "multipart/form-data; boundary=x")

    assert constraints(response) == {"rawText": "invalid"}


def test_body_over_the_limit_is_refused(owner: User) -> None:
    api = Api(owner)
    body = json.dumps({"rawText": "a"}).encode()
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    at_limit = api.raw("POST", "/items", body.ljust(limit))
    above = api.raw("POST", "/items", body.ljust(limit + 1))

    assert at_limit.status_code == 201
    assert problem(above) == (413, "PAYLOAD_TOO_LARGE")
    assert above.json()["error"]["message"] == "The body must not exceed 1,235 KiB."


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_large_form_is_refused_before_it_is_read(owner: User, content_type: str) -> None:
    response = Api(owner).raw("POST", "/items", b"a" * 3_000_000, content_type)

    assert problem(response) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"CONTENT_LENGTH": "5"}, (400, "INVALID_REQUEST")),
        ({"CONTENT_LENGTH": "-1"}, (400, "INVALID_REQUEST")),
        ({"CONTENT_LENGTH": "many"}, (400, "INVALID_REQUEST")),
        ({"CONTENT_LENGTH": "9" * 5_000}, (413, "PAYLOAD_TOO_LARGE")),
        ({"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}, (400, "INVALID_REQUEST")),
        ({"HTTP_CONTENT_ENCODING": "gzip"}, (415, "UNSUPPORTED_MEDIA_TYPE")),
        ({"HTTP_CONTENT_ENCODING": "identity"}, None),
    ],
)
def test_inconsistent_content_headers_are_handled(
    owner: User, headers: dict[str, str], expected: tuple[int, str] | None
) -> None:
    api = Api(owner)

    response = api.client.generic(
        "POST",
        f"{BASE}/items",
        b'{"rawText": "hello"}',
        content_type="application/json",
        headers=api.headers,
        **headers,  # type: ignore[arg-type]  # what WSGI calls them
    )

    assert (problem(response) if expected else response.status_code) == (expected or 201)
