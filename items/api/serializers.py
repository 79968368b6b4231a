"""The bodies of requests and responses."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from items.api.fields import Choice, ErrorCode, ErrorReason, Flag, ItemIds, Line, RawText, Tags, Text, Timestamp
from items.api.read_serializer import ReadSerializer
from items.models import Item, ItemQuerySet
from items.models.enrichment_pause import PauseReason
from items.states import Action, EnrichmentMode, Outcome, SourceType, Status
from items.texts import LISTED_TEXT_MAX_LENGTH, SUMMARY_MAX_LENGTH, TITLE_MAX_LENGTH

FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
UNKNOWN_FIELDS_SHOWN = 20
SELECTION_MAX_COUNT = 100  # as many items as a page has
RETRY_SECONDS = 10  # that one call retries for
EDITABLE = ("title", "summary", "tags")


def presentable(name: str) -> str:
    """Do not repeat a name that does not look like one, because it may be private text."""
    return name if FIELD_NAME.fullmatch(name) else "?"


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses unknown fields, so that a misspelled name is not ignored."""

    _fields: ClassVar[Any]

    @property
    def fields(self) -> Any:
        """Return the same fields for all instances, because ours keep nothing of a request and are slow to copy."""
        cls = type(self)
        if "_fields" not in vars(cls):
            cls._fields = super().fields
        return cls._fields

    def to_internal_value(self, data: Mapping[str, object]) -> Any:
        errors = self._unknown(name for name in data if name not in self.fields)
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**cast(dict[str, Any], error.detail), **errors}) from None
        if errors:
            raise serializers.ValidationError(errors)
        return values

    @staticmethod
    def _unknown(names: Iterable[str]) -> dict[str, list[ErrorDetail]]:
        shown = dict.fromkeys(presentable(name) for name in names)
        detail = ErrorDetail("is unknown.", code="unknown")
        return {name: [detail] for name in list(shown)[:UNKNOWN_FIELDS_SHOWN]}


class NoFields(StrictSerializer):
    """An empty body, or a URL without parameters."""


class CaptureSerializer(StrictSerializer):
    """A text to capture."""

    rawText = RawText(source="raw_text")
    enrich = Flag(default=True, help_text="If false, the item is archived at once, as it is.")


class ChangeSerializer(StrictSerializer):
    """Edits of an item, and an action."""

    action = Choice([Action.CONFIRM.value, Action.DISCARD.value], required=False)
    title = Line(required=False, max_length=TITLE_MAX_LENGTH)
    summary = Text(required=False, max_length=SUMMARY_MAX_LENGTH)
    tags = Tags(required=False)

    def to_internal_value(self, data: Mapping[str, object]) -> Any:
        """Accept a value as it is stored, even if it would be refused as a new one: what was read can be sent back."""
        stored = {name: value for name in EDITABLE if (value := getattr(self.instance, name)) is not None}
        unchanged = {name: value for name, value in stored.items() if data.get(name) == value}
        checked = super().to_internal_value({name: data[name] for name in data if name not in unchanged})
        return {**checked, **unchanged}

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        edits = [name for name in attrs if name != "action"]
        if not attrs:
            self._refuse(["action"], "is required, unless title, summary or tags are given.", code="required")
        if attrs.get("action") == Action.DISCARD and edits:
            self._refuse(edits, "may not be given with the action discard.", code="not_allowed")
        return attrs

    def apply_to(self, item: Item) -> None:
        """Raises InvalidTransition, and ValidationError if a ready item would be left without tags."""
        edits = dict(self.validated_data)
        match edits.pop("action", Action.EDIT):
            case Action.CONFIRM:
                item.confirm(**edits)
            case Action.DISCARD:
                item.discard()
            case _:
                if item.status == Status.READY_TO_CONFIRM and edits.get("tags") == []:
                    self._refuse(["tags"], Tags.default_error_messages["empty"], code="empty")
                item.edit(**edits)

    @staticmethod
    def _refuse(fields: Iterable[str], sentence: str, *, code: str) -> None:
        raise serializers.ValidationError({field: [ErrorDetail(sentence, code=code)] for field in fields})


class SelectionSerializer(StrictSerializer):
    """Items of one page, and what to do with them."""

    action = Choice([action.value for action in Action if action != Action.EDIT])
    items = ItemIds(max_length=SELECTION_MAX_COUNT)


class RetrySerializer(StrictSerializer):
    """The failed items to retry: by default all of them."""

    errorCode = ErrorCode(source="error_code", required=False)
    errorReason = ErrorReason(source="error_reason", required=False)
    createdBefore = Timestamp(source="created_before", required=False)

    def narrow(self, items: ItemQuerySet) -> ItemQuerySet:
        wanted = self.validated_data
        items = items.failed(error_code=wanted.get("error_code"), error_reason=wanted.get("error_reason"))
        return items.filter(created_at__lt=wanted["created_before"]) if "created_before" in wanted else items


