"""Embedding drift: do listeners still play in the same region of the track vectors?

Belongs here: centroid, spread and genres of what was played, in NumPy. Does not belong here:
Evidently's EmbeddingsDrift, which takes 19 to 55 s where this takes milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array

from monitoring.areas import AreaReport, ReportTarget, Statistic
from monitoring.effects import cosine
from monitoring.evidently_pages import MOST_ROWS, Drift
from monitoring.measures import Comparison, Distribution, Measure
from monitoring.own_taste import closeness, habits, reference_closeness
from monitoring.profile import Profile
from monitoring.reports import write_report
from monitoring.statistics import reference_notes, statistics
from monitoring.thresholds import FEWEST_DAYS, calibrated, comparable, quiet_effects

AREA = "embedding_drift"
# Distance of the day's centroid from the usual one, in the usual spread of the plays around it.
SHIFT_FLOOR = 0.08
MEASURES = (
    Measure("spread", Comparison.RATIO, 0.10, "spread of the plays around their centre", "", 1e-9),
    Measure("no_vector_share", Comparison.RISE, 0.03, "listens of tracks without a vector", "%"),
)
# Only where listeners are known by name and come back: nan, and left out, for anonymous sessions.
OWN_TASTE = Measure(
    "own_taste_cosine", Comparison.DROP, 0.06, "closeness of listeners to their own usual plays"
)
DISTRIBUTIONS = (Distribution("genre", 0.12, "genre"),)
_COMPONENTS = 4
_EPOCH = date(1970, 1, 1)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Vectors:
    """Track vectors: `values` float32 (tracks, dimensions) row by row with `track_ids`, and each
    track's main genre ("" = not known)."""

    track_ids: Sequence[str]
    values: NDArray[np.float32]
    genre_of: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plays:
    """Plays per day and track: `counts` (days, tracks), and plays without a vector per day; each
    listen's day (position in `days`) and track (row of the vectors, -1 = none)."""

    days: tuple[date, ...]
    counts: csr_array
    strangers: NDArray[np.int64]
    row_day: NDArray[np.int64]
    row_track: NDArray[np.int64]

    def centroids(self, vectors: NDArray[np.float32]) -> Floats:
        """Mean vector of each day's plays, (days, dimensions)."""
        totals = np.maximum(np.asarray(self.counts.sum(axis=1)).ravel(), 1)
        means: Floats = np.asarray(self.counts @ vectors, dtype=np.float64) / totals[:, None]
        return means


def report(
    day: date,
    listens: pa.Table,
    reference_listens: pa.Table,
    vectors: Vectors,
    target: ReportTarget,
) -> AreaReport:
    """Judge where in vector space the day was played and write the report.

    Both tables need `user_id`, `track_id` and `known_on`; the reference's days give the threshold.
    """
    today = plays(listens, vectors.track_ids)
    then = plays(reference_listens, vectors.track_ids)
    heard = today.counts.sum() if today.days else 0
    if not heard or len(then.days) < FEWEST_DAYS:
        note = (
            f"not enough plays with a vector to compare: {int(heard)} today, "
            f"{len(then.days)} reference days of at least {FEWEST_DAYS}"
        )
        return write_report(AREA, day, None, (), target, notes=(note,))
    reference = _profiles(then, vectors)
    profile = _profiles(today, vectors)[-1]
    profile, reference = _with_own_taste(
        profile, reference, (listens, today), (reference_listens, then), vectors
    )
    shift, numbers = _centroid_shift(profile.day, today, then, vectors.values)
    measures = (*MEASURES, OWN_TASTE)
    found = (shift, *statistics(profile, reference, measures, DISTRIBUTIONS, AREA))
    figure = _figure(today, then, vectors.values, target.seed, day)
    return write_report(
        AREA, day, figure, found, target, {**profile.numbers, **numbers}, reference_notes(reference)
    )


def plays(listens: pa.Table, track_ids: Sequence[str]) -> Plays:
    """Count plays by `known_on` and track; tracks that have no vector are counted apart."""
    known = listens["known_on"].cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64)
    days, row = np.unique(known, return_inverse=True)
    found = pc.index_in(listens["track_id"], pa.array(track_ids, pa.string())).fill_null(-1)
    column = found.to_numpy().astype(np.int64)
    inside = column >= 0
    counts = csr_array(
        (np.ones(inside.sum(), np.float32), (row[inside], column[inside])),
        shape=(len(days), len(track_ids)),
    )
    strangers = np.bincount(row[~inside], minlength=len(days)).astype(np.int64)
    dates = tuple(_EPOCH + timedelta(days=int(one)) for one in days)
    return Plays(dates, counts, strangers, row.astype(np.int64), column)


