"""Runs, versions and the champion, kept by MLflow.

Belongs here: the little of MLflow that Segue uses, through MlflowClient only (the fluent API drops
files in the working directory). Does not belong here: deciding who is champion (ml.registry.gate).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

MODEL = "segue"
EXPERIMENT = "segue"
ALIAS = "champion"
ROLLED_BACK = "rolled back"


@dataclass(frozen=True, slots=True)
class Promotion:
    """A version that was made champion, when (ISO instant) and why; the champion before it, None for the
    first; who did it, empty for the gate."""

    version: str
    at: str
    reason: str
    against: str | None = None
    by: str = ""

    def to_dict(self) -> dict[str, str | None]:
        """The promotion for JSON."""
        return asdict(self)

    @property
    def is_rollback(self) -> bool:
        """Whether a person stepped back to it."""
        return self.reason.startswith(ROLLED_BACK)


class ModelRegistry:
    """The registry at a tracking `uri`; artefacts of runs go to `artifacts`."""

    def __init__(self, uri: str, artifacts: Path) -> None:
        self._uri = uri
        self._artifacts = artifacts

    @cached_property
    def _client(self) -> "MlflowClient":
        from mlflow import MlflowClient  # 2.0 s

        client = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
        if client.get_experiment_by_name(EXPERIMENT) is None:
            self._artifacts.mkdir(parents=True, exist_ok=True)
            client.create_experiment(EXPERIMENT, artifact_location=self._artifacts.as_uri())
        if not client.search_registered_models(f"name = '{MODEL}'"):
            client.create_registered_model(MODEL)
        return client

    def log_run(
        self,
        version: str,
        parameters: Mapping[str, str | int | float],
        metrics: Mapping[str, float],
        documents: Mapping[str, str],
    ) -> str:
        """Record the run that made a bundle and register its version; returns the run's id.

        A bundle that is registered already keeps its first run: nothing is doubled on a re-run, and the
        documents are those of the latest decision. The champion keeps those of its promotion: made again,
        it meets itself, which decides nothing.
        """
        if (found := self._find(version)) is not None:
            for name, text in documents.items() if self.champion() != version else ():
                self._client.log_text(str(found.run_id), text, name)
            return str(found.run_id)
        run_id = self._begun(version)
        for name, value in parameters.items():
            self._client.log_param(run_id, name, value)
        for name, number in metrics.items():
            self._client.log_metric(run_id, name, number)
        for name, text in documents.items():
            self._client.log_text(run_id, text, name)
        self._client.set_terminated(run_id)
        source = f"runs:/{run_id}/bundle"
        self._client.create_model_version(MODEL, source, run_id, tags={"bundle": version})
        return run_id

    def champion(self) -> str | None:
        """The bundle version that serves, None before the first promotion."""
        aliases = self._client.get_registered_model(MODEL).aliases
        if ALIAS not in aliases:
            return None
        return str(self._client.get_model_version_by_alias(MODEL, ALIAS).tags["bundle"])

    def promote(
        self,
        version: str,
        reason: str,
        at: datetime,
        *,
        against: str | None = None,
        by: str = "",
    ) -> None:
        """Make a registered bundle the champion; again for the same one changes nothing.

        Raises:
            KeyError: no such bundle was registered (`log_run`).
        """
        if self.champion() == version:
            return
        found = self._find(version)
        if found is None:
            raise KeyError(f"bundle {version} is not registered")
        number = str(found.version)
        history = self.history()
        # A kill between the record and the alias must not record the promotion twice.
        if not history or history[-1].version != version:
            order = f"{len(history) + 1:06d}"
            # The instant comes last: it makes the others a record.
            told = {"reason": reason, "against": against, "by": by, "promoted": at.isoformat()}
            for name, value in told.items():
                if value:
                    self._client.set_model_version_tag(MODEL, number, f"{name}-{order}", value)
        self._client.set_registered_model_alias(MODEL, ALIAS, number)

    def served(self) -> list[Promotion]:
        """`history` without a last promotion that was killed before its alias: it has not served yet."""
        history, champion = self.history(), self.champion()
        return history[:-1] if history and history[-1].version != champion else history

    def history(self) -> list[Promotion]:
        """Every promotion, oldest first; the last may still lack its alias (`served`)."""
        found: dict[str, Promotion] = {}
        for item in self._client.search_model_versions(f"name = '{MODEL}'"):
            for name, value in item.tags.items():
                if name.startswith("promoted-"):
                    order = name.removeprefix("promoted-")
                    reason, against, by = (
                        item.tags.get(f"{tag}-{order}") for tag in ("reason", "against", "by")
                    )
                    found[order] = Promotion(
                        item.tags["bundle"], value, reason or "", against, by or ""
                    )
        return [found[order] for order in sorted(found)]

    def _begun(self, version: str) -> str:
        """The run of a bundle that a kill left without a version, or a new one."""
        experiment = self._client.get_experiment_by_name(EXPERIMENT).experiment_id
        for run in self._client.search_runs([experiment], f"tags.bundle = '{version}'"):
            return str(run.info.run_id)
        return str(self._client.create_run(experiment, tags={"bundle": version}).info.run_id)

    def _find(self, version: str) -> "ModelVersion | None":
        for item in self._client.search_model_versions(f"name = '{MODEL}'"):
            if item.tags.get("bundle") == version:
                return item
        return None
