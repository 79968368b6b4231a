"""The format of Server-Sent Events, and the position that a client reconnects with.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from items.changes import Change

CONTENT_TYPE = "text/event-stream"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
WELL_FORMED = re.compile(r"[0-9]{1,16}", re.ASCII)


def position_id(position: datetime) -> str:
    """Return a position as an event id: microseconds since 1970 by the database's clock."""
    return str((position - EPOCH) // MICROSECOND)


def position_from(event_id: str) -> datetime | None:
    """Return the position, or None for a malformed id."""
    return EPOCH + int(event_id) * MICROSECOND if WELL_FORMED.fullmatch(event_id) else None


def opening(*, retry_ms: int) -> bytes:
    return f"retry: {retry_ms}\n\n".encode()


def heartbeat(position: datetime | None) -> bytes:
    """Return a comment, which clients ignore, and the newer position to reconnect with."""
    moved = f"id: {position_id(position)}\n" if position else ""
    return f": alive\n{moved}\n".encode()


def item_events(changes: Sequence[Change], *, position: datetime) -> list[bytes]:
    """Return one event for each change. Only the last has the position, so that a partial delivery is repeated."""
    events = [_event("item", _data_of(change)) for change in changes]
    events[-1] = _event("item", _data_of(changes[-1]), position=position)
    return events


def reset_event(*, position: datetime) -> bytes:
    return _event("reset", {}, position=position)


def activity_event() -> bytes:
    return _event("activity", {})


def _data_of(change: Change) -> dict[str, object]:
    return {
        "id": str(change.item_id),
        "status": change.status,
        "title": change.title,
        "updatedAt": change.updated_at.isoformat().replace("+00:00", "Z"),
    }


def _event(name: str, data: object, *, position: datetime | None = None) -> bytes:
    # JSON escapes line breaks, which would end the event.
    moved = f"id: {position_id(position)}\n" if position else ""
    return f"event: {name}\n{moved}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
