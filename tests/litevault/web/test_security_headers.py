"""Headers that forbid a page to load or send anything foreign. The tests in Chromium look for what is missing then."""

import hashlib
import re
from base64 import b64encode
from http import HTTPStatus
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

import litevault.web
from litevault.web.security_headers import ERROR_STYLE
from tests.items.admin.staff import EVERY_VERB, staff
from tests.items.factories import make_item

PAGES = [
    "/login",
    "/api/v1/items",
    "/api/v1/items/pending",
    "/api/v1/tags",
    "/api/v1/docs",
    "/admin/",
    "/admin/items/item/",
    "/no/such/page",
]
TEMPLATES = [path for app in ("items", "litevault") for path in (settings.BASE_DIR / app).rglob("templates/**/*.html")]
OF_ERRORS = Path(litevault.web.__file__).parent / "templates/web/error.html"


@pytest.fixture
def client(db: None) -> Client:
    client = Client(headers={"accept": "text/html"})
    client.force_login(staff("reviewer", *EVERY_VERB))
    return client


@pytest.mark.parametrize("path", PAGES)
def test_every_page_forbids_foreign_and_inline_code(client: Client, path: str) -> None:
    response = client.get(path)
    policy = dict(directive.split(" ", 1) for directive in response.headers["Content-Security-Policy"].split("; "))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in str(policy)
    assert "camera=()" in response.headers["Permissions-Policy"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_templates_have_no_inline_code(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=\x22|javascript:", text)
    assert path == OF_ERRORS or "<style" not in text


def test_style_of_the_error_page_is_the_one_allowed() -> None:
    (style,) = re.findall("<style>(.*?)</style>", OF_ERRORS.read_text(), re.DOTALL)

    assert f"sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}" == ERROR_STYLE


def test_private_answers_are_not_stored(client: Client, django_user_model: type[User]) -> None:
    owner = django_user_model.objects.get(username="reviewer")
    item = make_item(owner)
    paths = ["/api/v1/items", "/api/v1/items/pending", "/api/v1/tags", f"/api/v1/items/{item.id}", "/admin/items/item/"]

    for path in paths:
        response = client.get(path)

        assert response.status_code == HTTPStatus.OK
        assert {"private", "no-store"} <= set(response.headers["Cache-Control"].split(", ")), path
