"""What the events process answers to, besides /healthz and /metrics. The proxy in front passes it nothing else."""

from django.urls import path

from litevault.events.views import EventsView

urlpatterns = [
    path("api/v1/events", EventsView.as_view()),
]
