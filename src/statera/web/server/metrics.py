"""Figures for whoever watches the server, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest

__all__ = ["Metrics"]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counts of requests, the memory of the process, and what other parts add."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "statera_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "statera_request_seconds",
            "Time until the answer was sent",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is a template, never what a user wrote."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def add_gauge(
        self, name: str, words: str, read: Callable[[], Mapping[str, float]], label: str
    ) -> None:
        """Add a figure that is read when asked for.

        Parameters
        ----------
        name
            Such as ``statera_jobs``.
        words
            What it counts.
        read
            Gives its value for each value of the label.
        label
            Such as ``status``.
        """
        self._registry.register(_Gauge(name, words, read, label))

    def text(self) -> bytes:
        """Return all figures."""
        return generate_latest(self._registry)


class _Gauge:
    def __init__(
        self, name: str, words: str, read: Callable[[], Mapping[str, float]], label: str
    ) -> None:
        self._name, self._words, self._read, self._label = name, words, read, label

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Name the figure without reading it."""
        return [GaugeMetricFamily(self._name, self._words, labels=[self._label])]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Read the figure."""
        family = GaugeMetricFamily(self._name, self._words, labels=[self._label])
        for value, figure in self._read().items():
            family.add_metric([value], figure)
        yield family
