"""Queries whose SQL Django makes once, because making it takes longer than running it."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet, Value

Converter = tuple[int, Callable[[Any, Any, Any], Any], Any]
"""The place of a column, a function that makes of its value what a model has, and the function's second argument."""


class Parameter(Value):
    """A value in a query that differs from call to call."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]  # our own value
        return "%s", [self]


class Compiled(NamedTuple):
    sql: str
    parameters: Sequence[Any]
    converters: Sequence[Converter]


class CompiledQuery:
    """A queryset with parameters. `build` is called at the first use, when the models are loaded."""

    def __init__(self, build: Callable[[], QuerySet[Any]]) -> None:
        self._build = build

    def rows(self, **values: Any) -> list[Sequence[Any]]:
        """Return what the queryset selects."""
        sql, parameters, converters = self._compiled
        with connection.cursor() as cursor:
            cursor.execute(sql, [values[each.value] if isinstance(each, Parameter) else each for each in parameters])
            rows: list[Any] = cursor.fetchall()
        if converters:
            rows = list(map(list, rows))
            for row in rows:
                for place, convert, expression in converters:
                    row[place] = convert(row[place], expression, connection)
        return rows

    def instances(self, **values: Any) -> list[Any]:
        """Return the instances of a queryset that selects all columns of its model."""
        return [self._model.from_db(connection.alias, self._columns, row) for row in self.rows(**values)]

    @cached_property
    def _compiled(self) -> Compiled:
        compiler = self._build().query.get_compiler(connection.alias)
        sql, parameters = compiler.as_sql()
        selected = [expression for expression, *_ in compiler.select[: compiler.col_count]]
        found = compiler.get_converters(selected).items()
        converters = [(place, convert, expression) for place, (converts, expression) in found for convert in converts]
        return Compiled(sql, parameters, converters)

    @cached_property
    def _model(self) -> Any:
        return self._build().model

    @cached_property
    def _columns(self) -> list[str]:
        return [field.attname for field in self._model._meta.concrete_fields]
