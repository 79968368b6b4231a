r"""The schemas of fields and request bodies in the OpenAPI document, as strict as the validation.

There are two exceptions: white space around a title or a tag, and a repeated tag, do not count towards a limit, and a
tag counts as it is stored.
The patterns list white space, because `\s` differs between Python and JavaScript.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from items.api.fields import Line, RawText, Text
from items.states import Action
from items.texts import raw_text_max_length

NUL = r"\u0000"
CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
# The characters that Python's str.strip() removes, as in a character class.
BLANK = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# The characters that items.texts.is_blank ignores. Those beyond U+FFFF stand for themselves.
UNSEEN = (
    rf"{CONTROL}{BLANK}\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
VISIBLE_TEXT = f"^[^{NUL}]*[^{UNSEEN}][^{NUL}]*$"
VISIBLE_LINE = f"^[{BLANK}]*[^{CONTROL}]*[^{UNSEEN}][^{CONTROL}]*[{BLANK}]*$"


class TextSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = Text
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = _default(auto_schema._map_serializer_field, self.target, direction)  # as documented
        longest = raw_text_max_length() if isinstance(self.target, RawText) else self.target.max_length
        limits = {"minLength": 1, "maxLength": longest}
        return {**schema, **limits, "pattern": VISIBLE_LINE if isinstance(self.target, Line) else VISIBLE_TEXT}


class StrictBodySchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "items.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = _default(auto_schema._map_serializer, self.target, direction)  # as documented
        return {**schema, "additionalProperties": False}


class ChangeSchema(StrictBodySchema):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "items.api.serializers.ChangeSerializer"
    priority = 1

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = super().map_serializer(auto_schema, direction)
        discard = {"properties": {"action": {"const": Action.DISCARD.value}}, "required": ["action"]}
        limits = {"minProperties": 1, "not": {**discard, "minProperties": 2}}
        return {**schema, **limits}


def _default(map_target: Any, target: Any, direction: Direction) -> dict[str, Any]:
    """Return the schema that drf-spectacular makes by itself."""
    schema: dict[str, Any] = map_target(target, direction, bypass_extensions=True)
    return schema
