"""The ranker: XGBoost's LambdaMART over one surface's feature matrix.

Belongs here: training, prediction, storage and contributions of the booster. Does not belong here:
which rows it sees (ml.ranking.examples).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ml.errors import SegueError
from ml.ranking.features import FeatureMatrix, family
from ml.ranking.forest import Forest, forest_of

if TYPE_CHECKING:
    import xgboost


# Rounds between looks at validation: a look takes three times as long as a round.
_JUDGED_EVERY = 5
# Validation requests below which the best round is chance.
_FEW = 100


class RankerError(SegueError):
    """A feature matrix does not fit the ranker, or there is nothing to train on."""


@dataclass(frozen=True, slots=True)
class RankerParameters:
    """Hyper-parameters of `rank:ndcg`; `seed` and `threads` are part of a model's identity."""

    seed: int = 7
    threads: int = 2
    rounds: int = 400
    early_stopping: int = 40
    learning_rate: float = 0.05
    max_depth: int = 6
    min_child_weight: float = 10.0
    subsample: float = 0.6
    colsample_bytree: float = 0.3
    reg_lambda: float = 5.0
    pairs_per_sample: int = 16
    max_bin: int = 128

    def least_rounds(self, asked: int) -> int:
        """Rounds before which training does not stop on `asked` validation requests: five, and where those are under a
        hundred 5 / learning rate, a quarter of all rounds at most.

        A few requests rise and fall by chance: with 24 of them the best round was anything from 1 to 202, and
        what it gave varied by .03 in NDCG@20 between halves of the listeners, by .008 at 120 rounds.
        """
        few = min(round(5 / self.learning_rate), self.rounds // 4)
        return few if asked < _FEW else min(_JUDGED_EVERY, few)

    def looks(self, number: int, asked: int) -> bool:
        """Whether validation is looked at after so many rounds: first after `least_rounds`, then every fifth."""
        least = self.least_rounds(asked)
        return number in (least, self.rounds) or (number > least and number % _JUDGED_EVERY == 0)

    def booster_parameters(self) -> dict[str, str | int | float]:
        """The parameters by XGBoost's names."""
        return {
            "objective": "rank:ndcg",
            "eval_metric": "ndcg@10-",
            "tree_method": "hist",
            "lambdarank_pair_method": "topk",
            "lambdarank_num_pair_per_sample": self.pairs_per_sample,
            "ndcg_exp_gain": True,
            "eta": self.learning_rate,
            "max_depth": self.max_depth,
            "min_child_weight": self.min_child_weight,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample_bytree,
            "lambda": self.reg_lambda,
            "max_bin": self.max_bin,
            "seed": self.seed,
            "nthread": self.threads,
        }


@dataclass(frozen=True, slots=True)
class LabelledMatrix:
    """Rows of requests with grades: `request` int32 (rows) non-decreasing, `grade` int8 (rows)."""

    features: FeatureMatrix
    request: NDArray[np.int32]
    grade: NDArray[np.int8]

    def with_positive(self) -> "LabelledMatrix":
        """Only requests that hold a grade above 0: the others give no gradient."""
        best = np.zeros(int(self.request.max(initial=-1)) + 1, dtype=np.int8)
        np.maximum.at(best, self.request, self.grade)
        kept = best[self.request] > 0
        matrix = FeatureMatrix(self.features.names, self.features.values[kept])
        return LabelledMatrix(matrix, self.request[kept], self.grade[kept])


@dataclass(frozen=True, slots=True)
class Ranker:
    """A trained booster with the names of its features in order, and its trees as arrays."""

    names: tuple[str, ...]
    booster: "xgboost.Booster"
    forest: Forest

    def predict(self, features: FeatureMatrix) -> NDArray[np.float32]:
        """Scores (rows,), higher is better.

        Raises:
            RankerError: the features are not the ones the ranker was trained on, in that order.
        """
        self._check(features)
        if not len(features.values):
            return np.zeros(0, dtype=np.float32)
        return self.forest.predict(features.values)

    def contributions(
        self, features: FeatureMatrix, *, exact: bool
    ) -> dict[str, NDArray[np.float32]]:
        """SHAP contributions summed by feature family, each (rows,); approximate unless `exact`."""
        import xgboost

        self._check(features)
        matrix = xgboost.DMatrix(features.values)
        values = self.booster.predict(matrix, pred_contribs=True, approx_contribs=not exact)
        groups: dict[str, NDArray[np.float32]] = {}
        for column, name in enumerate(self.names):
            title = family(name)
            groups[title] = groups.get(title, np.float32(0)) + values[:, column]
        return groups

    def gain(self) -> dict[str, float]:
        """Share of the total gain by feature, all features, largest first."""
        raw = self.booster.get_score(importance_type="total_gain")
        total = sum(raw.values())
        share = (
            {name: raw.get(f"f{i}", 0.0) / total for i, name in enumerate(self.names)}
            if total
            else {}
        )
        return dict(sorted(share.items(), key=lambda item: (-item[1], item[0])))

    def save(self, path: Path) -> None:
        """Write the booster (UBJSON) to `path` and its feature names beside it (.json)."""
        self.booster.save_model(path)
        path.with_suffix(".json").write_text(json.dumps(list(self.names), indent=0))

    def _check(self, features: FeatureMatrix) -> None:
        if features.names == self.names:
            return
        missing = sorted(set(self.names) - set(features.names))
        extra = sorted(set(features.names) - set(self.names))
        raise RankerError(
            f"expected the ranker's {len(self.names)} features in order, found "
            f"{len(features.names)} (missing {missing[:5]}, unexpected {extra[:5]}); "
            "run `segue run train` with this version of Segue"
        )


def ranker_of(names: tuple[str, ...], booster: "xgboost.Booster") -> Ranker:
    """A ranker over named features from a booster that was trained on them."""
    return Ranker(names, booster, forest_of(booster))


def load_ranker(path: Path, threads: int) -> Ranker:
    """The ranker saved at `path`."""
    import xgboost  # 1.0 s

    booster = xgboost.Booster()
    booster.load_model(path)
    booster.set_param({"nthread": threads})
    return ranker_of(tuple(json.loads(path.with_suffix(".json").read_text())), booster)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Binned matrices of requests that hold a positive, shared by trainings that bin alike; `asked` validation
    requests."""

    names: tuple[str, ...]
    train: "xgboost.QuantileDMatrix"
    validation: "xgboost.QuantileDMatrix"
    asked: int


def prepare(train: LabelledMatrix, validation: LabelledMatrix, max_bin: int) -> Prepared:
    """Bin both parts by the quantiles of `train`.

    Raises:
        RankerError: no request of `train` or of `validation` holds a positive.
    """
    import xgboost  # 1.0 s

    parts = {"training": train.with_positive(), "validation": validation.with_positive()}
    matrices: list[xgboost.QuantileDMatrix] = []
    for name, part in parts.items():
        if not len(part.grade):
            raise RankerError(
                f"expected {name} requests with at least one candidate that was played, found none; "
                "import more days or lower the number of label days"
            )
        matrices.append(
            xgboost.QuantileDMatrix(
                part.features.values,
                part.grade,
                qid=part.request,
                ref=matrices[0] if matrices else None,
                max_bin=max_bin,
            )
        )
    asked = len(np.unique(parts["validation"].request))
    return Prepared(train.features.names, matrices[0], matrices[1], asked)


def fit_ranker(prepared: Prepared, parameters: RankerParameters) -> Ranker:
    """Fit on the training part, stop when NDCG@10 on the validation part no longer rises, not before
    `least_rounds`."""
    import xgboost  # 1.0 s

    matrices = [prepared.train, prepared.validation]
    booster = xgboost.Booster(parameters.booster_parameters(), matrices)
    kept, best = 0, -1.0
    for number in range(1, parameters.rounds + 1):
        booster.update(prepared.train, number - 1)
        if not parameters.looks(number, prepared.asked):
            continue
        ndcg = _judged(booster, prepared.validation)
        if ndcg > best:
            kept, best = number, ndcg
        elif number - kept >= parameters.early_stopping:
            break
    chosen = booster[:kept]
    chosen.set_attr(parameters=json.dumps(asdict(parameters), sort_keys=True))
    return ranker_of(prepared.names, chosen)


def _judged(booster: "xgboost.Booster", validation: "xgboost.QuantileDMatrix") -> float:
    """NDCG@10 on validation, of XGBoost's line "[0]\tvalidation-ndcg@10-:0.5"."""
    return float(booster.eval(validation, "validation").rpartition(":")[2])


def train_ranker(
    train: LabelledMatrix, validation: LabelledMatrix, parameters: RankerParameters
) -> Ranker:
    """Fit on `train`, stop when NDCG@10 on `validation` no longer rises.

    Raises:
        RankerError: no request of `train` or of `validation` holds a positive.
    """
    return fit_ranker(prepare(train, validation, parameters.max_bin), parameters)
