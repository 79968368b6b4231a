"""Fields of requests that convert no types: a number is not a string.

Every message completes a sentence that begins with the name of the field: "rawText" + "may not be blank."
No message contains a value from the request.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from rest_framework import serializers

from items.reasons import Reason
from items.texts import (
    RAW_TEXT_HIGHEST_LIMIT,
    TAG_MAX_LENGTH,
    TAGS_MAX_COUNT,
    InvalidText,
    clean_line,
    clean_raw_text,
    clean_tag,
    clean_tags,
    clean_text,
)

WHOLE_NUMBER = re.compile(r"-?[0-9]+")


class CommonMessages:
    """The messages that all fields share."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "required": "is required.",
        "null": "may not be null.",
        "not_a_list": "must be a list.",
    }


def _cleaned(clean: Callable[[Any], Any], value: object) -> Any:
    try:
        return clean(value)
    except InvalidText as error:
        raise serializers.ValidationError(f"{error}.", code=error.code) from None


class Text(CommonMessages, serializers.CharField):
    """A string by the rules of items.texts, trimmed."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "must be a string.", "blank": "may not be blank."}

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self.limit = max_length

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(_cleaned(self.clean, data))

    def clean(self, text: str) -> str:
        return clean_text(text, limit=self.limit)


class RawText(Text):
    """A text to capture, not trimmed. Its limit is a setting, and is looked at for each text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=1, max_length=RAW_TEXT_HIGHEST_LIMIT, trim_whitespace=False, **options)

    def clean(self, text: str) -> str:
        return clean_raw_text(text)


class Line(Text):
    """A text without line breaks and other control characters."""

    def clean(self, text: str) -> str:
        return clean_line(text, limit=self.limit)


class Tag(Line):
    """A tag, normalised."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=TAG_MAX_LENGTH, **options)

    def clean(self, text: str) -> str:
        return clean_tag(text)


class Tags(CommonMessages, serializers.ListField):
    """A list of tags, without duplicates."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "empty": "may not be empty while the item waits to be confirmed."
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(child=Tag(), max_length=TAGS_MAX_COUNT, **options)

    def to_internal_value(self, data: object) -> list[str]:
        if not isinstance(data, list):
            self.fail("not_a_list")
        for position, tag in enumerate(data, start=1):
            if not isinstance(tag, str):
                code = "null" if tag is None else "invalid"
                sentence = self.child.error_messages[code]
                raise serializers.ValidationError(f"at position {position} {sentence}", code=code)
        return list(_cleaned(clean_tags, data))


class ItemIds(CommonMessages, serializers.ListField):
    """The ids of a few items, of which there is at least one."""

    default_error_messages: ClassVar[dict[str, Any]] = {"empty": "has no items: check the box of at least one."}

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(
            child=serializers.UUIDField(),
            allow_empty=False,
            max_length=max_length,
            error_messages={"max_length": f"may have at most {max_length} items."},
            **options,
        )

    def to_internal_value(self, data: Any) -> list[Any]:
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            if isinstance(error.detail, dict):
                raise serializers.ValidationError("must be the ids of items.", code="invalid") from None
            raise


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


class ErrorReason(Choice):
    """The reason of an enrichment error. A misspelled one is refused, because it would match no item."""

    def __init__(self, **options: Any) -> None:
        super().__init__([reason.value for reason in Reason], **options)
