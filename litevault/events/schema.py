"""The OpenAPI description of the stream of events."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from items.api.fields import Choice
from items.api.serializers import StrictSerializer
from litevault.events import sse

EXAMPLE = """retry: 2000

event: item
id: 1795380386599730
data: {"id": "0d9c…", "status": "READY_TO_CONFIRM", "title": "Beans", "updatedAt": "2026-11-22T20:46:26.599730Z"}

: alive
id: 1795380401599730
"""
DESCRIPTION = """
Server-Sent Events: changes of the caller's own items, for as long as the connection is open.

`item` is the current state of an item, and may be sent twice. `reset` means that too much changed to send one by one:
read the list again. `activity` means that some item of any owner changed; only users who may view all items in the
admin can request it. A comment line every 15 seconds shows that the connection is alive.

A client that reconnects with the last `id` as `Last-Event-ID`, as browsers do, misses nothing.
"""


class EventsParameters(StrictSerializer):
    activity = Choice(
        ["true"], required=False, help_text="Also send `activity` when items of any owner change: for staff."
    )


describe = extend_schema(
    operation_id="events",
    summary="Watch items change",
    description=DESCRIPTION,
    tags=["events"],
    parameters=[
        EventsParameters,
        OpenApiParameter(
            "Last-Event-ID", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The id of the last event received."
        ),
    ],
    responses={
        (200, sse.CONTENT_TYPE): OpenApiResponse(
            OpenApiTypes.STR,
            description="A stream that ends when the server stops or the credentials expire.",
            examples=[OpenApiExample("stream", value=EXAMPLE, media_type=sse.CONTENT_TYPE)],
        ),
        204: OpenApiResponse(description="This service offers no events. Do not reconnect."),
        307: OpenApiResponse(description="In development: the events process listens on another port."),
    },
)
