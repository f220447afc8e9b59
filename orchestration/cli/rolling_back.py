"""`segue rollback`: an earlier model serves again.

Belongs here: which one, whether it may, and the record. Does not belong here: how MLflow keeps it
(ml.registry.models).
"""

import getpass
from datetime import UTC, datetime

from ml.errors import SegueError
from ml.registry.bundle import verify_bundle
from ml.registry.models import ROLLED_BACK, ModelRegistry, Promotion
from ml.registry.pointer import make_champion
from ml.registry.records import heal_records
from orchestration.cli.console import console, then
from orchestration.resources import RegistryResource
from orchestration.settings import Settings, load_settings, prepare_process


def version_before(models: ModelRegistry, wanted: str) -> tuple[str, str]:
    """(the champion, the version to serve instead): `wanted`, or the one that served before it.

    Raises:
        SegueError: nothing serves, nothing served before, or `wanted` never served.
    """
    history, champion = models.served(), models.champion()
    if champion is None:
        raise SegueError("expected a champion to step back from, found none; run `segue run train`")
    served = [one.version for one in history]
    if wanted:
        if wanted not in served or wanted == champion:
            others = ", ".join(sorted(set(served) - {champion})) or "none"
            raise SegueError(
                f"expected a version that served before {champion} ({others}), found {wanted}; "
                "`segue history` lists them"
            )
        return champion, wanted
    # Steps back never turn forward: what served before the champion did for the first time.
    earlier = served[: served.index(champion)]
    if not earlier:
        raise SegueError(
            f"expected a version that served before {champion}, found none: it is the first; "
            "run `segue run train` for another one"
        )
    return champion, earlier[-1]


def step_back(
    settings: Settings, models: ModelRegistry, version: str, why: str, by: str, at: datetime
) -> Promotion:
    """Let `version` (empty = the one before the champion) serve, and record who asked when and why.

    Raises:
        SegueError: no reason, no such version, or its bundle does not verify: nothing is changed then.
    """
    if not why.strip():
        raise SegueError("expected a reason, found none; add --why TEXT")
    if at.tzinfo is None:
        raise SegueError(f"expected the time of a step back with a zone, found {at}")
    champion, wanted = version_before(models, version)
    verify_bundle(settings.bundles / wanted)
    reason = f"{ROLLED_BACK} from {champion}: {why.strip()}"
    stepped = Promotion(wanted, at.isoformat(), reason, champion, by)
    return finish(settings, models, stepped)


def finish(settings: Settings, models: ModelRegistry, stepped: Promotion) -> Promotion:
    """Take the step, or the rest of it that a kill left, and record it; the step as the registry has it."""
    make_champion(settings.champion_pointer, models, stepped)
    heal_records(settings.decisions, models)
    return models.history()[-1]


def roll_back(version: str, why: str, by: str = "") -> None:
    """`step_back` in the home of the settings by the user of this shell (or `by`), and say so.

    Raises:
        SegueError: as `step_back`.
    """
    settings = load_settings()
    prepare_process(settings)
    who = by or getpass.getuser()
    stepped = step_back(settings, RegistryResource().open(), version, why, who, datetime.now(UTC))
    console.print(f"{stepped.version} serves again instead of {stepped.against}: {why}")
    then("segue history")
