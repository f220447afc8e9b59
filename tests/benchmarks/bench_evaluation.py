"""Evaluation: 100,000 requests with lists of 20 tracks, from lists to intervals.

python -m tests.benchmarks.bench_evaluation [--requests 100000 --users 20000 --tracks 50000]
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.evaluation.averages import user_means
from ml.evaluation.beyond import coverage, exposure_gini
from ml.evaluation.calibration import distribution, membership, miscalibration
from ml.evaluation.intervals import intervals
from ml.evaluation.metrics import Lists, Truth, find, score
from ml.evaluation.sliced import slice_rows
from ml.evaluation.slices import Slices, everything, history_lengths, popularity_tiers, times_of_day
from ml.evaluation.surprise import novelty, serendipity, surprisal, unexpected
from ml.evaluation.table import comparison_rows
from ml.evaluation.variety import intra_list_diversity
from tests.benchmarks.measure import Measure, Spent, judged, own_peak, show

DEPTH, RELEVANT, GENRES, ARTISTS, MODELS = 20, 5, 20, 4_000, 10
BAR_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Case:
    """Lists of several models against one truth, and what is known of tracks and requests."""

    lists: dict[str, Lists]
    truth: Truth
    user: NDArray[np.int32]
    streams: NDArray[np.int64]
    artist: NDArray[np.int32]
    vectors: NDArray[np.float32]
    genre: sparse.csr_array
    families: tuple[Slices, ...]


def _lists(generator: np.random.Generator, truth: Truth, tracks: int) -> Lists:
    """A list of DEPTH different tracks a request, one relevant track in three among them."""
    requests = truth.requests
    start = generator.integers(0, tracks, size=(requests, 1))
    # Steps by a prime meet no track twice.
    track = (start + np.arange(DEPTH) * 7_919) % tracks
    chosen = truth.track.reshape(requests, RELEVANT)
    place = generator.integers(0, DEPTH, size=requests)
    lucky = (generator.random(requests) < 1 / 3) & ~(track == chosen[:, :1]).any(axis=1)
    track[lucky, place[lucky]] = chosen[lucky, 0]
    request = np.repeat(np.arange(requests, dtype=np.int32), DEPTH)
    rank = np.tile(np.arange(1, DEPTH + 1, dtype=np.int32), requests)
    return Lists(request, track.ravel().astype(np.int32), rank)


def make_case(requests: int, users: int, tracks: int, seed: int = 5) -> Case:
    """RELEVANT relevant tracks a request, popular ones more often; a user asks several times."""
    generator = np.random.default_rng(seed)
    first = (tracks * generator.random(requests) ** 3).astype(np.int64)
    track = np.sort((first[:, None] + np.arange(RELEVANT) * 104_729) % tracks, axis=1)
    request = np.repeat(np.arange(requests, dtype=np.int32), RELEVANT)
    grade = generator.integers(1, 5, size=requests * RELEVANT).astype(np.int8)
    truth = Truth(request, track.ravel().astype(np.int32), grade, requests)
    streams = (1e6 / (1 + np.arange(tracks))).astype(np.int64)
    vectors = generator.normal(size=(tracks, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Case(
        {f"model {number}": _lists(generator, truth, tracks) for number in range(MODELS)},
        truth,
        generator.integers(0, users, size=requests).astype(np.int32),
        streams,
        generator.integers(0, ARTISTS, size=tracks).astype(np.int32),
        vectors,
        membership(generator.integers(0, GENRES, size=tracks), GENRES),
        (
            everything(truth),
            popularity_tiers(truth, streams),
            history_lengths(truth, generator.integers(0, 1_000, size=requests)),
            times_of_day(truth, generator.integers(0, 86_400, size=requests)),
        ),
    )


def accuracy(case: Case) -> None:
    """All ranking metrics of one model at 10 and 20, per request, per user, with intervals."""
    shown = case.lists["model 0"]
    found = find(shown, case.truth)
    columns = [values for k in (10, 20) for values in score(found, case.truth, k).values()]
    intervals(user_means(np.stack(columns, axis=1), case.user)[1], seed=1)


def beyond_accuracy(case: Case) -> None:
    """One model: coverage, Gini of tracks and artists, novelty, diversity, serendipity, calibration."""
    shown, truth = case.lists["model 0"], case.truth
    requests, tracks = truth.requests, len(case.streams)
    coverage(shown, tracks)
    exposure_gini(shown, np.arange(tracks, dtype=np.int32), tracks)
    exposure_gini(shown, case.artist, ARTISTS)
    taste = distribution(
        truth.request, truth.track, np.ones(len(truth.track)), case.genre, requests
    )
    held = distribution(shown.request, shown.track, np.ones(len(shown.track)), case.genre, requests)
    columns = [
        novelty(shown, surprisal(case.streams), requests),
        intra_list_diversity(shown, case.vectors, requests),
        serendipity(shown, truth, unexpected(shown, case.lists["model 1"])),
        miscalibration(taste, held),
    ]
    intervals(user_means(np.stack(columns, axis=1), case.user)[1], seed=1)


def comparison(case: Case) -> None:
    """The table of all models."""
    comparison_rows("home", case.lists, case.truth, case.user, reference="model 0", seed=1)


def slices(case: Case) -> None:
    """Three models on thirteen slices."""
    three = dict(list(case.lists.items())[:3])
    slice_rows(three, case.truth, case.user, case.families, seed=1)


def _measure(
    step: str, size: str, work: Callable[[Case], None], case: Case, at_most: float | None = None
) -> Measure:
    began, used = time.perf_counter(), time.process_time()
    work(case)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    rate = f"{case.truth.requests / seconds:,.0f} requests/s"
    return judged(step, size, Spent(seconds, cpu, own_peak(), ""), rate, at_most=at_most)


def rows(requests: int = 100_000, users: int = 20_000, tracks: int = 50_000) -> list[Measure]:
    """One row a step; the bar is on judging one model by the ranking metrics."""
    case = make_case(requests, users, tracks)
    size = f"{requests:,} x {DEPTH}"
    models = f"{MODELS} x {size}"
    return [
        _measure("evaluate: ranking metrics, intervals", size, accuracy, case, BAR_SECONDS),
        _measure("evaluate: beyond accuracy, intervals", size, beyond_accuracy, case),
        _measure("evaluate: 13 slices of 3 models", f"3 x {size}", slices, case),
        _measure(f"evaluate: table of {MODELS} models", models, comparison, case),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--tracks", type=int, default=50_000)
    options = parser.parse_args()
    show(rows(options.requests, options.users, options.tracks))


if __name__ == "__main__":
    main()
