"""A serializer for responses that reads each field by a function made once.

REST framework decides for each value of each object how to get it, whether it is null and in which time zone it is. On
a page of a hundred items, that takes longer than all the rest.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple

from rest_framework import serializers

Conversion = Callable[[Any], Any]


class Plan(NamedTuple):
    """The functions by name: those that read the fields, and those that make JSON of what is none yet."""

    getters: list[tuple[str, Callable[[Any], Any]]]
    conversions: list[tuple[str, Conversion]]


class ReadSerializer(serializers.Serializer[Any]):
    """The declared fields are for the OpenAPI document, too. A test compares each with REST framework's result."""

    _plan: ClassVar[Plan]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        getters, conversions = self._plan_of_class()
        row = {name: get(instance) for name, get in getters}
        for name, convert in conversions:
            if (value := row[name]) is not None:
                row[name] = convert(value)
        return row

    @classmethod
    def sources(cls) -> list[str]:
        """Return the attributes that the fields read."""
        return list(dict.fromkeys(str(field.source) for field in cls().fields.values()))

    @classmethod
    def _plan_of_class(cls) -> Plan:
        if "_plan" not in vars(cls):
            fields = cls().fields.items()
            converts = [(name, CONVERSIONS.get(type(field), field.to_representation)) for name, field in fields]
            cls._plan = Plan(
                [(name, attrgetter(str(field.source))) for name, field in fields],
                [(name, convert) for name, convert in converts if convert],
            )
        return cls._plan


def _time(value: datetime) -> str:
    if value.tzinfo is not UTC:  # as the database's are
        value = value.astimezone(UTC)
    return f"{value.isoformat()[:-6]}Z"


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