def _with_own_taste(
    profile: Profile,
    reference: Sequence[Profile],
    today: tuple[pa.Table, Plays],
    then: tuple[pa.Table, Plays],
    vectors: Vectors,
) -> tuple[Profile, tuple[Profile, ...]]:
    """The profiles with how close listeners stay to themselves, where that is known."""
    known = habits(then[0]["user_id"], then[1].row_track, then[1].row_day, vectors.values)
    own = closeness(known, today[0]["user_id"], today[1].row_track)
    usual = reference_closeness(known)
    if not np.isfinite([own, *usual]).all():
        return profile, tuple(reference)
    name = OWN_TASTE.name
    return replace(profile, numbers=profile.numbers | {name: own}), tuple(
        replace(one, numbers=one.numbers | {name: value})
        for one, value in zip(reference, usual, strict=True)
    )


def _profiles(counted: Plays, vectors: Vectors) -> tuple[Profile, ...]:
    totals = np.asarray(counted.counts.sum(axis=1)).ravel()
    centroids = counted.centroids(vectors.values)
    squares = np.einsum("ij,ij->i", vectors.values, vectors.values).astype(np.float64)
    mean_square = np.asarray(counted.counts @ squares).ravel() / np.maximum(totals, 1)
    spread = np.sqrt(np.maximum(mean_square - np.einsum("ij,ij->i", centroids, centroids), 0))
    genres = sorted(set(vectors.genre_of.values()) | {""})
    code = {name: position for position, name in enumerate(genres)}
    of_track = [code[vectors.genre_of.get(one, "")] for one in vectors.track_ids]
    member = csr_array(
        (np.ones(len(of_track)), (np.arange(len(of_track)), of_track)),
        shape=(len(of_track), len(genres)),
    )
    by_genre = np.asarray((counted.counts @ member).todense())
    profiles = []
    for row, day in enumerate(counted.days):
        everything = totals[row] + counted.strangers[row]
        shares = by_genre[row] / max(by_genre[row].sum(), 1)
        numbers = {
            "listens": float(everything),
            "spread": float(spread[row]),
            "no_vector_share": float(counted.strangers[row] / max(everything, 1)),
        }
        named = {name or "unknown": float(one) for name, one in zip(genres, shares, strict=True)}
        profiles.append(Profile(day, numbers, {"genre": named}))
    return tuple(profiles)


def _centroid_shift(
    day: date, today: Plays, then: Plays, vectors: NDArray[np.float32]
) -> tuple[Statistic, dict[str, float]]:
    centroids = then.centroids(vectors)
    now = today.centroids(vectors)[-1]
    weekdays = [one.weekday() for one in then.days]
    usual = centroids[comparable(weekdays, day.weekday())].mean(axis=0)
    squares = np.einsum("ij,ij->i", vectors, vectors).astype(np.float64)
    weight = np.asarray(then.counts.sum(axis=0)).ravel()
    width = float(np.sqrt(max(weight @ squares / weight.sum() - usual @ usual, 1e-12)))

    def apart(first: Floats, second: Floats) -> float:
        return float(np.linalg.norm(first - second)) / width

    quiet = quiet_effects(
        len(then.days),
        weekdays,
        lambda one, others: apart(centroids[one], centroids[others].mean(axis=0)),
    )
    threshold = calibrated(quiet, SHIFT_FLOOR, len(then.days))
    effect = apart(now, usual)
    likeness = cosine(now, usual)
    words = (
        f"centre of what was played moved by {effect:.2f} of the usual spread (cosine with the "
        f"usual centre {likeness:.3f})"
    )
    severity = threshold.severity(effect)
    middle = float(np.median(quiet))
    statistic = Statistic(
        "centroid_shift", effect, threshold.watch, AREA, severity, words, effect, middle
    )
    lengths = np.sqrt(np.maximum(squares, 1e-12)) * max(float(np.linalg.norm(usual)), 1e-12)
    cosines = (vectors @ usual) / lengths
    played = np.asarray(today.counts[[-1]].sum(axis=0)).ravel()
    mean_cosine = float(played @ cosines / max(played.sum(), 1))
    return statistic, {"centroid_cosine": likeness, "mean_cosine": mean_cosine}


def _figure(today: Plays, then: Plays, vectors: NDArray[np.float32], seed: int, day: date) -> Drift:
    """Plays drawn by frequency, along the reference's widest directions and by cosine."""
    old, new = (np.asarray(one.counts.sum(axis=0)).ravel() for one in (then, today))
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
