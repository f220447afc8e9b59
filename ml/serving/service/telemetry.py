"""What the service counts, for Prometheus.

Belongs here: the metrics' names and the page. Does not belong here: decisions taken on them.
"""

from bisect import bisect_left
from collections import Counter as Counted
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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

_Metric = Counter | Histogram | Gauge
# A metric and its labels, of which there are one or two.
_Key = tuple[_Metric, str, str | None]


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
        # An answer moves thirty numbers, each a write into shared memory under a lock: 0.25 ms among other
        # work. Those of many answers together are hardly more writes than those of one.
        self._answered: list[tuple[str, Mapping[str, float], str | None, Mapping[str, int]]] = []
        self._called: list[tuple[str, int, float]] = []
        self._under_way: dict[str, int] = {}
        self._children: dict[_Key, Any] = {}
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
        """Count one list, its stages (seconds), its fallback and its candidates by source; only in memory
        until `flush`."""
        self._answered.append((surface, stages, fallback, found))

    def called(self, path: str, status: int, seconds: float) -> None:
        """Count one call, in memory until `flush`."""
        self._called.append((path, status, seconds))

    def under_way(self, kind: str, calls: int) -> None:
        """Say how many calls of a kind there are now, from the next `flush` on."""
        self._under_way[kind] = calls

    def flush(self) -> None:
        """Show what was counted to whoever asks any of the workers. On the thread that counts."""
        seen, counts = self._gathered()
        for key, values in seen.items():
            _observe(self._child(*key), values)
        for key, count in counts.items():
            self._child(*key).inc(count)
        under_way, self._under_way = self._under_way, {}
        for kind, calls in under_way.items():
            self._child(self.in_flight, kind, None).set(calls)

    def _gathered(self) -> tuple[dict[_Key, list[float]], dict[_Key, int]]:
        """(values by histogram, sums by counter) since the last time."""
        answered, called = self._answered, self._called
        self._answered, self._called = [], []
        seen: dict[_Key, list[float]] = defaultdict(list)
        counts: dict[_Key, int] = defaultdict(int)
        for surface, stages, fallback, found in answered:
            counts[self.answers, surface, None] += 1
            if fallback is not None:
                counts[self.fallbacks, surface, fallback] += 1
            for stage, seconds in stages.items():
                seen[self.stage, surface, stage].append(seconds)
            for source, count in found.items():
                counts[self.candidates, surface, source] += count
        for path, status, seconds in called:
            counts[self.requests, path, str(status)] += 1
            seen[self.seconds, path, None].append(seconds)
        return seen, counts

    def _child(self, of: _Metric, first: str, second: str | None) -> Any:  # noqa: ANN401 - one of the three
        # Looking for a child by its labels takes 3 us.
        found = self._children.get((of, first, second))
        if found is None:
            labels = (first,) if second is None else (first, second)
            found = self._children[of, first, second] = of.labels(*labels)
        return found

    def page(self) -> bytes:
        """The metrics in Prometheus' text format; of other workers up to their last `flush`."""
        self.flush()
        registry = self._registry
        if self._shared is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, path=str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _observe(histogram: Histogram, values: Sequence[float]) -> None:
    """Histogram.observe of all values: a write for each bucket instead of two for each value."""
    places = Counted(bisect_left(_SECONDS, value) for value in values)
    histogram._sum.inc(sum(values))
    for place, count in places.items():
        histogram._buckets[place].inc(count)
