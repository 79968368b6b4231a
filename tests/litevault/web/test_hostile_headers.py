"""Headers on which Django or REST framework would crash."""

import pytest
from django.test import Client

PATHS = ("/api/v1/items", "/api/v1/schema", "/admin/", "/account", "/login", "/unknown")
PARAMETERS = ("x*=none''y", "x*=idna''%ff", "x*=a; x*0=b", f"x*{'9' * 5_000}=y")
# As in double quotes, where a backslash begins the octal code of a byte.
NUL = '"0123456789\\000"'


def get(path: str, **headers: str) -> int:
    return Client(raise_request_exception=False).get(path, headers=headers).status_code


@pytest.mark.django_db
@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("path", PATHS)
def test_type_that_cannot_be_parsed_is_not_acceptable(path: str, parameters: str) -> None:
    alone = get(path, Accept=f"application/json; {parameters}")
    beside_another = get(path, Accept=f"application/json; {parameters}, text/html;q=0.9")

    assert alone in {get(path, Accept="image/png"), 406}
    assert beside_another == get(path, Accept="text/html")


@pytest.mark.django_db
@pytest.mark.parametrize("cookie", ["sessionid", "csrftoken", "messages"])
@pytest.mark.parametrize("path", PATHS)
def test_cookie_with_a_nul_counts_as_missing(path: str, cookie: str) -> None:
    assert get(path, Accept="text/html", Cookie=f"{cookie}={NUL}") == get(path, Accept="text/html")
