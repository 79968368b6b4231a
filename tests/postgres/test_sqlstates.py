"""The database's errors are sorted by SQLSTATE, not by the class that psycopg and Django give them."""

import psycopg
import pytest
from django.db import Error, connection

from postgres.sqlstates import refuses_data, sentence_of, sqlstate_of
from tests.raising import CANARY, DATA, LATER

RAISE = "DO $$ BEGIN RAISE EXCEPTION '{}' USING ERRCODE = '{}'; END $$"


def raised(sqlstate: str) -> Error:
    with pytest.raises(Error) as caught, connection.cursor() as cursor:
        cursor.execute(RAISE.format(CANARY, sqlstate))
    return caught.value


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sqlstate", [*DATA, *LATER])
def test_only_classes_22_and_23_refuse_the_data(sqlstate: str) -> None:
    error = raised(sqlstate)
    assert isinstance(error.__cause__, psycopg.Error)

    assert sqlstate_of(error) == sqlstate_of(error.__cause__) == sqlstate
    assert refuses_data(error) is refuses_data(error.__cause__) is (sqlstate in DATA)
    assert CANARY not in sentence_of(error)


@pytest.mark.parametrize("kind", [psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError])
def test_error_without_sqlstate_means_later(kind: type[psycopg.Error]) -> None:
    assert not refuses_data(kind(CANARY))
    assert sentence_of(kind(CANARY)) == "The database does not answer."


@pytest.mark.django_db(transaction=True)
def test_text_that_psycopg_cannot_send_is_refused_data() -> None:
    with pytest.raises(Error) as caught, connection.cursor() as cursor:
        cursor.execute("SELECT %s", ["\0"])

    assert sqlstate_of(caught.value) == ""
    assert refuses_data(caught.value)
