"""An item in an export: everything that belongs to its owner, without the columns of the queue."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from items.models import Item
from items.models.limits import ERROR_FORM, ERROR_MAX_LENGTH, REASON_MAX_LENGTH, TIMES
from items.states import EnrichmentMode, SourceType, Status
from items.texts import InvalidText, clean_raw_text, clean_summary, clean_tags, clean_title

# The same rules are constraints of the database, but there without the name of the field.
REQUIRED_FIELDS: Mapping[Status, tuple[str, ...]] = MappingProxyType(
    {
        Status.FAILED: ("enrichment_error",),
        Status.READY_TO_CONFIRM: ("title", "summary", "tags", "source_type"),
        Status.ARCHIVED: ("confirmed_at",),
    }
)

NOT_A_TIME = "must be a time in ISO 8601 with a time zone"
MESSAGES: Mapping[str, str] = MappingProxyType(
    {
        "bool_type": "must be true or false",
        "datetime_from_date_parsing": NOT_A_TIME,
        "datetime_parsing": NOT_A_TIME,
        "datetime_type": NOT_A_TIME,
        "enum": "must be one of {expected}",
        "extra_forbidden": "is unknown",
        "json_invalid": "is not JSON in UTF-8",
        "list_type": "must be a list",
        "missing": "is missing",
        "model_type": "must be an object",
        "string_too_long": "may have at most {max_length} characters",
        "string_type": "must be a string",
        "timezone_aware": NOT_A_TIME,
        "uuid_parsing": "must be a UUID",
        "uuid_type": "must be a UUID",
    }
)
OWN_ERROR = "litevault"
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}", re.ASCII)
REASON_NAME = re.compile(rf"[A-Z][A-Z0-9_]{{0,{REASON_MAX_LENGTH - 1}}}", re.ASCII)


class InvalidRecord(Exception):
    """The message names the invalid fields and what is wrong with them, but never contains their values."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {sentence}" if field else sentence for field, sentence in problems))
        self.problems = problems


def _by(clean: Callable[[Any], Any]) -> AfterValidator:
    """Validate by a rule of items.texts."""

    def cleaned(value: object) -> object:
        try:
            return clean(value)
        except InvalidText as error:
            raise PydanticCustomError(OWN_ERROR, "{reason}", {"reason": str(error)}) from None

    return AfterValidator(cleaned)


def _within_range(time: datetime) -> datetime:
    earliest, latest = TIMES
    if not earliest <= time <= latest:
        raise PydanticCustomError(OWN_ERROR, "must be a time from 1970 to 9000")
    return time


def _with_code(error: str) -> str:
    if "\x00" in error or not re.match(ERROR_FORM, error, re.DOTALL):
        raise PydanticCustomError(OWN_ERROR, "must be a code, a colon and a sentence")
    return error


def _named(reason: str) -> str:
    if not REASON_NAME.fullmatch(reason):
        raise PydanticCustomError(OWN_ERROR, "must be a name such as KEY_REFUSED")
    return reason


Time = Annotated[AwareDatetime, AfterValidator(_within_range)]


class ItemRecord(BaseModel):
    """The fields are named as in the API. The database accepts any valid record."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, use_enum_values=True
    )

    id: UUID
    title: Annotated[str, _by(clean_title)] | None
    summary: Annotated[str, _by(clean_summary)] | None
    tags: Annotated[list[str], _by(clean_tags)]
    source_type: SourceType | None
    status: Status
    enrichment_mode: EnrichmentMode
    enrichment_error: Annotated[str, Field(max_length=ERROR_MAX_LENGTH), AfterValidator(_with_code)] | None
    # Exports of earlier versions have none.
    error_reason: Annotated[str, AfterValidator(_named)] | None = None
    created_at: Time
    updated_at: Time
    confirmed_at: Time | None
    raw_text: Annotated[str, _by(clean_raw_text)]

    @model_validator(mode="after")
    def _require_fields_of_status(self) -> Self:
        status = Status(self.status)
        for name in REQUIRED_FIELDS.get(status, ()):
            if getattr(self, name) in (None, []):
                raise PydanticCustomError(
                    OWN_ERROR,
                    "{field}: is required for an item that is {status}",
                    {"field": to_camel(name), "status": status},
                )
        if self.error_reason and not self.enrichment_error:
            raise PydanticCustomError(OWN_ERROR, "errorReason: requires enrichmentError")
        return self

    @classmethod
    def from_item(cls, item: Item) -> "ItemRecord":
        """Skip validation, because the item comes from the database."""
        return cls.model_construct(**{name: getattr(item, name) for name in cls.model_fields})

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Raises InvalidRecord."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            problems = list(_problems(error))
        raise InvalidRecord(problems)

    def to_item(self, owner: Any) -> Item:
        """Return an unsaved item."""
        return Item(owner=owner, **self.model_dump())


def _problems(error: ValidationError) -> Iterator[tuple[str, str]]:
    for detail in error.errors(include_url=False, include_input=False):
        yield _field(detail), _sentence(detail)


def _field(detail: ErrorDetails) -> str:
    """Do not repeat a name that does not look like one, because it may be private text."""
    name, *places = detail["loc"] or ("",)
    shown = str(name) if not name or FIELD_NAME.fullmatch(str(name)) else "?"
    return shown + "".join(f"[{place}]" for place in places if isinstance(place, int))


def _sentence(detail: ErrorDetails) -> str:
    if detail["type"] == OWN_ERROR:
        return detail["msg"]
    return MESSAGES.get(detail["type"], "is not valid").format(**detail.get("ctx", {}))
