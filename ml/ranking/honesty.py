"""Do a run's examples know anything that was not known when their requests were asked?

Belongs here: the test examples once more from a warehouse without the future, and the history's filter.
Does not belong here: judging the numbers (ml.evaluation.leaks).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.candidates.transitions import Transitions
from ml.evaluation.leaks import (
    Filtered,
    changed_features,
    counting_features,
    filtered_before_split,
)
from ml.ranking.examples import Examples, build_examples, read_examples
from ml.ranking.labels import LabelledRequests
from ml.ranking.run import TrainingRun
from ml.ranking.steps import cut_sources, cut_vectors, run_draw
from ml.ranking.training import fit_input, grown, label_day
from ml.state.drawn import Drawn
from ml.state.friendships import holds_friendships
from ml.state.log import Log
from ml.state.plays import Plays, count_plays
from ml.state.read import read_state
from ml.state.read_log import read_log
from ml.state.state import State
from ml.tables import RECOMMENDED_SURFACES

Rows = tuple[NDArray[np.int64], NDArray[np.float32]]

# Requests that are looked at again: one block of build_examples, so that float sums fall alike.
_REQUESTS = 500
_ROWS = 50_000
_FRIENDSHIPS = "intermediate.friendships"
# What a row of the warehouse says about when it became known.
_KNOWN = {
    "staging.tracks": "known_at < $day::date",
    "staging.users": "known_at < $day::date",
    "intermediate.listens": "known_on < $day::date",
    "intermediate.tracks": "first_known_on < $day::date",
    "intermediate.users": "first_known_on < $day::date",
    _FRIENDSHIPS: "first_known_on < $day::date",
    "features.users": "valid_from <= $day::date",
    "features.tracks": "valid_from <= $day::date",
    "features.user_tracks": "valid_from <= $day::date",
    "features.user_artists": "valid_from <= $day::date",
}
CANDIDATES = "candidates"
# It learns from every listen of the log, and fast: fitted again, it shows that the log was cut for all
# generators of both surfaces, which are fitted from one input. The state is held by its counts.
_REFITTED = Transitions


@dataclass(frozen=True, slots=True)
class Honesty:
    """`changed`: features, counts and fitted parts that are others without the future, by name, with the
    share of rows; `filtered`: the filter the history went through before it was cut, or None; `counting`: features
    that tell which tracks it is sure to bring again, by surface and name."""

    changed: dict[str, float]
    filtered: Filtered | None
    counting: dict[str, float]


@contextmanager
def without_future(
    connection: duckdb.DuckDBPyConnection, day: date
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same connection, where every relation that a state is read from ends before `day`."""
    [(whole,)] = connection.execute("select current_database()").fetchall()
    left_out = () if holds_friendships(connection) else (_FRIENDSHIPS,)
    connection.execute("attach ':memory:' as known (read_write)")
    try:
        for relation, condition in _KNOWN.items():
            if relation in left_out:
                continue
            schema = relation.split(".")[0]
            connection.execute(f"create schema if not exists known.{schema}")
            until = condition.replace("$day", f"'{day.isoformat()}'")
            connection.execute(
                f'create view known.{relation} as select * from "{whole}".{relation} where {until}'
            )
        connection.execute("use known")
        yield connection
    finally:
        connection.execute(f'use "{whole}"')
        connection.execute("detach known")


def examples_again(
    run: TrainingRun,
    surface: str,
    log: Log,
    listeners: pa.StringArray,
    states: tuple[State, State],
) -> Examples:
    """The test examples of the first test day, 500 requests at most, from what was known before it.

    Requests and truth are the day's own; `states` are the cut's and the day's (a gap may lie between), read from
    a warehouse without the future, and so are candidates and features. `log` and its `listeners` are those of
    the whole run.
    """
    fitted, state = states
    labelled = label_day(surface, "test", run.plan, log, listeners, state)
    sources = cut_sources(run, "test", surface, fitted)
    if fitted is not state:
        sources = grown(sources, fitted.catalogue.size, cut_vectors(run, "test"), state)
    first = first_requests(labelled, _REQUESTS)
    return build_examples(first, sources, state, negatives=None, seed=run.plan.seed)


def first_requests(labelled: LabelledRequests, most: int) -> LabelledRequests:
    """The first `most` of the requests with their truth."""
    kept = labelled.request < most
    index = np.arange(min(most, len(labelled.requests)), dtype=np.int64)
    return LabelledRequests(
        labelled.requests.select(index),
        labelled.request[kept],
        labelled.track[kept],
        labelled.grade[kept],
        labelled.listener[index],
    )


def _rows(examples: Examples, requests: int) -> Rows:
    """(key, features) of the rows of the first `requests` requests."""
    rows = examples.rows.filter(pc.less(examples.rows["request"], requests)).combine_chunks()
    matrix = Examples(rows, examples.requests, examples.truth).matrix()
    return matrix.request.astype(np.int64) << 32 | rows["track"].to_numpy(), matrix.features.values


