"""Every place that may hold neither the key nor another user's text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import psycopg
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from psycopg import sql

from items.models import Item
from items.states import Status
from tests.items.api.client import Api

# The only column for the text.
HOME = "items.raw_text"

COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_name)
WHERE columns.table_schema = current_schema() AND table_type = 'BASE TABLE'
"""


def columns() -> dict[str, str]:
    """Return every value of every column of every table in the database."""
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        names = cursor.fetchall()
        return {f"{table}.{column}": _values(cursor, table, column) for table, column in names}


def _values(cursor: object, table: str, column: str) -> str:
    query = sql.SQL("SELECT coalesce(string_agg({column}::text, chr(10)), '') FROM {table}")
    cursor.execute(query.format(column=sql.Identifier(column), table=sql.Identifier(table)))  # type: ignore[attr-defined]
    (values,) = cursor.fetchone()  # type: ignore[attr-defined]
    return str(values)


class Channels:
    """Listens on every channel of the triggers and the program."""

    def __init__(self, *known: str) -> None:
        self._connection = psycopg.connect(**connection.get_connection_params(), autocommit=True)
        self.names = {*known, *self._named_in_functions()}
        for name in self.names:
            self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(name)))

    def _named_in_functions(self) -> Iterator[str]:
        sources = self._connection.execute("SELECT prosrc FROM pg_proc WHERE prosrc LIKE '%pg_notify%'").fetchall()
        for (source,) in sources:
            yield from re.findall(r"pg_notify\('(\w+)'", source)

    def close(self) -> dict[str, list[str]]:
        """Return the payloads, by channel."""
        heard: dict[str, list[str]] = {name: [] for name in self.names}
        for notification in self._connection.notifies(timeout=0.5):
            heard[notification.channel].append(notification.payload)
        self._connection.close()
        return heard


def pages_of_the_admin(client: Client) -> dict[str, str]:
    """Return every list, and the list of items under every filter of the page."""
    lists = [reverse("admin:index"), *(_list_of(model) for model in admin.site._registry)]
    items = _list_of(Item)
    filters = [f"status={status}" for status in Status] + ["all=1", "p=1", "error_code=LLM_API_ERROR", "age=1"]
    urls = [*lists, *(f"{items}?{each}" for each in filters)]
    return {url: _shown(client.get(url, follow=True)) for url in urls}


def _list_of(model: type) -> str:
    options = model._meta  # type: ignore[attr-defined]
    return reverse(f"admin:{options.app_label}_{options.model_name}_changelist")


def answers_to(user: User, items: Iterable[Item]) -> dict[str, str]:
    """Return the API's responses to this user, for all lists and for another user's items, as JSON and as pages."""
    api = Api(user)
    answers = {f"GET {path}": api.get(path) for path in ("/items", "/items/pending", "/tags", "/items?limit=100")}
    for item in items:
        path = f"/items/{item.pk}"
        answers[f"GET {path}"] = api.get(path)
        answers[f"GET {path} as a page"] = api.get(path, Accept="text/html")
        answers[f"PATCH {path}"] = api.patch(path, {"action": "discard"})
        for action in ("retry", "redraft", "restore"):
            answers[f"POST {path}/{action}"] = api.post(f"{path}/{action}")
    answers["POST /items/retry"] = api.post("/items/retry", {})
    return {call: _shown(answer) for call, answer in answers.items()}


def _shown(response: object) -> str:
    return f"{response.headers}\n{response.content.decode()}"  # type: ignore[attr-defined]


def files(folder: Path) -> Mapping[str, str]:
    """Return the output of every process that logs to the folder."""
    return {path.name: path.read_text() for path in sorted(folder.glob("process-*.log"))}
