"""The order that serves a surface, on the stored examples of a split.

Belongs here: examples as the ranker saw them beside those of all generators, and their scores. Does not
belong here: lists of other models (ml.ranking.judging) or what they are worth (ml.ranking.verdicts).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.ranking.examples import Examples, read_examples
from ml.ranking.model import Ranker
from ml.ranking.order import Choice, read_choice, stored_score
from ml.ranking.run import TrainingRun
from ml.ranking.selection import without
from ml.ranking.steps import stored_ranker


@dataclass(frozen=True, slots=True)
class Served:
    """Of one surface and split: `examples` of all generators, `own` those without the generators that
    validation switched off, `score` float32 (rows of `own`) of the serving order; `ranker` is None
    where the leader serves."""

    examples: Examples
    own: Examples
    score: NDArray[np.float32]
    choice: Choice
    ranker: Ranker | None


def read_served(run: TrainingRun, surface: str, split: str, threads: int) -> Served:
    """The stored examples of a split with the serving order's scores."""
    choice = read_choice(run.choice(surface))
    examples = read_examples(run.examples(surface, split))
    own = without(examples, choice.off, surface)
    ranker = stored_ranker(run, surface, threads)
    score = stored_score(ranker, own, surface, choice)
    return Served(examples, own, score, choice, ranker)
