"""One track of one answer: who proposed it, what the ranker saw and what each part added.

Belongs here: the answer made once more and what lies behind one of its candidates. Does not belong here:
the parts themselves (ml.registry.traced), published lists (orchestration.cli.tracing), HTTP.
"""

from collections.abc import Sequence
from math import isnan

import numpy as np
from numpy.typing import NDArray

from ml.ranking.features import FeatureMatrix, family
from ml.registry.traced import feature_contributions
from ml.serving.recommender import Answer
from ml.serving.service.answering import heading
from ml.serving.service.errors import Refusal
from ml.serving.service.loading import Served
from ml.serving.service.taste import described
from ml.serving.wishes import Wishes
from ml.state.requests import Asked, one_request

Fields = dict[str, object]


def explain_one(served: Served, asked: Asked, k: int, wishes: Wishes, track_id: str) -> Fields:
    """The fields of schemas.ExplainAnswer but the request id, for any track of the catalogue.

    The answer is made again without haste: asked with the `at` of an answer it is that answer, unless it
    fell back, or another model serves by now.

    Raises:
        Refusal: 404, the track is not in the catalogue.
    """
    recommender = served.on(asked.at.date())
    state = recommender.state
    track = state.track_index.get(track_id)
    if track is None:
        raise Refusal(404, "unknown_track", "expected a track of the catalogue, found none")
    block = one_request(asked, state.user_index, state.track_index)
    answer = recommender.answer(block, k, wishes=wishes)
    head = heading(served, asked, answer)
    rows = np.flatnonzero(answer.pool.track == track)
    row = int(rows[0]) if len(rows) else None
    place = None if row is None else _place(answer, row)
    return {
        **head,
        **described(state, track),
        "verdict": _verdict(
            answer, row, place, k, skipped=(track_id, True) in zip(*asked.today, strict=True)
        ),
        "rank": place,
        "score": None if row is None else float(answer.score[row]),
        "candidates": len(answer.pool.track),
        **_proposed(answer, row),
        **_added(served, answer, row, explained=head["answered_by"] == "ranker"),
    }


def _place(answer: Answer, row: int) -> int | None:
    """The rank at which a row of the pool is shown."""
    found = np.flatnonzero(answer.shown.row == row)
    return int(answer.shown.rank[found[0]]) if len(found) else None


def _verdict(answer: Answer, row: int | None, place: int | None, k: int, *, skipped: bool) -> str:
    """What became of the track: shown, below (the last place), rules (they left it out), skipped (since
    midnight), or no_candidate (no source proposed it, or a filter of the request left it out)."""
    if row is None:
        return "skipped" if skipped else "no_candidate"
    if place is not None:
        return "shown"
    last = answer.score[answer.shown.row].min(initial=np.inf)
    is_full = len(answer.shown.row) == k
    return "below" if is_full and answer.score[row] <= last else "rules"


def _proposed(answer: Answer, row: int | None) -> Fields:
    """Sources that proposed the track, best rank first, and those that did not."""
    pool = answer.pool
    if row is None:
        return {"sources": [], "silent": list(pool.generators)}
    found = [
        (float(pool.rank[place, row]), name, float(pool.score[place, row]))
        for place, name in enumerate(pool.generators)
    ]
    known = sorted(one for one in found if not isnan(one[0]))
    return {
        "sources": [
            {"source": name, "rank": int(rank), "score": score} for rank, name, score in known
        ],
        "silent": [name for rank, name, _ in found if isnan(rank)],
    }


def _added(served: Served, answer: Answer, row: int | None, *, explained: bool) -> Fields:
    """Base, families and features, by size of what they added; without a ranker's order the values
    alone, in the ranker's order of columns."""
    if row is None:
        return {"base": None, "families": [], "features": []}
    names, values = answer.features.names, answer.features.values[row : row + 1]
    ranker = served.recommender.surfaces[answer.requests.surface].ranker
    if ranker is None or not explained:
        return {"base": None, "families": [], "features": _features(names, values[0], None)}
    added = feature_contributions(ranker, FeatureMatrix(names, values))[0]
    features = _features(names, values[0], added)
    sums: dict[str, float] = {}
    for name, value in zip(names, added, strict=False):
        sums[family(name)] = sums.get(family(name), 0.0) + float(value)
    families = sorted(sums.items(), key=lambda item: (-abs(item[1]), item[0]))
    return {
        "base": float(added[-1]),
        "families": [{"family": name, "contribution": value} for name, value in families],
        "features": features,
    }


def _features(
    names: Sequence[str], values: NDArray[np.float32], added: NDArray[np.float32] | None
) -> list[Fields]:
    """Name, family, value (null = not known) and contribution of each feature."""
    shares = [None] * len(names) if added is None else added[:-1].tolist()
    rows: list[Fields] = [
        {
            "family": family(name),
            "name": name,
            "value": value if np.isfinite(value) else None,
            "contribution": share,
        }
        for name, value, share in zip(names, values.tolist(), shares, strict=True)
    ]
    if added is None:
        return rows
    order = np.lexsort((np.array(names), -np.abs(added[:-1])))
    return [rows[place] for place in order]
