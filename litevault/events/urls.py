"""URLs of the events process, besides /healthz."""

from django.urls import path

from litevault.events.views import EventsView

urlpatterns = [path("api/v1/events", EventsView.as_view())]
