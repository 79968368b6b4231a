"""Forms are held to JSON's rules: what cannot be stored as it was sent is refused by name, and nothing is stored."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from items.models import Item
from items.states import Status
from tests.items.admin.staff import EVERY_VERB, staff_client
from tests.items.api.browser import ACCEPT
from tests.items.api.client import Api, constraints, problem
from tests.items.factories import make_item

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


def part(value: bytes, *headers: str, name: str = "rawText", more: str = "") -> bytes:
    lines = [f'Content-Disposition: form-data; name="{name}"{more}', *headers]
    return b"--x\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + value + b"\r\n"


END = b"--x--\r\n"
REFUSED_BY_NAME = {
    "Latin-1, quoted": (URLENCODED, b"rawText=caf%E9", {"rawText": "encoding"}),
    "Latin-1, raw": (URLENCODED, b"rawText=caf\xe9", {"rawText": "encoding"}),
    "half of a surrogate pair": (URLENCODED, b"rawText=%ED%A0%80", {"rawText": "encoding"}),
    "cut character": (URLENCODED, b"rawText=%C3", {"rawText": "encoding"}),
    "name that is not UTF-8": (URLENCODED, b"rawText=a&%FF=b", {"?": "encoding"}),
    "NUL": (URLENCODED, b"rawText=a%00b", {"rawText": "null_characters_not_allowed"}),
    "text twice": (URLENCODED, b"rawText=first&rawText=second", {"rawText": "repeated"}),
    "box twice": (URLENCODED, b"rawText=a&enrich=true&enrich=false", {"enrich": "repeated"}),
    "private name twice": (URLENCODED, b"rawText=a&my+secret=1&my+secret=2", {"?": "repeated"}),
    "part in Latin-1": (MULTIPART, part(b"caf\xe9") + END, {"rawText": "encoding"}),
    "part that says Latin-1": (
        MULTIPART,
        part(b"caf\xe9", "Content-Type: text/plain; charset=iso-8859-1") + END,
        {"rawText": "encoding"},
    ),
    "part that says UTF-16": (
        MULTIPART,
        part("a".encode("utf-16"), "Content-Type: text/plain; charset=utf-16") + END,
        {"rawText": "encoding"},
    ),
    "part in base64": (MULTIPART, part(b"YQ==", "Content-Transfer-Encoding: base64") + END, {"rawText": "encoding"}),
    "part twice": (MULTIPART, part(b"first") + part(b"second") + END, {"rawText": "repeated"}),
    "file": (MULTIPART, part(b"a", more='; filename="a.txt"') + END, {"rawText": "invalid"}),
    "file without a name": (MULTIPART, part(b"a", more='; filename=""') + END, {"rawText": "invalid"}),
}
MALFORMED = {
    "no end": (MULTIPART, part(b"hello")),
    "cut end": (MULTIPART, part(b"hello") + b"--x-"),
    "cut text": (MULTIPART, part(b"hello")[:-4]),
    "no part": (MULTIPART, b"hello"),
    "text before": (MULTIPART, b"hello\r\n" + part(b"a") + END),
    "text after": (MULTIPART, part(b"a") + END + b"hello"),
    "other boundary": (MULTIPART.replace("x", "y"), part(b"a") + END),
    "boundary that is too long": (MULTIPART + "x" * 70, part(b"a") + END),
    "no boundary": ("multipart/form-data", part(b"a") + END),
    "part without a name": (MULTIPART, b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n" + END),
    "part without headers": (MULTIPART, b"--x\r\n\r\na\r\n" + END),
    "part that is an attachment": (
        MULTIPART,
        b'--x\r\nContent-Disposition: attachment; name="rawText"\r\n\r\na\r\n' + END,
    ),
    "name in an escaped encoding": (
        MULTIPART,
        b"--x\r\nContent-Disposition: form-data; name*=unicode_escape''\\ud800\r\n\r\na\r\n" + END,
    ),
    "name in an unknown encoding": (
        MULTIPART,
        b"--x\r\nContent-Disposition: form-data; name*=none''a\r\n\r\na\r\n" + END,
    ),
    "name of two kinds": (MULTIPART, b"--x\r\nContent-Disposition: form-data; name*=a; name*0=b\r\n\r\na\r\n" + END),
    "long headers": (MULTIPART, part(b"a", "X-Long: " + "a" * 2_000) + END),
    "name in Latin-1": (MULTIPART, part(b"a").replace(b"rawText", b"raw\xe9") + END),
    "form in Latin-1": ("application/x-www-form-urlencoded; charset=iso-8859-1", b"rawText=caf%E9"),
    "parts in Latin-1": ("multipart/form-data; charset=latin-1; boundary=x", part(b"caf\xe9") + END),
    "fields": (URLENCODED, b"&".join(b"a%d=1" % number for number in range(2_000))),
    "parts": (MULTIPART, b"".join(part(b"1", name=f"a{number}") for number in range(600)) + END),
}


@pytest.mark.parametrize(("content_type", "body", "expected"), REFUSED_BY_NAME.values(), ids=REFUSED_BY_NAME)
def test_field_that_cannot_be_kept_is_refused_by_name(
    owner: User, content_type: str, body: bytes, expected: dict[str, str]
) -> None:
    response = Api(owner).raw("POST", "/items", body, content_type)

    assert constraints(response) == expected
    assert not Item.objects.exists()


@pytest.mark.parametrize(("content_type", "body"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_form_stores_nothing(owner: User, settings: Settings, content_type: str, body: bytes) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

    response = Api(owner).raw("POST", "/items", body, content_type)

    assert problem(response) == (400, "INVALID_REQUEST")
    assert not Item.objects.exists()


KEPT = {
    "quoted": (URLENCODED, b"rawText=caf%C3%A9+%26+%F0%9F%99%82", "café & 🙂"),
    "raw UTF-8": (URLENCODED, "rawText=café".encode(), "café"),
    "with a charset": ("application/x-www-form-urlencoded; charset=UTF-8", "rawText=café".encode(), "café"),
    "equals sign": (URLENCODED, b"rawText=a=b=c", "a=b=c"),
    "percent sign": (URLENCODED, b"rawText=100%+sure,+%zz", "100% sure, %zz"),
    "semicolon": (URLENCODED, b"&&rawText=a;b&", "a;b"),
    "white space": (URLENCODED, b"rawText=%0A%0D%0A+a%09%0D", "\n\n a\t\r"),
    "part": (MULTIPART, part("café 🙂".encode()) + END, "café 🙂"),
    "part with a charset": (
        MULTIPART,
        part("café".encode(), "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit") + END,
        "café",
    ),
    "quoted boundary": ('multipart/form-data; boundary="x"', part(b"a") + END, "a"),
    "boundary within a text": (MULTIPART, part(b"a --x-- b\n--x\n") + END, "a --x-- b\n--x\n"),
    "line breaks at both ends": (MULTIPART, part(b"\n\r\n a\r\n\r\n") + END, "\n\n a\n\n"),
    "NFD": (MULTIPART, part("cafe\u0301".encode()) + END, "cafe\u0301"),
}


@pytest.mark.parametrize(("content_type", "body", "text"), KEPT.values(), ids=KEPT)
def test_form_is_stored_as_it_was_sent(owner: User, content_type: str, body: bytes, text: str) -> None:
    response = Api(owner).raw("POST", "/items", body, content_type)

    assert response.status_code == 201, response.content
    assert Item.objects.get().raw_text == text


@pytest.mark.parametrize("body", [b"action=confirm&title=caf%E9", b"action=confirm&title=one&title=two"])
def test_refused_form_changes_nothing(owner: User, body: bytes) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    response = Api(owner).raw("PATCH", f"/items/{item.id}", body, URLENCODED)

    assert response.status_code == 400
    before = item.updated_at
    item.refresh_from_db()
    assert (item.status, item.updated_at) == (Status.READY_TO_CONFIRM, before)


@pytest.fixture
def reviewer(db: None) -> Client:
    return staff_client("reviewer", *EVERY_VERB)


def test_undecodable_form_is_refused_in_the_admin(owner: User, reviewer: Client) -> None:
    item = make_item(owner, status=Status.ARCHIVED, title="Mine")

    response = reviewer.post(
        f"/admin/items/item/{item.id}/change/", b"title=caf%E9&_save=", content_type=URLENCODED, headers=ACCEPT
    )

    assert response.status_code == 400
    assert "title is not UTF-8." in response.text
    item.refresh_from_db()
    assert item.title == "Mine"


def test_boxes_of_the_admin_may_repeat(owner: User, reviewer: Client) -> None:
    items = [make_item(owner, status=Status.FAILED) for _ in range(3)]

    reviewer.post(
        "/admin/items/item/", {"action": "retry_selected", "_selected_action": [str(item.id) for item in items]}
    )

    assert Item.objects.filter(status=Status.ENRICHING).count() == 3


@pytest.mark.parametrize("content_type", ["application/json", URLENCODED, MULTIPART])
def test_browser_gets_a_page_for_a_body_over_the_limit(owner: User, settings: Settings, content_type: str) -> None:
    browser = Client()
    browser.force_login(owner)
    size = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    response = browser.post("/api/v1/items", b"a" * (size + 1), content_type=content_type, headers=ACCEPT)

    assert (response.status_code, response["Content-Type"]) == (413, "text/html; charset=utf-8")
    assert f"The body must not exceed {size // 1024:,} KiB." in response.text
