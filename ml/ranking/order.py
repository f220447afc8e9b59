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
from ml.evaluation.metrics import Lists, per_request, per_user
from ml.ranking.examples import Examples
from ml.ranking.judging import RANKER, ordered, source_lists, truth_of
from ml.ranking.model import Ranker

POPULARITY = "popularity"


@dataclass(frozen=True, slots=True)
class Choice:
    """`serves` is "segue" (the ranker) or a generator's name; `leader` is the best generator, which
    also answers where the ranker cannot; `ndcg` is NDCG@10 on validation by name."""

    serves: str
    leader: str
    ndcg: Mapping[str, float]

    @property
    def by_ranker(self) -> bool:
        """Whether the ranker's order serves."""
        return self.serves == RANKER

    def write(self, path: Path) -> None:
        """Store as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1, sort_keys=True))


def read_choice(path: Path) -> Choice:
    """The choice stored at `path`."""
    return Choice(**json.loads(path.read_text()))


def choose(ranker: Ranker | None, examples: Examples, surface: str, *, seed: int) -> Choice:
    """The best order by NDCG@10 on validation requests, per listener; the gate's test days stay unseen.

    A ranker serves where it is shown to be above the best single generator (paired 95 % interval above
    zero). It was stopped on the same requests, so its mean there flatters it: on a week of radio, 25
    stations, it led by 0.046 on validation and lost by 0.059 to popularity on test.
    Equal means go to popularity, then to the alphabet. Without any request or relevant track popularity
    leads.
    """
    truth, listener = truth_of(examples, surface), examples.requests["listener"].to_numpy()

    def ndcg(lists: Lists) -> NDArray[np.float64]:
        return per_request(lists, truth, 10)["ndcg"]

    def mean(values: NDArray[np.float64]) -> float:
        users = per_user(values, listener)[1]
        return float(users.mean()) if len(users) else 0.0

    found = {name: ndcg(lists) for name, lists in source_lists(examples).items()}
    single = {name: mean(values) for name, values in found.items()}
    best = sorted(single, key=lambda name: (-single[name], name != POPULARITY, name))
    leader = best[0] if best else POPULARITY
    if ranker is None:
        return Choice(leader, leader, single)
    own = ndcg(ordered(examples, ranker.predict(examples.matrix().features)))
    gap = paired_interval(own, found[leader], listener, seed=seed)
    return Choice(RANKER if gap.low > 0 else leader, leader, {RANKER: mean(own), **single})


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
