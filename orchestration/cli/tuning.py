"""`segue tune`: hyper-parameters searched on the latest training's validation days.

Belongs here: the time budget, progress, and what is said of the result. Does not belong here: the search
(ml.ranking.tuning).
"""

import time
from collections.abc import Sequence

from ml.errors import SegueError
from ml.ranking.examples import read_examples
from ml.ranking.model import RankerParameters
from ml.ranking.run import TrainingRun, current_run
from ml.ranking.steps import untrainable
from ml.ranking.tuned import write_found
from ml.ranking.tuning import SPACE, Found, best_of, field_of, fingerprint, open_study, search
from ml.tables import RECOMMENDED_SURFACES
from orchestration.cli.console import bars, console, show, then
from orchestration.settings import Settings, load_settings


def tune(minutes: float, trials: int, surfaces: Sequence[str], forget: bool) -> None:
    """Search for `minutes` or up to `trials` in all, whichever ends first, split evenly by surface.

    Raises:
        SegueError: an unknown surface, no time, or no training to search on.
    """
    settings = load_settings()
    if forget:
        settings.tuned.unlink(missing_ok=True)
        console.print("trainings use the defaults again")
        then("segue run train")
        return
    wanted = list(surfaces) or list(RECOMMENDED_SURFACES)
    if unknown := sorted(set(wanted) - set(RECOMMENDED_SURFACES)):
        raise SegueError(
            f"expected surfaces of {', '.join(RECOMMENDED_SURFACES)}, found {', '.join(unknown)}"
        )
    if minutes <= 0 or trials < 1:
        raise SegueError(
            f"expected some time and trials to search, found --minutes {minutes:g} --trials {trials}"
        )
    run = current_run(settings.training)
    rows = [_surface(settings, run, one, 60 * minutes / len(wanted), trials) for one in wanted]
    show(
        f"Searched on the validation days of the training as of {run.plan.as_of}",
        ["surface", "trials", "NDCG@10 before", "found", "difference", "kept"],
        rows,
    )
    then("segue run train")


def _surface(
    settings: Settings, run: TrainingRun, surface: str, seconds: float, trials: int
) -> list[str]:
    if why := untrainable(run, surface):
        return [surface, "0", "", "", why, "no"]
    folders = {split: run.examples(surface, split) for split in ("train", "validation")}
    base = RankerParameters(seed=run.plan.seed)
    field = field_of(
        surface,
        read_examples(folders["train"]),
        read_examples(folders["validation"]),
        base,
    )
    study = open_study(run.folder / "tuning.db", f"{surface}-{fingerprint(folders)}")
    until = time.monotonic() + seconds
    with bars() as progress:
        bar = progress.add_task(f"{surface}: trials", total=trials, completed=len(study.trials))
        search(
            study,
            field,
            base,
            go_on=lambda done: done < trials and time.monotonic() < until,
            told=lambda done, value: progress.update(
                bar, completed=done, description=f"{surface}: last NDCG@10 {value:.4f}"
            ),
        )
    found = best_of(study, field, base)
    better = found.gain.low > 0
    if better:
        write_found(settings.tuned, surface, found, run.plan.as_of.isoformat())
        _show_values(surface, found, base)
    kept = "yes" if better else "no: not shown to be better"
    before, after = f"{found.base_ndcg:.4f}", f"{found.ndcg:.4f}"
    return [surface, str(found.trials), before, after, found.gain.text(), kept]


def _show_values(surface: str, found: Found, base: RankerParameters) -> None:
    rows = [
        [name, f"{getattr(base, name):g}", f"{getattr(found.parameters, name):.4g}"]
        for name in SPACE
    ]
    show(surface, ["hyper-parameter", "default", "found"], rows)
