"""Times that the database returns, in the forms that PostgreSQL writes them."""

from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connection
from django.db.utils import DataError

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01 12:00:00+00",
        "2026-05-01 12:00:00.5+00",
        "2026-05-01 12:00:00.123456+00",
        "1970-01-01 00:00:00+00",
        "0001-01-01 00:00:00+00",
        "9999-12-31 23:59:59.999999+00",
        "2026-05-01 12:00:00+05:30",
    ],
)
def test_time_is_read_in_utc(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz, extract(epoch FROM %s::timestamptz)", [text, text])
        ((time, epoch),) = cursor.fetchall()

    assert time.tzinfo is UTC
    assert (time - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() == pytest.approx(float(epoch), abs=1e-3)


@pytest.mark.parametrize("text", ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "10000-01-01 00:00:00+00"])
def test_time_that_python_does_not_have_is_an_error(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        with pytest.raises((DataError, psycopg.DataError)):
            cursor.fetchall()
