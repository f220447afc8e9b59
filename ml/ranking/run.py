"""The folder of one training run: which file holds what.

Belongs here: paths and the plan's storage. Does not belong here: computing any of it.

    plan.json                            as_of, label days, seed, sampling, hyper-parameters
    documents/<cut>.parquet              track documents as they stood at the cut
    encoder/<version>/                   the own text encoder
    vectors/<cut>.parquet                their text vectors
    sources/<cut>/<surface>/             fitted generators
    examples/<surface>/<split>/          rows, requests, truth
    baselines/<surface>.parquet          lists of baselines on the test requests
    rankers/<surface>.ubj                boosters (absent where a single generator serves)
    rankers/<surface>_choice.json        what serves, as validation chose
    evaluation/                          tables and lists
"""

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from ml.errors import SegueError
from ml.evaluation.splits import Windows
from ml.files import replace_text
from ml.ranking.parameters import parameters_from
from ml.ranking.training import Sampling, TrainingPlan


class TrainingRunError(SegueError):
    """A training run's folder lacks what an earlier step should have left there."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A plan and the folder its steps write to."""

    folder: Path
    plan: TrainingPlan

    def documents(self, cut: str) -> Path:
        """Track documents at a cut."""
        return self.folder / "documents" / f"{cut}.parquet"

    @property
    def encoders(self) -> Path:
        """Own encoders by version; `current` names the run's."""
        return self.folder / "encoder"

    def vectors(self, cut: str) -> Path:
        """Text vectors at a cut; absent where there is no text."""
        return self.folder / "vectors" / f"{cut}.parquet"

    def sources(self, cut: str, surface: str) -> Path:
        """Generators fitted at a cut."""
        return self.folder / "sources" / cut / surface

    def examples(self, surface: str, split: str) -> Path:
        """Examples of a surface and split."""
        return self.folder / "examples" / surface / split

    def baselines(self, surface: str) -> Path:
        """Baseline lists of a surface."""
        return self.folder / "baselines" / f"{surface}.parquet"

    def ranker(self, surface: str) -> Path:
        """Booster of a surface; absent where a single generator serves."""
        return self.folder / "rankers" / f"{surface}.ubj"

    def choice(self, surface: str) -> Path:
        """What serves a surface, as validation chose."""
        return self.folder / "rankers" / f"{surface}_choice.json"

    @property
    def evaluation(self) -> Path:
        """Folder of the evaluation."""
        return self.folder / "evaluation"


def begin_run(training: Path, plan: TrainingPlan) -> TrainingRun:
    """Create (or take up again) the folder of a plan and make it the current run."""
    run = TrainingRun(training / f"as_of={plan.as_of.isoformat()}", plan)
    run.folder.mkdir(parents=True, exist_ok=True)
    stored = {
        "as_of": plan.as_of.isoformat(),
        "seed": plan.seed,
        "sampling": asdict(plan.sampling),
        "parameters": {surface: asdict(found) for surface, found in plan.parameters.items()},
        "windows": {
            name: [day.isoformat() for day in days] for name, days in asdict(plan.windows).items()
        },
    }
    replace_text(run.folder / "plan.json", json.dumps(stored, indent=1))
    replace_text(training / "current.json", json.dumps({"run": run.folder.name}))
    return run


def current_run(training: Path) -> TrainingRun:
    """The run that the steps of a training job share.

    Raises:
        TrainingRunError: no training was begun.
    """
    pointer = training / "current.json"
    if not pointer.is_file():
        raise TrainingRunError(
            "expected a training run, found none begun; run `segue run train`, which begins one"
        )
    folder = training / str(json.loads(pointer.read_text())["run"])
    stored = json.loads((folder / "plan.json").read_text())
    windows = {
        name: tuple(date.fromisoformat(day) for day in days)
        for name, days in stored["windows"].items()
    }
    plan = TrainingPlan(
        date.fromisoformat(stored["as_of"]),
        Windows(**windows),
        int(stored["seed"]),
        Sampling(**stored["sampling"]),
        {
            surface: parameters_from(found)
            for surface, found in stored.get("parameters", {}).items()
        },
    )
    return TrainingRun(folder, plan)
