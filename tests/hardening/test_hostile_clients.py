"""Malformed requests to the real web server: no answer is a 5xx, and none reveals internals."""

import re
import socket

import pytest
from django.contrib.auth.models import User

from items.models import Item
from items.states import Status
from tests.items.factories import make_item
from tests.privacy.web import HOST, Web
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

INSIDE = re.compile(rb"Traceback|psycopg|django\.|site-packages|SELECT |relation |lv_[\w-]{20}")
JSON = b"Content-Type: application/json"
FORM = b"Content-Type: application/x-www-form-urlencoded"
ITEMS = b"/api/v1/items"
LONG = b"a" * 60_000

PATHS = {
    "NUL": ITEMS + b"/%00",
    "half a surrogate": ITEMS + b"/%ed%a0%80",
    "not UTF-8": ITEMS + b"/%ff%fe",
    "raw bytes": ITEMS + b"/\xff\xfe",
    "long": b"/" + LONG,
    "dots": b"/static/../../manage.py",
    "encoded dots": b"/static/%2e%2e/%2e%2e/manage.py",
    "line break": ITEMS + b"%0d%0aX-A:%20b",
    "two slashes": b"//evil.example/api/v1/items",
    "whole address": b"http://evil.example/api/v1/items/none",
    "star": b"*",
    "search for NUL": ITEMS + b"?q=%00",
    "search too long": ITEMS + b"?q=" + LONG,
    "thousands of parameters": ITEMS + b"?" + b"&".join(b"a%d=1" % n for n in range(5_000)),
    "limit of many digits": ITEMS + b"?limit=" + b"9" * 5_000,
    "cursor with a line break": ITEMS + b"?cursor=A" + b"A" * 31 + b"%0a",
    "admin with NUL": b"/admin/items/item/%00/change/",
}
HEADERS = {
    "host of another": b"Host: evil.example",
    "two lengths": b"Content-Length: 1\r\nContent-Length: 2",
    "length with a sign": b"Content-Length: +5",
    "length beyond all": b"Content-Length: 99999999999999999999999",
    "chunked and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 4",
    "token of strange bytes": b"Authorization: Bearer lv_\xff\xfe",
    "long token": b"Authorization: Bearer lv_" + LONG,
    "no charset": JSON + b"; charset=\xff",
    "unknown charset of a parameter": JSON + b"; x*=none''y",
    "unusable charset of a parameter": JSON + b"; x*=undefined''y",
    "parameters of two kinds": JSON + b"; x*=a; x*0=b",
    "long boundary": b"Content-Type: multipart/form-data; boundary=" + b"x" * 5_000,
    "thousand headers": b"\r\n".join(b"X-%d: y" % n for n in range(1_000)),
    "folded header": b"X-A: b\r\n folded",
    "only pictures": b"Accept: image/png",
}
BODIES = {
    "nested deeply": b'{"rawText": ' + b"[" * 32_000,
    "number of many digits": b'{"rawText": ' + b"9" * 60_000 + b"}",
    "number without end": b'{"rawText": 1e999999}',
    "NUL in a name": b'{"\\u0000": 1}',
    "half a surrogate in a name": b'{"\\ud800": 1}',
    "surrogate in UTF-8": b'{"rawText": "\xed\xa0\x80"}',
    "overlong UTF-8": b'{"rawText": "\xc0\x80"}',
    "thousands of names": b"{" + b", ".join(b'"k%d": 1' % n for n in range(5_000)) + b"}",
    "before all time": b'{"createdBefore": "0001-01-01T00:00:00+14:00"}',
    "after all time": b'{"createdBefore": "9999-12-31T23:59:59-14:00"}',
    "more after the end": b'{"rawText": "a"}\x00',
}
NO_HTTP = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "every byte": bytes(range(256)) * 4,
    "no version": b"GET /\r\n\r\n",
}


class Sender:
    def __init__(self, address: str, token: str) -> None:
        self.port = int(address.rpartition(":")[2])
        self.authorization = b"Authorization: Bearer " + token.encode()

    def raw(self, content: bytes, *, hangs_up: bool = False) -> bytes:
        """Send the bytes and return the whole response."""
        with socket.create_connection((HOST, self.port), timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(content)
            if hangs_up:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while part := connection.recv(65_536):
                    answer += part
            except ConnectionResetError:
                pass  # the server may close before it has read everything
            return answer

    def request(self, method: bytes, path: bytes, *headers: bytes, body: bytes = b"", hangs_up: bool = False) -> bytes:
        length = [b"Content-Length: %d" % len(body)] if body else []
        usual = [b"Host: 127.0.0.1", b"Connection: close", self.authorization, *length]
        named = {header.partition(b":")[0] for header in headers}
        lines = [*(line for line in usual if line.partition(b":")[0] not in named), *headers]
        head = method + b" " + path + b" HTTP/1.1\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"
        return self.raw(head + body, hangs_up=hangs_up)


@pytest.fixture
def sender(shared_web: Web, token: str) -> Sender:
    return Sender(shared_web.address, token)


def test_whatever_is_sent_the_server_neither_breaks_nor_talks(sender: Sender, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)
    one = b"%s/%s" % (ITEMS, str(item.id).encode())

    answers = {f"path {name}": sender.request(b"GET", path) for name, path in PATHS.items()}
    answers |= {f"header {name}": sender.request(b"GET", ITEMS, header) for name, header in HEADERS.items()}
    for method, path in ((b"POST", ITEMS), (b"POST", ITEMS + b"/retry"), (b"PATCH", one), (b"POST", one + b"/retry")):
        for name, body in BODIES.items():
            answers[f"{method!r} {path!r} body {name}"] = sender.request(method, path, JSON, body=body)
    answers |= {name: sender.raw(content) for name, content in NO_HTTP.items()}

    statuses = {name: status_of(answer) for name, answer in answers.items()}
    assert {name: status for name, status in statuses.items() if status is None or status >= 500} == {}
    assert {name for name, answer in answers.items() if INSIDE.search(answer)} == set()
    assert status_of(sender.request(b"GET", ITEMS)) == 200, "it does not answer any more"
    assert Item.objects.get().pk == item.pk


@pytest.mark.parametrize(
    ("header", "half"),
    [(JSON, b'{"rawText": "The whole."}'), (FORM, b"rawText=The+first+half+of")],
)
def test_body_that_was_cut_off_captures_nothing(sender: Sender, header: bytes, half: bytes) -> None:
    answer = sender.request(b"POST", ITEMS, header, b"Content-Length: 500", body=half, hangs_up=True)

    assert status_of(answer) in {400, None}, "the connection is over: an answer may not reach anybody"
    assert not Item.objects.exists()


@pytest.mark.parametrize("header", [b"If-Match: \xff", b"If-Match:", b'If-Match: "other", \xff'])
def test_version_that_cannot_be_read_is_not_taken_for_none(sender: Sender, owner: User, header: bytes) -> None:
    item = make_item(owner, status=Status.FAILED)

    answer = sender.request(b"POST", b"%s/%s/retry" % (ITEMS, str(item.id).encode()), header)

    assert status_of(answer) == 412
    item.refresh_from_db()
    assert item.status == Status.FAILED


def status_of(answer: bytes) -> int | None:
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    return int(found[1]) if found else None
