"""Which order serves a surface: the ranker's, or that of its best single generator.

Belongs here: the choice on validation, its storage, and the leader's order. Does not belong here:
training a ranker (ml.ranking.model) or the gate (ml.registry.gate).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.evaluation.intervals import paired_interval
from ml.evaluation.metrics import Truth, per_request, per_user
from ml.files import replace_text
from ml.ranking.examples import Examples
from ml.ranking.judging import RANKER, pool_of, source_lists, truth_of
from ml.ranking.model import Ranker
from ml.ranking.selection import ndcg_of, without
from ml.state.requests import Requests
from ml.state.state import State

POPULARITY = "popularity"
# Fewer listeners than this tell nothing apart: then they are answered like everybody.
_LEAST_STRANGERS = 30
_LEAST_LISTENERS = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """`serves` is "segue" (the ranker) or a generator's name; `leader` is the best generator, which
    also answers where the ranker cannot; `ndcg` is NDCG@10 on validation by name; `off` are the
    generators that the ranker does without; `strangers` is who answers where the listener has no history:
    "segue" (the same order) or a generator's name, which may be that of the friends they have."""

    serves: str
    leader: str
    ndcg: Mapping[str, float]
    off: tuple[str, ...] = ()
    strangers: str = RANKER

    @property
    def by_ranker(self) -> bool:
        """Whether the ranker's order serves."""
        return self.serves == RANKER

    def write(self, path: Path) -> None:
        """Store as JSON."""
        replace_text(path, json.dumps(asdict(self), indent=1, sort_keys=True))


def read_choice(path: Path) -> Choice:
    """The choice stored at `path`."""
    stored = json.loads(path.read_text())
    return Choice(**{**stored, "off": tuple(stored.get("off", ()))})


def best_single(examples: Examples, surface: str) -> dict[str, float]:
    """NDCG@10 per listener of every single generator by name, the best first.

    Equal means go to popularity, then to the alphabet.
    """
    truth, listener = truth_of(examples, surface), examples.requests["listener"].to_numpy()
    single = {name: _mean(found, listener) for name, found in _ndcg(examples, truth).items()}
    best = sorted(single, key=lambda name: (-single[name], name != POPULARITY, name))
    return {name: single[name] for name in best}


def _ndcg(examples: Examples, truth: Truth) -> dict[str, NDArray[np.float64]]:
    """NDCG@10 of every single generator by name, float64 (requests)."""
    return {
        name: per_request(lists, truth, 10)["ndcg"]
        for name, lists in source_lists(examples).items()
    }


def _mean(values: NDArray[np.float64], listener: NDArray[np.int32]) -> float:
    users = per_user(values, listener)[1]
    return float(users.mean()) if len(users) else 0.0


def choose(
    ranker: Ranker | None,
    examples: Examples,
    surface: str,
    *,
    seed: int,
    off: tuple[str, ...] = (),
) -> Choice:
    """The best order by NDCG@10 on validation requests, per listener; the gate's test days stay unseen.

    `examples` are those of all generators; the ranker was trained without those in `off`.

    A ranker serves where it is shown to be above the best single generator (paired 95 % interval above
    zero), and that generator leads where it is shown to be above popularity. The ranker was stopped
    on the same requests, so its mean there flatters it: on a week of radio, 25 stations, it led by 0.046
    on validation and lost by 0.059 to popularity on test.
    Without any request or relevant track popularity leads.
    """
    single = best_single(examples, surface)
    best = next(iter(single), POPULARITY)
    truth, listener = truth_of(examples, surface), examples.requests["listener"].to_numpy()
    ndcg = _ndcg(examples, truth)
    # Few listeners have no spread of their own: then their requests are drawn instead.
    few = len(np.unique(listener)) < _LEAST_LISTENERS
    unit = np.arange(len(listener), dtype=np.int32) if few else listener

    def above(values: NDArray[np.float64], name: str) -> bool:
        return bool(paired_interval(values, ndcg[name], unit, seed=seed).low > 0)

    is_popularity = best == POPULARITY or POPULARITY not in ndcg
    leader = best if is_popularity or above(ndcg[best], POPULARITY) else POPULARITY
    if ranker is None:
        return Choice(leader, leader, single)
    own = ndcg_of(ranker, without(examples, off, surface), surface)
    means = {RANKER: _mean(own, listener), **single}
    if not above(own, best):
        return Choice(leader, leader, means)
    left = {name: values for name, values in ndcg.items() if name not in off}
    return Choice(RANKER, leader, means, off, _for_strangers(own, left, examples, surface, seed))


