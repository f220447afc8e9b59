"""Embedding drift: do listeners still play in the same region of the track vectors?

Belongs here: the area's measures and entry point, and what Evidently draws. Does not belong here:
counting plays (plays), or Evidently's EmbeddingsDrift, which takes 19 to 55 s where this takes
milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.areas import AreaReport, ReportTarget
from monitoring.calibration import DRAWS, Calibration, calibrate
from monitoring.effects import cosine
from monitoring.evidently_pages import MOST_ROWS, Drift
from monitoring.measures import Comparison, Distribution, Measure, Panel, Position
from monitoring.own_taste import Habits
from monitoring.plays import CENTRE, Played, Vectors, day_plays, habits_of, played
from monitoring.profile import Profile
from monitoring.reports import write_report
from monitoring.statistics import reference_notes, statistics
from monitoring.thresholds import FEWEST_DAYS
from monitoring.usual import usual_day

AREA = "embedding_drift"
# Distance of the day's centroid from the usual one, in the usual spread of the plays around it.
SHIFT_FLOOR = 0.08
MEASURES = (
    Measure("spread", Comparison.RATIO, 0.10, "spread of the plays around their centre", "", 1e-9),
    Measure("no_vector_share", Comparison.RISE, 0.10, "listens of tracks without a vector", "%"),
    # Only where listeners are known by name and come back: absent for anonymous sessions.
    Measure(
        "own_taste_cosine",
        Comparison.DROP,
        0.045,
        "closeness of listeners to their own usual plays",
    ),
)
DISTRIBUTIONS = (Distribution("genre", 0.12, "genre"),)
_COMPONENTS = 4

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reference:
    """The reference weeks in a champion's vectors: a profile a day, each listener's habits, and the
    panel with the usual spread of the plays as its unit."""

    plays: Played
    days: tuple[Profile, ...]
    habits: Habits
    panel: Panel

    def profile(self, listens: Played, vectors: Vectors) -> Profile | None:
        """The profile of the last day of the listens, None without one."""
        found = list(day_plays(listens, vectors, self.habits, is_reference=False))
        return found[-1].profile() if found else None


def reference_of(listens: pa.Table, vectors: Vectors) -> Reference:
    """The reference weeks (`user_id`, `track_id`, `known_on`) in a champion's vectors."""
    then = played(listens, vectors.track_ids)
    known = habits_of(then, vectors)
    days = tuple(one.profile() for one in day_plays(then, vectors, known, is_reference=True))
    weight = then.counts(len(vectors.values)).astype(np.float64)
    total = max(float(weight.sum()), 1.0)
    centre = weight @ vectors.values / total
    square = float(weight @ np.einsum("ij,ij->i", vectors.values, vectors.values)) / total
    width = float(np.sqrt(max(square - float(centre @ centre), 1e-12)))
    place = Position(CENTRE, SHIFT_FLOOR, "centre of what was played", width)
    return Reference(then, days, known, Panel(AREA, MEASURES, DISTRIBUTIONS, (place,)))


def calibration_of(
    reference: Reference, vectors: Vectors, seed: int, draws: int = DRAWS
) -> Calibration:
    """Scales and limits from the reference weeks, each day's listeners drawn anew `draws` times."""
    each = day_plays(reference.plays, vectors, reference.habits, is_reference=True)
    drawn = [profile for day in each for profile in day.drawn(draws, seed)]
    return calibrate(reference.days, reference.panel, drawn)


def report(
    day: date,
    listens: pa.Table,
    reference: Reference,
    vectors: Vectors,
    target: ReportTarget,
    calibration: Calibration | None = None,
) -> AreaReport:
    """Judge where in vector space the day was played and write the report.

    `listens` needs `user_id`, `track_id` and `known_on`; without a calibration the reference's days
    alone give the thresholds.
    """
    today = played(listens, vectors.track_ids)
    heard = int((today.track >= 0).sum())
    profile = reference.profile(today, vectors)
    if not heard or profile is None or len(reference.days) < FEWEST_DAYS:
        note = (
            f"not enough plays with a vector to compare: {heard} today, "
            f"{len(reference.days)} reference days of at least {FEWEST_DAYS}"
        )
        return write_report(AREA, day, None, (), target, notes=(note,))
    found = statistics(profile, reference.days, reference.panel, calibration)
    numbers = profile.numbers | _cosines(profile, reference.days, today, vectors.values)
    return write_report(
        AREA,
        day,
        _figure(today, reference.plays, vectors.values, target.seed, day),
        found,
        target,
        numbers,
        reference_notes(reference.days),
        quiet_days=len(reference.days),
    )


def _cosines(
    profile: Profile, days: Sequence[Profile], today: Played, vectors: NDArray[np.float32]
) -> dict[str, float]:
    """Cosine of the day's centre with the usual one, and the mean cosine of the plays with it."""
    usual = usual_day([one for one in days if CENTRE in one.points], profile.day)
    centre = usual.profile.points[CENTRE]
    length = np.linalg.norm(vectors, axis=1) * max(float(np.linalg.norm(centre)), 1e-12)
    along = vectors @ centre / np.maximum(length, 1e-12)
    weight = today.counts(len(vectors))
    return {
        "centroid_cosine": cosine(profile.points[CENTRE], centre),
        "mean_cosine": float(weight @ along / max(weight.sum(), 1)),
    }


def _figure(
    today: Played, then: Played, vectors: NDArray[np.float32], seed: int, day: date
) -> Drift:
    """Plays drawn by frequency, along the reference's widest directions and by cosine."""
    old, new = (one.counts(len(vectors)) for one in (then, today))
    centre = (old @ vectors) / old.sum()
    generator = np.random.default_rng([seed, day.toordinal()])
    drawn = [
        generator.choice(len(weight), min(MOST_ROWS, int(weight.sum())), p=weight / weight.sum())
        for weight in (new.astype(np.float64), old.astype(np.float64))
    ]
    parts = min(_COMPONENTS, vectors.shape[1])
    around = vectors[drawn[1]] - centre
    # Ascending eigenvalues; the small matrix of dimensions, not the tall one of plays.
    directions = np.linalg.eigh(around.T @ around)[1].T[::-1]

    def table(rows: NDArray[np.int64]) -> pa.Table:
        points = (vectors[rows] - centre) @ directions[:parts].T
        norms = np.maximum(np.linalg.norm(vectors[rows], axis=1) * np.linalg.norm(centre), 1e-12)
        columns = {"cosine_to_usual_centre": (vectors[rows] @ centre / norms).astype(np.float64)}
        for part in range(points.shape[1]):
            columns[f"direction_{part + 1}"] = points[:, part].astype(np.float64)
        return pa.table(columns)

    current, reference = table(drawn[0]), table(drawn[1])
    return Drift(current, reference, dict.fromkeys(current.column_names, 0.1))
