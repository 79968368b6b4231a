"""Fields of requests that convert no types: a number is not a string.

Every message completes a sentence that begins with the name of the field: "rawText" + "may not be blank."
No message contains a value from the request.
"""

import re
from datetime import datetime
from typing import Any, ClassVar, cast

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from items.texts import (
    CONTROL_CHARACTER,
    LONE_SURROGATE,
    TAG_MAX_LENGTH,
    TAGS_MAX_COUNT,
    Refusal,
    normalise_tag,
    refusal,
)

WHOLE_NUMBER = re.compile(r"-?[0-9]+")


class CommonMessages:
    """The messages that all fields share."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "required": "is required.",
        "null": "may not be null.",
        "not_a_list": "must be a list.",
    }


class Text(CommonMessages, serializers.CharField):
    """A string that PostgreSQL can store, trimmed."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "must be a string.",
        "blank": "may not be blank.",
        "max_length": "may have at most {max_length} characters.",
        Refusal.NUL: f"{Refusal.NUL.label}.",
        Refusal.SURROGATE: f"{Refusal.SURROGATE.label}.",
    }

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if "\x00" in data:
            self.fail(Refusal.NUL.value)
        if LONE_SURROGATE.search(data):
            self.fail(Refusal.SURROGATE.value)
        return data.strip()


class RawText(Text):
    """A text to capture, not trimmed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=1, trim_whitespace=False, **options)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if reason := refusal(data):
            raise serializers.ValidationError(f"{reason.label}.", code=reason.value)
        return data


class Line(Text):
    """A text without line breaks and other control characters."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "control_character": "may not contain line breaks or control characters."
    }

    def to_internal_value(self, data: object) -> str:
        line = super().to_internal_value(data)
        if CONTROL_CHARACTER.search(line):
            self.fail("control_character")
        return line


class Tag(Line):
    """A tag, normalised."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=TAG_MAX_LENGTH, **options)

    def to_internal_value(self, data: object) -> str:
        return normalise_tag(super().to_internal_value(data))


class Tags(CommonMessages, serializers.ListField):
    """A list of tags, without duplicates."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "max_length": "may hold at most {max_length} tags.",
        "empty": "may not be empty while the item waits to be confirmed.",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(child=Tag(), max_length=TAGS_MAX_COUNT, **options)

    def to_internal_value(self, data: object) -> list[str]:
        if not isinstance(data, list):
            self.fail("not_a_list")
        return list(dict.fromkeys(self._tag(position, tag) for position, tag in enumerate(data, start=1)))

    def _tag(self, position: int, tag: object) -> str:
        try:
            return str(self.child.run_validation(tag))
        except serializers.ValidationError as error:
            detail = cast(list[ErrorDetail], error.detail)[0]
        raise serializers.ValidationError(f"at position {position} {detail}", code=detail.code)


class Choice(CommonMessages, serializers.ChoiceField):
    """One of a few strings."""

    def __init__(self, choices: Any, **options: Any) -> None:
        allowed = ", ".join(str(choice) for choice in choices)
        super().__init__(choices, error_messages={"invalid_choice": f"must be one of {allowed}."}, **options)

    def to_internal_value(self, data: object) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice")
        return super().to_internal_value(data)


class Flag(CommonMessages, serializers.BooleanField):
    """A boolean, not a string such as "yes"."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "must be true or false."}

    def to_internal_value(self, data: object) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class WholeNumber(CommonMessages, serializers.IntegerField):
    """A whole number in a range."""

    def __init__(self, *, min_value: int, max_value: int, **options: Any) -> None:
        message = f"must be a whole number from {min_value} to {max_value}."
        codes = ("invalid", "min_value", "max_value", "max_string_length")
        super().__init__(
            min_value=min_value, max_value=max_value, error_messages=dict.fromkeys(codes, message), **options
        )

    def to_internal_value(self, data: Any) -> int:
        # Python also accepts "1_0", " 10 " and digits of other scripts.
        if not WHOLE_NUMBER.fullmatch(str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class Timestamp(CommonMessages, serializers.DateTimeField):
    """A date and time in ISO 8601, in UTC if it has no time zone."""

    default_error_messages: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("invalid", "date", "make_aware", "overflow"), "must be a date and time like 2026-11-22T09:30:00Z."
    )

    def to_internal_value(self, value: Any) -> datetime:
        # Python ignores a NUL at the end.
        if not (isinstance(value, str) and value.isprintable()):
            self.fail("invalid")
        return super().to_internal_value(value)


class ErrorCode(CommonMessages, serializers.RegexField):
    """The code at the start of an enrichment error."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "must be an error code like LLM_TIMEOUT."}

    def __init__(self, **options: Any) -> None:
        super().__init__(r"\A[A-Z][A-Z0-9_]{0,39}\Z", **options)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data