def _for_strangers(
    own: NDArray[np.float64],
    single: Mapping[str, NDArray[np.float64]],
    examples: Examples,
    surface: str,
    seed: int,
) -> str:
    """Who answers listeners of whom nothing is known, by the same rule on their requests alone.

    A ranker that is best for everybody may lose to plain popularity here: on HetRec Last.fm NDCG@20 .081
    against .107. Now Playing always knows the running session.
    """
    unknown = np.flatnonzero(~_is_known(examples))
    listener = examples.requests["listener"].to_numpy()[unknown]
    if surface != "home" or len(np.unique(listener)) < _LEAST_STRANGERS:
        return RANKER
    means = {name: _mean(values[unknown], listener) for name, values in single.items()}
    best = min(means, key=lambda name: (-means[name], name != POPULARITY, name))
    gap = paired_interval(own[unknown], single[best][unknown], listener, seed=seed)
    return RANKER if gap.low > 0 else best


def _is_known(examples: Examples) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = examples.requests["is_known"].to_numpy(zero_copy_only=False)
    return known


def strangers(requests: Requests, state: State) -> NDArray[np.bool_]:
    """Requests whose listener has no history, no running session and no listens today, bool (requests).
    Of some of them friends are known.

    Validation holds no listener without history who listened today: that the ranker answers them, who may
    be a little better known by then, is a decision and not a measurement.
    """
    if len(requests) == 1:
        return requests.once(state, "strangers", lambda: _stranger(requests, state))
    unknown: NDArray[np.bool_] = state.unheard_of(requests.user) & (requests.session_length() == 0)
    if requests.day is not None:
        unknown[requests.day.owner()] = False
    return unknown


def _stranger(requests: Requests, state: State) -> NDArray[np.bool_]:
    """The same of one request; who has a session or listened today needs no look at the history."""
    listened = requests.day is not None and len(requests.day.track)
    if listened or len(requests.session_track):
        return np.zeros(1, dtype=np.bool_)
    return state.unheard_of(requests.user)


def serving_score(
    ranked: NDArray[np.float32] | None,
    rank: NDArray[np.float32],
    generators: tuple[str, ...],
    stranger: NDArray[np.bool_],
    leader: str,
    for_strangers: str,
) -> NDArray[np.float32]:
    """Scores of the order that serves, float32 (rows): comparable within a request.

    `ranked` float32 (rows), the ranker's scores, None where `leader` serves; `stranger` bool (rows): nothing is
    known of the row's listener; `rank` and `generators` as in `leader_score`.
    """
    score = leader_score(rank, generators, leader) if ranked is None else ranked
    if for_strangers == RANKER or not stranger.any():
        return score
    apart = leader_score(rank[:, stranger], generators, for_strangers)
    score = score.copy()
    score[stranger] = apart
    return score


def stored_score(
    ranker: Ranker | None, examples: Examples, surface: str, choice: Choice
) -> NDArray[np.float32]:
    """`serving_score` of stored examples, which hold no generator that was switched off."""
    pool = pool_of(examples)
    ranked = None if ranker is None else ranker.predict(examples.matrix().features)
    stranger = np.zeros(len(pool.request), dtype=np.bool_)
    if surface == "home":
        stranger = ~_is_known(examples)[pool.request]
    return serving_score(
        ranked, pool.rank, pool.generators, stranger, choice.leader, choice.strangers
    )


def leader_score(
    rank: NDArray[np.float32], generators: tuple[str, ...], leader: str
) -> NDArray[np.float32]:
    """The leader's order first, then the other candidates by reciprocal-rank fusion, float32 (rows).

    `rank` float32 (generators, rows), nan where a generator did not propose the row. Fusion sums
    1 / (60 + rank) and stays below 1 (Cormack et al. 2009), the leader's rows lie above 1.
    """
    score: NDArray[np.float32] = np.nansum(1.0 / (60.0 + rank), axis=0).astype(np.float32)
    if leader in generators:
        first = rank[generators.index(leader)]
        own = ~np.isnan(first)
        score[own] = 1.0 + 1.0 / first[own]
    return score
