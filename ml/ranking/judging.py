"""Judging a surface: the ranker, every single generator and the baselines on the same requests.

Belongs here: lists per model from test examples, and their table. Does not belong here: metric
formulas (ml.evaluation).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.candidates.merge import Pool
from ml.candidates.plan import depths
from ml.candidates.recall import recall_table
from ml.evaluation.metrics import Lists, Truth
from ml.policy.rules import PolicyRules, apply_rules
from ml.ranking.examples import Examples, read_examples
from ml.ranking.labels import RELEVANT_GRADE
from ml.ranking.run import TrainingRun
from ml.state.catalogue import Catalogue

RANKER = "segue"
# The serving order after the policy: what listeners see. Single generators are judged without policy, so
# they are compared with the order before it.
SHOWN = "segue_shown"
# Lists are this deep wherever they are judged; metrics look at 10 and 20.
DEPTH = 20


@dataclass(frozen=True, slots=True)
class Judged:
    """Lists by model, the truth they are judged by, and the listener of each request."""

    lists: Mapping[str, Lists]
    truth: Truth
    listener: NDArray[np.int32]


def _sorted_lists(
    request: NDArray[np.int32], track: NDArray[np.int32], rank: NDArray[np.int32]
) -> Lists:
    order = np.lexsort((rank, request))
    return Lists(request[order], track[order], rank[order])


def pool_of(examples: Examples) -> Pool:
    """The candidates of the examples with every generator's score and rank."""
    names = tuple(source_names(examples))
    columns = [
        np.stack([examples.rows[f"source_{name}_{kind}"].to_numpy() for name in names])
        if names
        else np.zeros((0, len(examples.rows)), np.float32)
        for kind in ("score", "rank")
    ]
    request, track = (examples.rows[key].to_numpy() for key in ("request", "track"))
    return Pool(request, track, names, columns[0], columns[1])


def ordered(examples: Examples, score: NDArray[np.float32]) -> Lists:
    """The best candidates of each request by `score` (a value a row), ties by the smaller track."""
    request, track = (examples.rows[key].to_numpy() for key in ("request", "track"))
    order = np.lexsort((track, -score, request))
    request, track = request[order], track[order]
    rank = (np.arange(len(order)) - np.searchsorted(request, request) + 1).astype(np.int32)
    kept = rank <= DEPTH
    return Lists(request[kept], track[kept], rank[kept])


def ruled(
    examples: Examples, score: NDArray[np.float32], rules: PolicyRules, catalogue: Catalogue
) -> Lists:
    """The same order after the rules: what listeners see."""
    request, track = (examples.rows[key].to_numpy() for key in ("request", "track"))
    shown = apply_rules(request, track, score, catalogue, rules, DEPTH)
    return Lists(shown.request, track[shown.row], shown.rank)


def source_lists(examples: Examples) -> dict[str, Lists]:
    """Each generator's own best candidates, in its own order."""
    lists = {}
    request = examples.rows["request"].to_numpy()
    track = examples.rows["track"].to_numpy()
    for source in source_names(examples):
        rank = examples.rows[f"source_{source}_rank"].to_numpy()
        top = rank <= DEPTH
        lists[source] = _sorted_lists(request[top], track[top], rank[top].astype(np.int32))
    return lists


def source_names(examples: Examples) -> list[str]:
    """Generators whose ranks are among the features, in their order."""
    return [
        name.removeprefix("source_").removesuffix("_rank")
        for name in examples.feature_names
        if name.startswith("source_") and name.endswith("_rank")
    ]


def baseline_table_lists(table: pa.Table) -> dict[str, Lists]:
    """Lists by model from a baseline table (ml.ranking.training.baseline_lists)."""
    lists = {}
    for name in sorted(table["model"].unique().to_pylist()):
        part = table.filter(pc.equal(table["model"], name))
        columns = [part[c].to_numpy() for c in ("request", "track", "rank")]
        lists[str(name)] = _sorted_lists(*columns)
    return lists


def truth_of(examples: Examples, surface: str) -> Truth:
    """What counts as a hit on the surface."""
    relevant = examples.truth.filter(
        pc.greater_equal(examples.truth["grade"], RELEVANT_GRADE[surface])
    )
    return Truth(
        relevant["request"].to_numpy(),
        relevant["track"].to_numpy(),
        relevant["grade"].to_numpy(),
        len(examples.requests),
    )


def judge(
    examples: Examples,
    surface: str,
    score: NDArray[np.float32],
    rules: PolicyRules,
    catalogue: Catalogue,
    baselines: pa.Table,
) -> Judged:
    """All models' lists on the test requests; what serves (`score`, a value a row) is `segue`."""
    lists = {RANKER: ordered(examples, score), SHOWN: ruled(examples, score, rules, catalogue)}
    lists |= source_lists(examples) | baseline_table_lists(baselines)
    return Judged(lists, truth_of(examples, surface), examples.requests["listener"].to_numpy())


def candidate_recall(run: TrainingRun, surface: str) -> pa.Table | None:
    """Recall of the surface's candidates on the validation requests (ml.candidates.recall), None where
    nobody asked. All graded tracks count, whatever the surface calls a hit."""
    examples = read_examples(run.examples(surface, "validation"))
    if not len(examples.requests):
        return None
    pool = pool_of(examples)
    truth = examples.truth
    played = (truth["request"].to_numpy(), truth["track"].to_numpy())
    most = depths(surface)
    return recall_table(pool, *played, requests=len(examples.requests), most=most)