def changed(given: Examples, again: Examples) -> dict[str, float]:
    """Features of `given` that are others in `again`, with the share of rows; requests are numbered alike.

    `candidates` stands for rows that only one of the two has, and a feature that only one has is changed
    in all rows.
    """
    requests = len(again.requests)
    (key, values), (key_again, values_again) = _rows(given, requests), _rows(again, requests)
    names = [name for name in given.feature_names if name in again.feature_names]
    at = [given.feature_names.index(name) for name in names]
    at_again = [again.feature_names.index(name) for name in names]
    shared, row, row_again = np.intersect1d(key, key_again, return_indices=True)
    found = changed_features(names, values[row][:, at], values_again[row_again][:, at_again])
    apart = len(key) + len(key_again) - 2 * len(shared)
    if apart:
        found[CANDIDATES] = apart / (len(key) + len(key_again))
    alone = set(given.feature_names) ^ set(again.feature_names)
    return found | dict.fromkeys(sorted(alone), 1.0)


def refitted(run: TrainingRun, surface: str, past: Log, state: State) -> dict[str, float]:
    """The stored arrays of a generator that are others when it learns from `past`, what was known at the
    cut and nothing else; all of it counts as changed."""
    stored = cut_sources(run, "test", surface, state).generators.get(_REFITTED.name)
    if stored is None:
        return {}
    again = _REFITTED.fit(fit_input(state, past, None, run.plan.seed)).arrays()
    same = all(np.array_equal(again[name], array) for name, array in stored.arrays().items())
    return {} if same else {f"{_REFITTED.name} as it was fitted": 1.0}


def miscounted(tracks: Plays, listeners: Plays, state: State) -> dict[str, float]:
    """Counts of `state` that are not those of the listens before its day, with the share of keys: plays and
    streams of tracks and of listeners. A count that runs past the day is one of its features' leaks."""
    found = {}
    for name, counted, columns in (
        ("track", tracks, state.tracks),
        ("listener", listeners, state.users),
    ):
        for what, number in (("plays", counted.before), ("streams", counted.streams)):
            wrong = np.flatnonzero(number[: columns.rows] != columns[what])
            if len(wrong):
                found[f"{what} of a {name}"] = len(wrong) / columns.rows
    return found


def counting(examples: Examples, past: NDArray[np.int64], least: int) -> dict[str, float]:
    """Features of the examples that tell tracks with fewer than `least` listens before the cut."""
    rows = examples.rows.take(np.linspace(0, len(examples.rows) - 1, _ROWS, dtype=np.int64))
    sample = Examples(rows, examples.requests, examples.truth)
    below = past[rows["track"].to_numpy()] < least
    return counting_features(sample.feature_names, sample.matrix().features.values, below)


def _first_asked(
    connection: duckdb.DuckDBPyConnection, run: TrainingRun, fitted: State, drawn: Drawn
) -> State:
    """The state of the first test day, without the future: the cut's own where no gap lies between."""
    day = run.plan.days("test")[0]
    if day == fitted.valid_on:
        return fitted
    with without_future(connection, day) as known:
        return read_state(known, day, drawn)


def honesty(connection: duckdb.DuckDBPyConnection, run: TrainingRun) -> Honesty:
    """Look at the test examples of both surfaces."""
    cut, as_of = run.plan.cut("test"), run.plan.as_of
    drawn = run_draw(connection, run)
    whole = read_state(connection, as_of, drawn)
    log = read_log(connection, whole, drawn)
    tracks, listeners = (
        count_plays(connection, key, ids, cut=cut, as_of=as_of)
        for key, ids in (("track_id", whole.catalogue.track_ids), ("user_id", whole.user_ids))
    )
    with without_future(connection, cut) as known:
        fitted = read_state(known, cut, drawn)
        past = read_log(known, fitted, drawn)
    states = fitted, _first_asked(connection, run, fitted, drawn)
    filtered = filtered_before_split(tracks.before, tracks.after, tracks.is_early)
    other = miscounted(tracks, listeners, fitted)
    telling: dict[str, float] = {}
    for surface in RECOMMENDED_SURFACES:
        given = read_examples(run.examples(surface, "test"))
        if not len(given.rows):
            continue
        again = examples_again(run, surface, log, whole.user_ids, states)
        found = changed(given, again) | refitted(run, surface, past, fitted)
        other |= {f"{surface} {name}": part for name, part in found.items()}
        if filtered is not None:
            counted = counting(given, tracks.before, filtered.least)
            telling |= {f"{surface} {name}": share for name, share in counted.items()}
    return Honesty(other, filtered, telling)
