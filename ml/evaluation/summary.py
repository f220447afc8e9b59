"""Beyond accuracy: what several models' lists are like, as one tidy table with intervals.

Belongs here: which figures stand in the table and what each is read from. Does not belong here: the
figures' formulas (beyond, surprise, variety, calibration, repeats) or which lists are judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from ml.evaluation.averages import user_means
from ml.evaluation.beyond import coverage, exposure_gini
from ml.evaluation.calibration import distribution, miscalibration
from ml.evaluation.intervals import Interval, intervals
from ml.evaluation.metrics import Lists, Truth
from ml.evaluation.repeats import shown_repeats, wanted_repeats
from ml.evaluation.surprise import novelty, serendipity, surprisal, unexpected
from ml.evaluation.variety import intra_list_diversity

# Rows that describe what listeners played, not what a model showed.
LISTENERS = "listeners"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lists are held against, as known before the evaluated requests.

    `streams` (tracks) by everybody; `artist` int32 (tracks), -1 = none, `artists` how many there
    are; `vectors` (tracks, d) L2-normalised, or None; `genres` p(g|i) (tracks, groups) as from
    `calibration.membership`; `taste` float64 (requests, groups), nan rows where nothing is known.
    """

    streams: NDArray[np.float32]
    artist: NDArray[np.int32]
    artists: int
    vectors: NDArray[np.float32] | None
    genres: sparse.csr_array
    taste: NDArray[np.float64]


def _of_requests(
    shown: Lists, simple: Lists, truth: Truth, heard: NDArray[np.bool_], around: Surroundings
) -> dict[str, NDArray[np.float64]]:
    """Figures of each list, float64 (requests) each."""
    requests = truth.requests
    bits = surprisal(around.streams)
    found = {
        "novelty (bits)": novelty(shown, bits, requests),
        "serendipity": serendipity(shown, truth, unexpected(shown, simple)),
        "heard before": shown_repeats(shown, heard, requests),
    }
    if around.genres.shape[1]:
        weight = np.ones(len(shown.track))
        mix = distribution(shown.request, shown.track, weight, around.genres, requests)
        found["genre miscalibration"] = miscalibration(around.taste, mix)
    if around.vectors is not None:
        found["intra-list diversity"] = intra_list_diversity(shown, around.vectors, requests)
    return found


def _of_all(shown: Lists, around: Surroundings) -> dict[str, float]:
    """Figures of all lists together; they have no mean over listeners, hence no interval."""
    tracks = len(around.streams)
    each = np.arange(tracks, dtype=np.int32)
    return {
        "catalogue coverage": coverage(shown, tracks),
        "track exposure Gini": exposure_gini(shown, each, tracks),
        "artist exposure Gini": exposure_gini(shown, around.artist, around.artists),
    }


def _rows(
    model: str, found: Mapping[str, NDArray[np.float64]], user: NDArray[np.int32], seed: int
) -> list[tuple[str, str, Interval]]:
    values = user_means(np.stack(list(found.values()), axis=1), user)[1]
    return [
        (model, name, interval)
        for name, interval in zip(found, intervals(values, seed=seed), strict=True)
    ]


def beyond_table(
    lists: Mapping[str, Lists],
    heard: Mapping[str, NDArray[np.bool_]],
    wanted: NDArray[np.bool_],
    truth: Truth,
    user: NDArray[np.int32],
    around: Surroundings,
    *,
    simple: str,
    seed: int,
) -> pa.Table:
    """A row a model and figure, of the lists as they are (their full depth).

    `heard` (m) by model, one a shown row: the listener had heard it; `wanted` (t) the same of the truth,
    reported as "heard before" of LISTENERS. Serendipity is the share of a list that was played and
    that model `simple` does not list (Ge et al. 2010). Columns: model, figure; mean over users, low and
    high of its 95 % bootstrap interval, users; figures of all lists together (coverage, exposure)
    have nan bounds and 0 users.
    """
    rows = [
        row
        for model, shown in lists.items()
        for row in _rows(
            model, _of_requests(shown, lists[simple], truth, heard[model], around), user, seed
        )
    ]
    rows += _rows(LISTENERS, {"heard before": wanted_repeats(truth, wanted)}, user, seed)
    rows += [
        (model, name, Interval(value, float("nan"), float("nan"), 0))
        for model, shown in lists.items()
        for name, value in _of_all(shown, around).items()
    ]
    models, figures, found = zip(*rows, strict=True)
    columns = {"model": pa.array(models, pa.string()), "figure": pa.array(figures, pa.string())}
    for name in ("mean", "low", "high"):
        columns[name] = pa.array([getattr(one, name) for one in found], pa.float64())
    return pa.table(columns | {"users": pa.array([one.users for one in found], pa.int64())})
