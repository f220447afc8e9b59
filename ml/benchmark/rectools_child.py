"""RecTools' SASRec and two-stage model on one cut of a benchmark, by a Python that has RecTools.

Belongs here: what RecTools is asked, from files and into files. Does not belong here: anything that needs
Segue: this file is run alone (RecTools 0.19 wants NumPy below 2 and attrs below 24, Segue the newer ones),
nor what is tried and chosen (ml.benchmark.extras).

`python -I rectools_child.py FOLDER` reads, of FOLDER: job.json, events.parquet (who, what, at),
prefixes.parquet (alike, of listeners that are asked for and not in the events), asked.parquet (request_id,
who); and writes lists.parquet (request_id, track_id, rank) and costs.json (fit_seconds, answer_seconds,
megabytes). Everything runs on one thread of the processor with one seed.
"""

import importlib
import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from pytorch_lightning import Trainer
    from rectools.dataset import Dataset
    from rectools.models.base import ModelBase

# Drawn at each place of a batch: the softmax over all of 60,000 tracks would hold 64 x 50 x 60,000 numbers,
# 0.8 GB, and as much again for its gradient.
_NEGATIVES = 32
_BATCH, _POSITIONS = 64, 50
# Passes over the listeners at least, where the steps of a configuration make fewer.
_PASSES = 1
# Asked for at once: 80,000 sessions in one go took 18 GB and were killed for it, in blocks of this size 1.5 GB.
_BLOCK = 2_000
_NEEDED = (
    "implicit.als",
    "pyarrow",
    "pytorch_lightning",
    "rectools.models.ranking",
    "sklearn.ensemble",
    "torch",
)


def trainer(steps: int) -> "Trainer":
    """Lightning's loop on the processor, ended after `steps` batches; writes nothing."""
    from pytorch_lightning import Trainer

    return Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=-1,
        max_steps=steps,
        deterministic=True,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def sasrec(job: dict[str, Any], events: pd.DataFrame) -> "ModelBase[Any]":
    """Self-attention over the last plays, at most 50, the next play as target (Kang and McAuley 2018)."""
    from pytorch_lightning import seed_everything
    from rectools.models import SASRecModel

    seed_everything(job["seed"], verbose=False)
    chosen = job["configuration"]
    plays = events.groupby("who").size()
    # A batch costs as many places as its sequences are padded to, and sessions are short.
    positions = min(_POSITIONS, max(2, int(plays.quantile(0.95))))
    steps = max(int(chosen["steps"]), _PASSES * -(-len(plays) // _BATCH))
    return SASRecModel(
        n_blocks=2,
        n_heads=2,
        n_factors=int(chosen["factors"]),
        dropout_rate=chosen["dropout"],
        lr=chosen["learning_rate"],
        session_max_len=positions,
        batch_size=_BATCH,
        loss="sampled_softmax",
        n_negatives=_NEGATIVES,
        deterministic=True,
        recommend_torch_device="cpu",
        get_trainer_func=trainer,
        get_trainer_func_kwargs={"steps": steps},
    )


def _first_stage(seed: int) -> "tuple[ModelBase[Any], ...]":
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import CosineRecommender
    from rectools.models import ImplicitALSWrapperModel, ImplicitItemKNNWrapperModel, PopularModel

    als = AlternatingLeastSquares(
        factors=64,
        regularization=1.0,
        alpha=5.0,
        iterations=12,
        num_threads=1,
        random_state=seed,
    )
    knn = CosineRecommender(K=100, num_threads=1)
    return ImplicitItemKNNWrapperModel(knn), ImplicitALSWrapperModel(als), PopularModel()


def two_stage(job: dict[str, Any], events: pd.DataFrame) -> "ModelBase[Any]":  # noqa: ARG001 - one call for all
    """The best of item kNN, iALS and most played, ranked again by boosted trees.

    The trees learn from the last `label_days` days, from ranks and scores of generators that were
    fitted on the days before.
    """
    from rectools.model_selection import TimeRangeSplitter
    from rectools.models.ranking import (
        CandidateGenerator,
        CandidateRankingModel,
        PerUserNegativeSampler,
        Reranker,
    )
    from sklearn.ensemble import HistGradientBoostingClassifier

    chosen, seed = job["configuration"], job["seed"]
    trees = HistGradientBoostingClassifier(
        learning_rate=chosen["learning_rate"],
        max_leaf_nodes=int(chosen["leaves"]),
        max_iter=int(chosen["trees"]),
        early_stopping=False,
        random_state=seed,
    )
    best = int(chosen["candidates"])
    return CandidateRankingModel(
        [CandidateGenerator(one, best, True, True) for one in _first_stage(seed)],
        TimeRangeSplitter(f"{job['label_days']}D", n_splits=1),
        Reranker(trees),
        PerUserNegativeSampler(int(chosen["negatives"]), random_state=seed),
    )


MODELS = {"sasrec": sasrec, "two_stage": two_stage}


def _dataset(events: pd.DataFrame) -> "Dataset":
    from rectools import Columns
    from rectools.dataset import Dataset

    names = {"who": Columns.User, "what": Columns.Item, "at": Columns.Datetime}
    return Dataset.construct(events.rename(columns=names).assign(**{Columns.Weight: 1.0}))


def _answers(
    model: "ModelBase[Any]", dataset: "Dataset", asked: "pd.Series[str]", job: dict[str, Any]
) -> pd.DataFrame:
    """RecTools' answers for those who ask and have played something, block by block."""
    who = asked[asked.isin(dataset.user_id_map.external_ids)].unique()
    parts = [
        model.recommend(
            users=who[start : start + _BLOCK],
            dataset=dataset,
            k=job["k"],
            filter_viewed=job["exclude_heard"],
            on_unsupported_targets="ignore",
        )
        for start in range(0, len(who), _BLOCK)
    ]
    found: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return found


def _lists(found: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """RecTools' answers by listener as lists by request."""
    names = {"user_id": "who", "item_id": "track_id"}
    lists = asked.merge(found.rename(columns=names), on="who")
    return lists[["request_id", "track_id", "rank"]].astype({"rank": "int32"})


def _peak_megabytes() -> float:
    """Of this process alone: `ru_maxrss` begins at its parent's peak."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 2**10
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def run(folder: Path) -> None:
    """Fit the job's model on the events, answer what is asked, write the lists and what they cost."""
    job = json.loads((folder / "job.json").read_text())
    events = pd.read_parquet(folder / "events.parquet")
    prefixes = pd.read_parquet(folder / "prefixes.parquet")
    asked = pd.read_parquet(folder / "asked.parquet")
    model = MODELS[job["model"]](job, events)
    known = _dataset(events)
    began = time.monotonic()
    model.fit(known)
    fitted = time.monotonic()
    answering = _dataset(prefixes) if len(prefixes) else known
    found = _answers(model, answering, asked["who"], job)
    answered = time.monotonic()
    _lists(found, asked).to_parquet(folder / "lists.parquet", index=False)
    costs = {
        "fit_seconds": fitted - began,
        "answer_seconds": answered - fitted,
        "megabytes": _peak_megabytes(),
    }
    # The last to be written: who reads it may read the lists.
    (folder / "costs.json").write_text(json.dumps(costs))


def main() -> None:
    """Run the job of the folder that is named; without one only see whether everything is installed."""
    try:
        for needed in _NEEDED:
            importlib.import_module(needed)
    except ImportError as error:
        sys.exit(str(error))
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if len(sys.argv) > 1:
        torch.set_num_threads(1)
        with threadpool_limits(1):
            run(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
