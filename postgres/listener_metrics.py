"""Metrics of a listener for Prometheus."""

from threading import Event

from prometheus_client import CollectorRegistry, Counter, Gauge


class ListenerMetrics:
    """The state of one listener. Call `record` from the listener's `on_health`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._healthy = Event()
        self._was_degraded = False
        Gauge(
            "litevault_notify_healthy",
            "1 while notifications come in, 0 while only the sweep finds items.",
            registry=registry,
        ).set_function(self._healthy.is_set)
        self._reconnects = Counter(
            "litevault_listen_reconnects", "Reconnections of the LISTEN connection.", registry=registry
        )

    @property
    def is_healthy(self) -> bool:
        return self._healthy.is_set()

    def record(self, *, works: bool) -> None:
        if works:
            self._reconnects.inc(self._was_degraded)
            self._healthy.set()
        else:
            self._healthy.clear()
        self._was_degraded = not works
