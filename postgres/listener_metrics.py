"""Whether notifications come in, for Prometheus."""

from threading import Event

from prometheus_client import CollectorRegistry, Counter, Gauge


class ListenerMetrics:
    """What a process exposes about its listener. `record` is meant for the listener's `on_health`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._healthy = Event()
        self._was_degraded = False
        Gauge(
            "litevault_notify_healthy", "1 while notifications come in, 0 while the sweep has to do.", registry=registry
        ).set_function(self._healthy.is_set)
        self._reconnects = Counter(
            "litevault_listen_reconnects", "How often the LISTEN connection was made again.", registry=registry
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
