"""A serializer for responses that reads each field by a function made once.

REST framework decides for each value of each object how to get it, whether it is null and in which time zone it is. On
a page of a hundred items, that takes longer than all the rest.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, ClassVar

from rest_framework import serializers

Conversion = Callable[[Any], Any]
ReadField = tuple[str, str, Callable[[Any], Any], Conversion | None]
"""The name, the attribute, the function that reads it, and the one that makes JSON of it."""


class ReadSerializer(serializers.Serializer[Any]):
    """The declared fields are for the OpenAPI document, too. A test compares each with REST framework's result."""

    _plan: ClassVar[tuple[ReadField, ...]]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        row = {}
        for name, _, get, convert in self._plan_of_class():
            value = get(instance)
            row[name] = value if convert is None or value is None else convert(value)
        return row

    @classmethod
    def sources(cls) -> list[str]:
        """Return the attributes that the fields read."""
        return list(dict.fromkeys(source for _, source, _, _ in cls._plan_of_class()))

    @classmethod
    def _plan_of_class(cls) -> tuple[ReadField, ...]:
        if "_plan" not in vars(cls):
            cls._plan = tuple(
                (
                    name,
                    str(field.source),
                    attrgetter(str(field.source)),
                    CONVERSIONS.get(type(field), field.to_representation),
                )
                for name, field in cls().fields.items()
            )
        return cls._plan


def _time(value: datetime) -> str:
    return f"{value.astimezone(UTC).isoformat()[:-6]}Z"


# What PostgreSQL returns is JSON already, or becomes it by one call.
CONVERSIONS: dict[type, Conversion | None] = {
    serializers.BooleanField: None,
    serializers.CharField: None,
    serializers.ChoiceField: None,
    serializers.IntegerField: None,
    serializers.DateTimeField: _time,
    serializers.ListField: list,
    serializers.UUIDField: str,
}
