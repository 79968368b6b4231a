"""What the web server serves at LITEVAULT_METRICS_PORT, by one of its workers for all of them."""

from collections.abc import Callable

from django.conf import settings

from litevault.operations import health, metrics
from postgres.metrics_server import health_page, serve_in_background

PAGES = {
    "/metrics": metrics.page,
    "/healthz": lambda: health_page(is_ok=True),
    "/readyz": health.readiness_page,
}


def serve(*, wait_for_turn: Callable[[], None]) -> None:
    serve_in_background(settings.METRICS_ADDRESS, settings.METRICS_PORT, PAGES, wait_for_turn=wait_for_turn)
