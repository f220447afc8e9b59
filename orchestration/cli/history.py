"""`segue history`: what served when, why, against whom, and who stepped back.

Belongs here: the promotions of the registry beside the home's records. Does not belong here: deciding or
stepping back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.markup import escape

from ml.registry.models import Promotion
from ml.registry.pointer import heal_pointer
from ml.registry.records import DECISION, read_records
from orchestration.cli.console import console, show, then
from orchestration.resources import RegistryResource
from orchestration.settings import load_settings, prepare_process

_MINUTE = len("2026-01-02T12:00")


@dataclass(frozen=True, slots=True)
class Reign:
    """A version that served from `since` (ISO) until `until`, None = it still does."""

    version: str
    since: str
    until: str | None
    against: str | None
    by: str
    why: str


def reigns(history: Sequence[Promotion]) -> list[Reign]:
    """Who served when, oldest first: each one until the next was promoted."""
    ends: list[str | None] = [one.at for one in history[1:]] + [None] * bool(history)
    return [
        Reign(one.version, one.at, until, one.against, one.by or "the gate", one.reason)
        for one, until in zip(history, ends, strict=True)
    ]


def refusals(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Decisions that changed nothing, oldest first."""
    return [one for one in records if one["kind"] == DECISION and not one["promote"]]


def _when(instant: str | None) -> str:
    return instant[:_MINUTE].replace("T", " ") if instant else "[green]now[/]"


def served_rows(history: Sequence[Promotion]) -> list[list[str]]:
    """Cells of the table of reigns."""
    return [
        [
            one.version,
            _when(one.since),
            _when(one.until),
            one.against or "",
            one.by,
            escape(one.why),
        ]
        for one in reigns(history)
    ]


def refused_rows(refused: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Cells of the table of decisions that promoted nobody."""
    return [
        [one["challenger"], _when(one["at"]), one["champion"] or "none", escape(one["summary"])]
        for one in refused
    ]


def print_history(every: bool) -> None:
    """A row a reign, newest last; with `every` the decisions that promoted nobody below."""
    settings = load_settings()
    prepare_process(settings)
    models = RegistryResource().open()
    history, refused = models.served(), refusals(read_records(settings.decisions))
    heal_pointer(settings.champion_pointer, models)
    if history:
        header = ["version", "from (UTC)", "until", "instead of", "by", "why"]
        show("What served", header, served_rows(history))
    else:
        console.print("No model has served yet.")
    if every and refused:
        header = ["challenger", "decided (UTC)", "against", "why"]
        show("Not promoted", header, refused_rows(refused))
    elif refused:
        console.print(f"{len(refused)} decisions promoted nobody: `segue history --all`")
    then("segue rollback --why WHY" if len(history) > 1 else "segue run train")
