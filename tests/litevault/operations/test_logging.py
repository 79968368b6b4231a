"""The content of the logs, and secrets that they never contain."""

import asyncio
import gc
import json
import logging
import os
from collections.abc import Iterator

import pytest
import structlog
from django.db import IntegrityError, connection
from django.db.backends.utils import CursorWrapper
from psycopg.errors import UniqueViolation

from litevault.operations.logging import VERBOSE_LOGGERS, configure_logging

CANARY = "canary-4711"


@pytest.fixture(autouse=True)
def configuration() -> Iterator[None]:
    """Restore the configuration itself, because loggers that have been used keep its list of processors."""
    root = logging.getLogger()
    handlers, level, structlog_config = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**structlog_config)


@pytest.fixture(params=["json", "console"])
def log_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fail(private: str) -> None:
    text_of_the_user = private
    try:
        os.environ[text_of_the_user]
    except KeyError as error:
        raise ValueError(private) from error


def test_event_carries_its_words_and_its_values(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format=log_format, level="INFO")

    structlog.get_logger("litevault.test").info("item.captured", length=12)

    said = capsys.readouterr().err
    assert "item.captured" in said
    assert "12" in said


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="json", level="INFO")

    structlog.get_logger("litevault.test").warning("item.lost", item_id="1")
    logging.getLogger("somebody.else").warning("text with %s", "arguments")

    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["level"], ours["item_id"]) == ("item.lost", "warning", "1")
    assert theirs["event"] == "text with arguments"


def test_traceback_has_lines_and_classes_but_no_values(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format=log_format, level="DEBUG")

    try:
        fail(CANARY)
    except ValueError:
        structlog.get_logger("litevault.test").exception("something.failed")
        logging.getLogger("somebody.else").exception("something failed")

    said = capsys.readouterr().err
    assert said.count("ValueError") == 2
    assert said.count("KeyError") == 2
    assert "test_logging.py" in said
    assert CANARY not in said


@pytest.mark.parametrize("name", ["api_key", "Authorization", "password", "secret_key", "token", "raw_text", "cookie"])
def test_values_of_secret_names_are_blanked(log_format: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format=log_format, level="DEBUG")

    structlog.get_logger("litevault.test").info("something.happened", **{name: CANARY})

    said = capsys.readouterr().err
    assert "[redacted]" in said
    assert CANARY not in said


@pytest.mark.parametrize("name", ["prompt_tokens", "fencing_token_count", "tokens"])
def test_counts_of_tokens_are_not_secrets(log_format: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format=log_format, level="DEBUG")

    structlog.get_logger("litevault.test").info("something.happened", **{name: 17})

    assert "17" in capsys.readouterr().err


@pytest.mark.parametrize("name", VERBOSE_LOGGERS)
def test_verbose_libraries_are_silent(log_format: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format=log_format, level="DEBUG")

    logging.getLogger(name).error(CANARY)
    logging.getLogger(f"{name}.child").error(CANARY)
    logging.getLogger("another").error("This is heard.")

    said = capsys.readouterr().err
    assert "This is heard." in said
    assert CANARY not in said


class Unique:
    """A real unique violation, whose DETAIL quotes the text."""

    def __init__(self, cursor: CursorWrapper) -> None:
        cursor.execute("CREATE TEMPORARY TABLE quoted (text text UNIQUE)")
        cursor.execute("INSERT INTO quoted VALUES (%s)", [CANARY])
        self._cursor = cursor

    def violate(self) -> None:
        self._cursor.execute("INSERT INTO quoted VALUES (%s)", [CANARY])


@pytest.mark.django_db(transaction=True)
def test_unretrieved_errors_are_logged_without_the_row(
    log_format: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_logging(log_format=log_format, level="INFO")

    async def violate(unique: Unique) -> None:
        unique.violate()

    async def forget(unique: Unique) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(violate(unique), name=CANARY)
        future = loop.create_future()
        with pytest.raises(IntegrityError, match=CANARY) as violation:
            unique.violate()
        future.set_exception(violation.value)
        loop.call_soon(unique.violate)
        await asyncio.wait({task})
        del violation, future, task

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with connection.cursor() as cursor:
        asyncio.run(forget(Unique(cursor)))
        gc.collect()
        cursor.execute("DROP TABLE quoted")

    said = capsys.readouterr().err
    assert said.count("asyncio.reported") == 3, said
    assert said.count("django.db.utils.IntegrityError") == 3
    assert CANARY not in said


def test_driver_reports_classes_without_their_text(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format=log_format, level="DEBUG")

    logging.getLogger("psycopg").warning("error ignored in %s: %s", CANARY, UniqueViolation(CANARY))
    logging.getLogger("psycopg.pool").warning(CANARY)
    logging.getLogger("psycopgless").warning("This is heard.")

    said = capsys.readouterr().err
    assert "psycopg.reported UniqueViolation" in said
    assert "This is heard." in said
    assert CANARY not in said


def test_statements_with_their_parameters_are_not_logged(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format=log_format, level="DEBUG")

    logging.getLogger("django.db.backends").debug("INSERT %s", CANARY)
    logging.getLogger("another").debug("This is heard.")

    said = capsys.readouterr().err
    assert "This is heard." in said
    assert CANARY not in said
