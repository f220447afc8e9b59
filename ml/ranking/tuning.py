"""Searching the ranker's hyper-parameters on validation requests only.

Belongs here: the space, the honest score of a configuration, the resumable search. Does not belong here:
which configuration a training uses (ml.ranking.tuned).

A ranker is stopped on validation requests, so its score there flatters it, the more the more
configurations are tried. Listeners are therefore split in two halves: each half is scored by a ranker that
was stopped on the other.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import SegueError
from ml.evaluation.intervals import Interval, paired_interval
from ml.evaluation.metrics import per_request, per_user
from ml.ranking.examples import Examples
from ml.ranking.judging import ordered, truth_of
from ml.ranking.model import LabelledMatrix, Prepared, RankerParameters, fit_ranker, prepare

if TYPE_CHECKING:
    import optuna

# Name -> (lowest, highest, on a log scale). Whole numbers stay whole.
SPACE: Mapping[str, tuple[float, float, bool]] = {
    "learning_rate": (0.02, 0.2, True),
    "max_depth": (3, 9, False),
    "min_child_weight": (1.0, 100.0, True),
    "subsample": (0.4, 1.0, False),
    "colsample_bytree": (0.2, 1.0, False),
    "reg_lambda": (0.5, 100.0, True),
    "pairs_per_sample": (4, 40, True),
}
# Trials drawn at random before the search learns from what it saw.
_AT_RANDOM = 8


class TuningError(SegueError):
    """There is nothing to search on."""


@dataclass(frozen=True, slots=True)
class Field:
    """Training and validation examples of a surface, binned once for every trial.

    `half` bool (requests): which listeners' half a validation request belongs to; `halves` holds the
    matrices whose validation part is (the first half, the second half).
    """

    surface: str
    validation: Examples
    matrix: LabelledMatrix
    half: NDArray[np.bool_]
    halves: tuple[Prepared, Prepared]

    @property
    def listener(self) -> NDArray[np.int32]:
        """Listener of each validation request, int32 (requests)."""
        found: NDArray[np.int32] = self.validation.requests["listener"].to_numpy()
        return found


@dataclass(frozen=True, slots=True)
class Found:
    """The best configuration, how it was found, and its gain in NDCG@10 over `base` per listener."""

    parameters: RankerParameters
    trials: int
    ndcg: float
    base_ndcg: float
    gain: Interval


def _part(matrix: LabelledMatrix, kept: NDArray[np.bool_]) -> LabelledMatrix:
    rows = kept[matrix.request]
    features = replace(matrix.features, values=matrix.features.values[rows])
    return LabelledMatrix(features, matrix.request[rows], matrix.grade[rows])


def field_of(surface: str, train: Examples, validation: Examples, base: RankerParameters) -> Field:
    """What a search on these examples needs; bins and the seed that halves listeners are `base`'s.

    Raises:
        TuningError: fewer than two listeners asked on the validation days.
        RankerError: a half holds no request with a candidate that was played.
    """
    listener = validation.requests["listener"].to_numpy()
    known = np.unique(listener)
    if len(known) < 2:
        raise TuningError(
            f"expected at least two listeners on the validation days of {surface}, found "
            f"{len(known)}; a search needs one to stop on and another to score: import more data"
        )
    second = np.random.default_rng(base.seed).permutation(known)[: len(known) // 2]
    half = np.isin(listener, second)
    fitted, judged = train.matrix(), validation.matrix()
    halves = tuple(
        prepare(fitted, _part(judged, half == side), base.max_bin) for side in (False, True)
    )
    return Field(surface, validation, judged, half, (halves[0], halves[1]))


def crossed_ndcg(field: Field, parameters: RankerParameters) -> NDArray[np.float64]:
    """NDCG@10 of each validation request by the ranker stopped on the other half, float64 (requests).

    nan where nothing was relevant.
    """
    truth = truth_of(field.validation, field.surface)
    values = np.full(len(field.half), np.nan)
    for prepared, other in zip(field.halves, (True, False), strict=True):
        ranker = fit_ranker(prepared, parameters)
        lists = ordered(field.validation, ranker.predict(field.matrix.features))
        judged = field.half == other
        values[judged] = per_request(lists, truth, 10)["ndcg"][judged]
    return values


def fingerprint(folders: Mapping[str, Path]) -> str:
    """Hash of the stored examples: a search is taken up again only on the very same ones."""
    total = hashlib.sha256()
    for name, folder in sorted(folders.items()):
        for path in sorted(folder.glob("*.parquet")):
            total.update(f"{name}/{path.name}".encode() + path.read_bytes())
    return total.hexdigest()[:12]


def _distributions() -> "dict[str, optuna.distributions.BaseDistribution]":
    from optuna.distributions import FloatDistribution, IntDistribution

    whole = {name for name, value in asdict(RankerParameters()).items() if isinstance(value, int)}
    return {
        name: IntDistribution(int(low), int(high), log=log)
        if name in whole
        else FloatDistribution(low, high, log=log)
        for name, (low, high, log) in SPACE.items()
    }


def open_study(storage: Path, name: str) -> "optuna.Study":
    """The search kept in the SQLite file `storage`; a trial that a kill left open counts as failed."""
    import optuna  # 0.6 s

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{storage}", study_name=name, direction="maximize", load_if_exists=True
    )
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def search(
    study: "optuna.Study",
    field: Field,
    base: RankerParameters,
    *,
    go_on: Callable[[int], bool],
    told: Callable[[int, float], None],
) -> None:
    """Add trials while `go_on(trials so far)`; `told(trial, ndcg)` hears of each.

    The first trial is `base`. Trial n is drawn from (seed + n) and the trials before it, so a search that was
    killed and taken up again tries what it would have tried (Bergstra et al. 2011: TPE).
    """
    import optuna

    space = _distributions()
    if not study.trials:
        study.enqueue_trial({name: asdict(base)[name] for name in SPACE})
    while go_on(done := len(study.get_trials(states=(optuna.trial.TrialState.COMPLETE,)))):
        study.sampler = optuna.samplers.TPESampler(
            seed=base.seed + done, n_startup_trials=_AT_RANDOM
        )
        trial = study.ask(space)
        value = _mean(crossed_ndcg(field, with_found(base, trial.params)), field)
        study.tell(trial, value)
        told(done + 1, value)


def with_found(base: RankerParameters, found: Mapping[str, Any]) -> RankerParameters:
    """`base` with the searched values of a trial."""
    return replace(base, **{name: found[name] for name in SPACE})


def _mean(values: NDArray[np.float64], field: Field) -> float:
    users = per_user(values, field.listener)[1]
    if not len(users):
        raise TuningError(
            f"expected validation requests of {field.surface} with something played, found none; "
            "import more days"
        )
    return float(users.mean())


def best_of(study: "optuna.Study", field: Field, base: RankerParameters) -> Found:
    """The best configuration beside `base`, both scored anew and compared by listener.

    Raises:
        TuningError: the search has no finished trial.
    """
    import optuna

    done = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    if not done:
        raise TuningError("expected finished trials, found none; run `segue tune` for longer")
    parameters = with_found(base, study.best_trial.params)
    best, before = (crossed_ndcg(field, one) for one in (parameters, base))
    gain = paired_interval(best, before, field.listener, seed=base.seed)
    return Found(parameters, len(done), _mean(best, field), _mean(before, field), gain)
