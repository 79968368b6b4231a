"""The view that admits clients to a stream, and its stand-in in the web server."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.http.request import split_domain_port
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import PermissionDenied
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from items.api.filters import parameters
from litevault.events import sse
from litevault.events.credentials import Credentials
from litevault.events.schema import EventsParameters, describe

VIEW_ALL_ITEMS = "items.view_item"


class OnlyEvents(BaseContentNegotiation):
    """Ignore what the client accepts: events have one format, and errors are JSON."""

    def select_parser(self, _request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, _request: Request, _renderers: Any, _format_suffix: str | None = None) -> Any:
        return JSONRenderer(), JSONRenderer.media_type


class Admitted(HttpResponse):
    """The head of an open-ended response, whose body application.py sends."""

    def __init__(self, credentials: Credentials, *, wants_activity: bool, last_event_id: str) -> None:
        super().__init__(content_type=sse.CONTENT_TYPE)
        self.credentials = credentials
        self.wants_activity = wants_activity
        self.last_event_id = last_event_id
        self.headers["Cache-Control"] = "no-store"
        self.headers["X-Accel-Buffering"] = "no"  # nginx passes each event on at once


class EventsView(APIView):
    """The view in the events process."""

    content_negotiation_class = OnlyEvents
    http_method_names = ["get", "head"]

    def get(self, request: Request) -> HttpResponseBase:
        wants_activity = "activity" in parameters(EventsParameters, request.query_params).validated_data
        if wants_activity and not request.user.has_perm(VIEW_ALL_ITEMS):
            raise PermissionDenied
        admitted = Admitted(
            Credentials.of(request, permission=VIEW_ALL_ITEMS if wants_activity else None),
            wants_activity=wants_activity,
            last_event_id=request.headers.get("Last-Event-ID", ""),
        )
        allow_other_port(request, admitted)
        return admitted


class EventsRedirect(APIView):
    """The view in the web server, where a stream would hold a thread for as long as it is open."""

    content_negotiation_class = OnlyEvents
    throttle_classes = ()
    http_method_names = ["get", "head"]

    @describe
    def get(self, request: Request) -> HttpResponseBase:
        parameters(EventsParameters, request.query_params)
        if not settings.EVENTS_PORT:
            # An EventSource then stops reconnecting. Our own pages try again after some minutes.
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        address = urlsplit(request.build_absolute_uri())._replace(netloc=f"{_host(request)}:{settings.EVENTS_PORT}")
        return HttpResponse(status=HTTPStatus.TEMPORARY_REDIRECT, headers={"Location": address.geturl()})


def allow_other_port(request: Request, response: HttpResponseBase) -> None:
    """Allow pages from another port of the same host, as in development, to send their cookies."""
    origin = request.headers.get("Origin", "")
    if settings.DEBUG and split_domain_port(urlsplit(origin).netloc)[0] == _host(request):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        patch_vary_headers(response, ["Origin"])


def _host(request: Request) -> str:
    """Return the host without the port."""
    return split_domain_port(request.get_host())[0]
