"""A booster's trees as arrays, and its predictions without what surrounds them in XGBoost.

Belongs here: reading the trees that XGBoost stores. Does not belong here: growing them (ml.ranking.model) or the walk
(ml.kernels.trees).

`Booster.inplace_predict` looks at fifteen kinds of input and makes a matrix before the first row: of a request with
500 rows and 60 trees that is 0.7 ms; the walk here takes 0.2 ms for the same bits.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import SegueError
from ml.state.rows import read_only

if TYPE_CHECKING:
    import xgboost


class ForestError(SegueError):
    """A booster holds what the walk does not know."""


@dataclass(frozen=True, slots=True)
class Forest:
    """t trees over `features` features: `word` uint32, the nodes of all as ml.kernels.trees takes them; `roots` uint32,
    `depths` int64 (t); `base` is added to every score."""

    features: int
    word: NDArray[np.uint32]
    roots: NDArray[np.uint32]
    depths: NDArray[np.int64]
    base: float

    def predict(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (rows,) of `values` (rows, features) in any order of memory, nan = missing: the bits of
        inplace_predict.

        Raises:
            ForestError: the rows are of another width.
        """
        from ml.kernels.trees import sums

        if values.shape[1] != self.features:
            raise ForestError(
                f"expected rows of {self.features} features, found {values.shape[1]}; "
                "run `segue run train` with this version of Segue"
            )
        found: NDArray[np.float32] = sums(
            read_only(np.ascontiguousarray(values.T, dtype=np.float32)),
            read_only(self.word),
            read_only(self.word.view(np.float32)),
            read_only(self.roots),
            read_only(self.depths),
            np.float32(self.base),
        )
        return found


def forest_of(booster: "xgboost.Booster") -> Forest:
    """The trees of a booster, from its documented JSON form.

    Raises:
        ForestError: it is no single-output ensemble of trees with numeric splits.
    """
    from ml.kernels.trees import WORDS

    learner = json.loads(booster.save_raw("json"))["learner"]
    facts, boosted = learner["learner_model_param"], learner["gradient_booster"]
    trees = boosted["model"]["trees"] if boosted["name"] == "gbtree" else []
    if not trees or int(facts["num_target"]) != 1 or any(any(tree["split_type"]) for tree in trees):
        raise ForestError(
            f"expected trees of one output with numeric splits, found {boosted['name']} of "
            f"{facts['num_target']} outputs with {len(trees)} trees; run `segue run train`"
        )
    sizes = [len(tree["parents"]) for tree in trees]
    roots = WORDS * np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return Forest(
        int(facts["num_feature"]),
        np.concatenate([_nodes(tree, int(root)) for tree, root in zip(trees, roots, strict=True)]),
        roots.astype(np.uint32),
        np.array([_depth(tree) for tree in trees], dtype=np.int64),
        float(json.loads(facts["base_score"])[0]),
    )


def _nodes(tree: Mapping[str, Any], root: int) -> NDArray[np.uint32]:
    """The words of a tree whose first stands at `root`. XGBoost keeps a leaf's value where a split keeps its threshold."""
    from ml.kernels.trees import MISSING_LEFT, WORDS

    words = np.empty((len(tree["parents"]), WORDS), dtype=np.uint32)
    missing = np.array(tree["default_left"], dtype=np.uint32) * np.uint32(MISSING_LEFT)
    words[:, 0] = np.array(tree["split_indices"], dtype=np.uint32) | missing
    words[:, 1] = np.array(tree["split_conditions"], dtype=np.float32).view(np.uint32)
    both = np.stack([tree["left_children"], tree["right_children"]], axis=1)
    words[:, 2:] = root + WORDS * np.where(both < 0, np.arange(len(both))[:, None], both)
    return words.ravel()


def _depth(tree: Mapping[str, Any]) -> int:
    """Steps from the root to the deepest leaf; a parent stands before its children."""
    parent = np.array(tree["parents"], dtype=np.int64)
    depth = np.zeros(len(parent), dtype=np.int64)
    for node in range(1, len(parent)):
        depth[node] = depth[parent[node]] + 1
    return int(depth.max())
