"""What the OpenAPI document can say about a stream of events."""

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
Server-Sent Events: the caller's own items, as they change, for as long as the connection is open.

`item` says how an item is now. It may come twice. `reset` says that more changed than is told one by one: read the
list again. `activity`, asked for by those who may see all items in the admin, says that something changed somewhere.
A line that begins with a colon comes every 15 seconds, and means that the connection is alive.

Come back with the last `id` as `Last-Event-ID`, as browsers do by themselves, and nothing is missed.
"""


class EventsParameters(StrictSerializer):
    activity = Choice(["true"], required=False, help_text="Also say when anybody's items change: for staff.")


describe = extend_schema(
    operation_id="events",
    summary="Watch items change",
    description=DESCRIPTION,
    tags=["events"],
    parameters=[
        EventsParameters,
        OpenApiParameter("Last-Event-ID", OpenApiTypes.STR, OpenApiParameter.HEADER, description="Where to go on."),
    ],
    responses={
        (200, sse.CONTENT_TYPE): OpenApiResponse(
            OpenApiTypes.STR,
            description="A stream that ends when the server stops, or the credentials do.",
            examples=[OpenApiExample("stream", value=EXAMPLE, media_type=sse.CONTENT_TYPE)],
        ),
        204: OpenApiResponse(description="Whoever runs the service offers no events here: do not come back."),
        307: OpenApiResponse(description="In development: the events process listens on another port."),
    },
)
