"""`segue rollback`: an earlier model serves again.

Belongs here: which one, and the record. Does not belong here: how MLflow keeps it (ml.registry.models).
"""

from datetime import UTC, datetime

from ml.errors import SegueError
from ml.registry.bundle import verify_bundle
from ml.registry.models import ModelRegistry
from orchestration.cli.console import console, then
from orchestration.resources import RegistryResource
from orchestration.settings import load_settings, prepare_process


def version_before(models: ModelRegistry, wanted: str) -> tuple[str, str]:
    """(the champion, the version to serve instead): `wanted`, or the one that served before it.

    Raises:
        SegueError: nothing serves, nothing served before, or `wanted` never served.
    """
    history, champion = models.history(), models.champion()
    if champion is None:
        raise SegueError("expected a champion to step back from, found none; run `segue run train`")
    served = [one.version for one in history]
    if wanted:
        if wanted not in served or wanted == champion:
            others = ", ".join(sorted(set(served) - {champion})) or "none"
            raise SegueError(
                f"expected a version that served before {champion} ({others}), found {wanted}"
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


def roll_back(version: str, why: str) -> None:
    """Let the version before the champion (or `version`) serve, and record who asked why.

    Raises:
        SegueError: no reason, no such version, or its bundle does not verify.
    """
    if not why.strip():
        raise SegueError("expected a reason, found none; add --why TEXT")
    settings = load_settings()
    prepare_process(settings)
    models = RegistryResource().open()
    champion, wanted = version_before(models, version)
    verify_bundle(settings.bundles / wanted)
    models.promote(wanted, f"rolled back from {champion}: {why}", datetime.now(UTC))
    console.print(f"{wanted} serves again instead of {champion}: {why}")
    then("segue run daily")
