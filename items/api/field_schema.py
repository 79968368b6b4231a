r"""How fields and bodies of requests stand in the OpenAPI document: as strictly as they are checked.

What the document allows is accepted, and what it forbids is refused: a client may rely on both. One kindness is
left out of it: white space around a title or a tag, and a tag that is given twice, do not count towards a limit.
The patterns spell white space out, because `\s` means one thing to Python and another to a browser.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from items.api.fields import Line, Text
from items.states import Action

NUL = r"\u0000"
CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
# Written as in a character class: what Python's str.strip() takes away.
BLANK = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
VISIBLE_TEXT = f"^[^{NUL}]*[^{NUL}{BLANK}][^{NUL}]*$"
VISIBLE_LINE = f"^[{BLANK}]*[^{CONTROL}{BLANK}]([^{CONTROL}]*[^{CONTROL}{BLANK}])?[{BLANK}]*$"


class TextSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = Text
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = _usual(auto_schema._map_serializer_field, self.target, direction)
        limits = {"minLength": 1, "maxLength": self.target.max_length}
        return {**schema, **limits, "pattern": VISIBLE_LINE if isinstance(self.target, Line) else VISIBLE_TEXT}


class StrictBodySchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "items.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = _usual(auto_schema._map_serializer, self.target, direction)
        return {**schema, "additionalProperties": False}


class ChangeSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "items.api.serializers.ChangeSerializer"
    priority = 1

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = _usual(auto_schema._map_serializer, self.target, direction)
        discard = {"properties": {"action": {"const": Action.DISCARD.value}}, "required": ["action"]}
        limits = {"additionalProperties": False, "minProperties": 1, "not": {**discard, "minProperties": 2}}
        return {**schema, **limits}


def _usual(map_target: Any, target: Any, direction: Direction) -> dict[str, Any]:
    """What drf-spectacular would say by itself."""
    schema: dict[str, Any] = map_target(target, direction, bypass_extensions=True)
    return schema