class AttemptSerializer(ReadSerializer):
    """One attempt at enriching the item."""

    number = serializers.IntegerField()
    startedAt = serializers.DateTimeField(source="started_at")
    finishedAt = serializers.DateTimeField(source="finished_at")
    outcome = serializers.ChoiceField(Outcome.choices)
    errorCode = serializers.CharField(source="error_code", allow_null=True)
    errorReason = serializers.CharField(source="error_reason", allow_null=True)
    model = serializers.CharField(allow_null=True)
    promptTokens = serializers.IntegerField(source="prompt_tokens", allow_null=True)
    completionTokens = serializers.IntegerField(source="completion_tokens", allow_null=True)
    costUsd = serializers.DecimalField(source="cost_usd", max_digits=12, decimal_places=8, allow_null=True)
    durationMs = serializers.IntegerField(source="duration_ms")


class UsageSerializer(ReadSerializer):
    """The total usage of the attempts. A value is null if it is unknown for all of them."""

    promptTokens = serializers.IntegerField(source="prompt_tokens", allow_null=True)
    completionTokens = serializers.IntegerField(source="completion_tokens", allow_null=True)
    costUsd = serializers.DecimalField(
        source="cost_usd",
        max_digits=None,
        decimal_places=8,
        allow_null=True,
        help_text="The sum of the known prices.",
    )


class ItemSerializer(ReadSerializer):
    """One captured text with its draft."""

    id = serializers.UUIDField()
    rawText = serializers.CharField(
        source="raw_text", help_text=f"In lists at most the first {LISTED_TEXT_MAX_LENGTH:,} characters."
    )
    rawTextIsCut = serializers.BooleanField(
        source="raw_text_is_cut", help_text="True in lists, if the text is longer. The item itself has all of it."
    )
    title = serializers.CharField(allow_null=True)
    summary = serializers.CharField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    sourceType = serializers.ChoiceField(SourceType.choices, source="source_type", allow_null=True)
    status = serializers.ChoiceField(Status.choices)
    enrichmentMode = serializers.ChoiceField(EnrichmentMode.choices, source="enrichment_mode")
    enrichmentError = serializers.CharField(
        source="enrichment_error",
        allow_null=True,
        help_text="An error code, a colon and a sentence that is safe to show.",
    )
    errorReason = serializers.CharField(
        source="error_reason",
        allow_null=True,
        help_text="A name for that sentence, such as KEY_REFUSED. Later versions may have more of them.",
    )
    allowedActions = serializers.ListField(
        source="allowed_actions",
        child=serializers.ChoiceField(Action.choices),
        help_text="The actions that the item allows now.",
    )
    createdAt = serializers.DateTimeField(source="created_at")
    updatedAt = serializers.DateTimeField(source="updated_at")
    confirmedAt = serializers.DateTimeField(source="confirmed_at", allow_null=True)


class FormerDraftSerializer(serializers.Serializer[Any]):
    """The draft that the last redraft replaced."""

    title = serializers.CharField(allow_null=True)
    summary = serializers.CharField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    sourceType = serializers.ChoiceField(SourceType.choices, allow_null=True)


class ItemDetailSerializer(ItemSerializer):
    """One item with the draft that it had before, the last attempts at enriching it, and the usage of all."""

    formerDraft = FormerDraftSerializer(allow_null=True)
    attempts = AttemptSerializer(many=True)
    usage = UsageSerializer()


class ReadItemSerializer(ItemDetailSerializer):
    """One item as it is read, with what it waits for."""

    pausedUntil = serializers.DateTimeField(
        allow_null=True,
        help_text="When the item is enriched at the earliest, if it waits because the budget of the day is spent.",
    )
    pauseReason = serializers.ChoiceField(
        choices=PauseReason.values,
        allow_null=True,
        help_text="Why the item waits: the budget of the day is spent, or staff have paused enrichment.",
    )


class PauseParameters(StrictSerializer):
    owner = Text(required=False, max_length=150, help_text="The name of a user; without it, all owners.")


class PauseSerializer(serializers.Serializer[Any]):
    owner = serializers.CharField(allow_null=True, help_text="The name of the owner; null stands for all owners.")
    paused = serializers.BooleanField(help_text="Whether staff have paused enrichment for just this owner, or for all.")
    pausedSince = serializers.DateTimeField(allow_null=True)


class PaginationSerializer(serializers.Serializer[Any]):
    cursor = serializers.CharField(allow_null=True, help_text="The cursor of the next page; null on the last page.")
    hasMore = serializers.BooleanField()


@extend_schema_serializer(many=False)
class ItemPageSerializer(serializers.Serializer[Any]):
    items = ItemSerializer(many=True)
    pagination = PaginationSerializer()


class PendingPageSerializer(ItemPageSerializer):
    total = serializers.IntegerField(help_text="The number of matching items on all pages.")


class RetriedSerializer(serializers.Serializer[Any]):
    retried = serializers.IntegerField(help_text="The number of items sent back to enrichment.")
    hasMore = serializers.BooleanField(
        help_text=f"Whether items remain after {RETRY_SECONDS} seconds. Send the request again for these."
    )


class TagCountSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    count = serializers.IntegerField()


@extend_schema_serializer(many=False)
class TagListSerializer(serializers.Serializer[Any]):
    tags = TagCountSerializer(many=True)
    pagination = PaginationSerializer()
