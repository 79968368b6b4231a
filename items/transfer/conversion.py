"""Entries of other programs become records: what fits is kept, and what does not is counted or refused."""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.contrib.auth.models import User

from items.models.limits import TIMES
from items.states import EnrichmentMode, SourceType, Status
from items.texts import (
    CONTROL_CHARACTER,
    LONE_SURROGATE,
    TAG_MAX_LENGTH,
    TAGS_MAX_COUNT,
    TITLE_MAX_LENGTH,
    Refusal,
    comparable,
    cut,
    first_line,
    is_blank,
    normalise_tag,
    raw_text_max_length,
    refusal,
)
from items.transfer.capturing import reason_of
from items.transfer.formats.entry import Entry, Omitted
from items.transfer.importing import FoundRecord
from items.transfer.records import InvalidRecord, ItemRecord
from items.transfer.sources import Refused

NAMESPACE = uuid.UUID("6f6e6365-6c69-4465-8661-756c74000002")
NUMBER = re.compile(r"\d{1,19}(\.\d{1,9})?", re.ASCII)
# A larger number counts milliseconds, or microseconds.
SECONDS_MAX = 10**11
NO_TIME = ("", 0, "0", None)


@dataclass(slots=True, kw_only=True)
class Conversion:
    source: str
    owner: User
    enrich: bool = False
    cut: bool = False
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def record(self, entry: Entry, *, origin: str) -> Iterator[FoundRecord | Refused | Omitted]:
        """Yield the record of an entry or the reason why there is none, and what is left out."""
        if (rejection := self._refusal(entry)) is not None:
            advice = " (--cut imports its beginning)" if rejection is Refusal.TOO_LONG else ""
            yield Refused(origin, f"{reason_of(rejection)}{advice}")
            return
        title = _one_line(entry.title)
        tags, omitted = _tags(entry)
        created_at = time_of(entry.created_at)
        raw_text = self._raw_text(entry)
        fields = {
            "id": str(self._id(entry)),
            "title": first_line(raw_text) if is_blank(title) else cut(title, TITLE_MAX_LENGTH),
            "summary": None,
            "tags": tags,
            "sourceType": SourceType.ARTICLE if entry.is_article else SourceType.NOTE,
            "status": Status.ENRICHING if self.enrich else Status.ARCHIVED,
            "enrichmentMode": EnrichmentMode.AI if self.enrich else EnrichmentMode.MANUAL,
            "enrichmentError": None,
            "createdAt": (created_at or self.started_at).isoformat(),
            "updatedAt": self.started_at.isoformat(),
            "confirmedAt": None if self.enrich else self.started_at.isoformat(),
            "rawText": raw_text,
        }
        try:
            yield FoundRecord(origin, ItemRecord.parse(json.dumps(fields)))
        except InvalidRecord as error:
            yield Refused(origin, str(error))
            return
        yield from omitted
        yield Omitted("times that cannot be read", int(created_at is None and entry.created_at not in NO_TIME))
        is_cut = len(title) > TITLE_MAX_LENGTH and entry.title.strip() not in raw_text
        yield Omitted(f"ends of titles longer than {TITLE_MAX_LENGTH} characters", int(is_cut))

    def _raw_text(self, entry: Entry) -> str:
        return entry.raw_text[: raw_text_max_length()] if self.cut else entry.raw_text

    def _refusal(self, entry: Entry) -> Refusal | None:
        if LONE_SURROGATE.search("".join([entry.title, *entry.tags])):
            return Refusal.SURROGATE
        return refusal(self._raw_text(entry))

    def _id(self, entry: Entry) -> uuid.UUID:
        """Return an id that follows from the owner and the content, so that a second import stores nothing twice.

        The ids of other programs do not serve: most exports have none, and two installations both count from 1.
        """
        return uuid.uuid5(NAMESPACE, json.dumps([self.owner.pk, self.source, entry.title, entry.raw_text]))


def time_of(value: object) -> datetime | None:
    """Return the time that a number or a text stands for, or None if an item cannot have it."""
    try:
        time = _parse_time(value)
        return time if time is not None and TIMES[0] < time <= TIMES[1] else None
    except (ValueError, OverflowError, OSError):
        return None


def _parse_time(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and not NUMBER.fullmatch(value.strip()):
        time = datetime.fromisoformat(value.strip())
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        seconds = float(value)
        for _ in ("milliseconds", "microseconds"):
            seconds /= 1000 if seconds > SECONDS_MAX else 1
        return datetime.fromtimestamp(seconds, UTC)
    return None


def _tags(entry: Entry) -> tuple[list[str], list[Omitted]]:
    """Return the tags that an item may have, each once, and counts of the others."""
    unique: dict[str, str] = {}
    for text in entry.tags:
        if tag := normalise_tag(CONTROL_CHARACTER.sub(" ", text)):
            unique.setdefault(comparable(tag), tag)
    fitting = [tag for tag in unique.values() if len(tag) <= TAG_MAX_LENGTH]
    return fitting[:TAGS_MAX_COUNT], [
        Omitted(f"tags longer than {TAG_MAX_LENGTH} characters", len(unique) - len(fitting)),
        Omitted(f"tags after the first {TAGS_MAX_COUNT} of an item", len(fitting[TAGS_MAX_COUNT:])),
    ]


def _one_line(text: str) -> str:
    return " ".join(CONTROL_CHARACTER.sub(" ", text).split())
