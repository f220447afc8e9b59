"""What the service counts, for Prometheus.

Belongs here: the metrics' names and the page. Does not belong here: decisions taken on them.
"""

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 1.0)
PAGE_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Telemetry:
    """One process's metrics; with a `shared` folder the page shows the sum over all workers."""

    def __init__(self, shared: Path | None = None) -> None:
        # The instants of creation double the page and say nothing.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        own = self._registry = CollectorRegistry()
        self._shared = shared
        self.requests = Counter(
            "segue_requests_total", "Calls by path and status.", ("path", "status"), registry=own
        )
        self.seconds = Histogram(
            "segue_request_seconds",
            "Time from arrival to answer by path.",
            ("path",),
            registry=own,
            buckets=_SECONDS,
        )
        self.stage = Histogram(
            "segue_stage_seconds",
            "Time of an answer's stages.",
            ("surface", "stage"),
            registry=own,
            buckets=_SECONDS,
        )
        # Of (surface, stage or source): looking for the twenty of an answer by their labels takes 70 us.
        self._stages: dict[tuple[str, str], Histogram] = {}
        self._sources: dict[tuple[str, str], Counter] = {}
        self._count_answers(own)
        self._show_the_process(own)

    def _count_answers(self, own: CollectorRegistry) -> None:
        self.fallbacks = Counter(
            "segue_fallbacks_total", "Answers that fell back.", ("surface", "way"), registry=own
        )
        self.answers = Counter("segue_answers_total", "Lists made.", ("surface",), registry=own)
        self.candidates = Counter(
            "segue_candidates_total", "Candidates.", ("surface", "source"), registry=own
        )
        self.shed = Counter("segue_shed_total", "Calls turned away by why.", ("why",), registry=own)
        self.events = Counter("segue_events_total", "Events by fate.", ("fate",), registry=own)
        self.unlogged = Counter(
            "segue_impressions_unlogged_total",
            "Impressions that could not be logged.",
            registry=own,
        )

    def _show_the_process(self, own: CollectorRegistry) -> None:
        self.swaps = Counter("segue_swaps_total", "Models taken into service.", registry=own)
        self.in_flight = Gauge(
            "segue_in_flight",
            "Calls under way.",
            ("kind",),
            registry=own,
            multiprocess_mode="livesum",
        )
        self.ready = Gauge("segue_ready", "1 = ready.", registry=own, multiprocess_mode="livemin")
        self.model = Gauge(
            "segue_model",
            "1 for the model in service.",
            ("version", "state_day"),
            registry=own,
            multiprocess_mode="livemax",
        )

    def serving(self, version: str, state_day: str, before: tuple[str, str] | None) -> None:
        """Name the model in service, and no longer the one before it."""
        if before is not None:
            self.model.labels(*before).set(0)
        self.model.labels(version, state_day).set(1)
        self.swaps.inc()

    def answered(
        self,
        surface: str,
        stages: Mapping[str, float],
        fallback: str | None,
        found: Mapping[str, int],
    ) -> None:
        """Count one list, its stages (seconds), its fallback and its candidates by source."""
        for stage, seconds in stages.items():
            if (surface, stage) not in self._stages:
                self._stages[surface, stage] = self.stage.labels(surface, stage)
            self._stages[surface, stage].observe(seconds)
        self.answers.labels(surface).inc()
        if fallback is not None:
            self.fallbacks.labels(surface, fallback).inc()
        for source, count in found.items():
            if (surface, source) not in self._sources:
                self._sources[surface, source] = self.candidates.labels(surface, source)
            self._sources[surface, source].inc(count)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        registry = self._registry
        if self._shared is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, path=str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(registry)
